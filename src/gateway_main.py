"""Entry point of one gateway process: `python -m gateway_main --fd N` or `--host H --port P`."""

import argparse
import socket
import sys

import uvicorn

from asgi import make_app
from domain.sealing.notes import BadKey
from gateway_process import GatewayProcess
from logs import configure_logs
from settings import BadSetting, from_environment

DRAIN_S = 30
STUCK_MS = 120_000


def main() -> int:
    parser = argparse.ArgumentParser(description="One gateway process.")
    parser.add_argument("--fd", type=int, help="an inherited listening socket")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    try:
        settings = from_environment()
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.tokenok_log_level)
    try:
        process = GatewayProcess(settings)
    except BadKey as error:
        sys.stderr.write(f"SEAL_KEY or RECEIPT_KEY cannot be used: {error}\n")
        return 2
    app = make_app(process)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=2048,
    )
    # The server takes an inherited descriptor for a Unix socket, and leaves the delays of TCP on; so it gets a socket.
    sockets = None if options.fd is None else [_inherited(options.fd)]
    uvicorn.Server(config).run(sockets=sockets)
    return 0


def _inherited(descriptor: int) -> socket.socket:
    """The listening socket; what it accepts is given up by the kernel when a peer takes no bytes for so long."""
    listening = socket.socket(fileno=descriptor)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MS)
    return listening


if __name__ == "__main__":
    sys.exit(main())
