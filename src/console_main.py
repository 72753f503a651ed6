"""Entry point of the console's process: `python -m console_main --fd N` or `--host H --port P`."""

import argparse
import socket
import sys

import uvicorn

from console_app import make_console
from console_process import ConsoleProcess
from domain.sealing.notes import BadKey
from logs import configure_logs
from settings import BadSetting, from_environment

_DRAIN_S = 10


def main() -> int:
    parser = argparse.ArgumentParser(description="The console.")
    parser.add_argument("--fd", type=int, help="an inherited listening socket")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    try:
        settings = from_environment()
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.tokenok_log_level)
    try:
        process = ConsoleProcess(settings)
    except BadKey as error:
        sys.stderr.write(f"SEAL_KEY or RECEIPT_KEY cannot be used: {error}\n")
        return 2
    config = uvicorn.Config(
        make_console(process),
        host=options.host,
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.console_proxies,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    sockets = None if options.fd is None else [socket.socket(fileno=options.fd)]
    uvicorn.Server(config).run(sockets=sockets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
