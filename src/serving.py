"""How a process that answers HTTP is started: `--fd N`, or `--host H --port P`."""

import argparse
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from domain.sealing.notes import BadKey
from logs import configure_logs
from settings import BadSetting, Settings, from_environment


def serve(
    what: str,
    port: int,
    make: Callable[[Settings], Any],
    *,
    options_of: Callable[[Settings], dict[str, Any]],
    stuck_ms: int | None = None,
) -> int:
    """Serve the ASGI application that `make` makes of the settings, until a signal; the process's exit code.

    `options_of` gives what the server is told beside what is the same for all. A peer that takes no bytes for `stuck_ms` is given
    up by the kernel, on Linux.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--fd", type=int, help="an inherited listening socket")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    asked = parser.parse_args()
    try:
        settings = from_environment()
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.tokenok_log_level)
    try:
        app = make(settings)
    except BadKey as error:
        sys.stderr.write(f"SEAL_KEY or RECEIPT_KEY cannot be used: {error}\n")
        return 2
    config = uvicorn.Config(
        app,
        host=asked.host,
        port=asked.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        **options_of(settings),
    )
    # The server takes an inherited descriptor for a Unix socket, and leaves the delays of TCP on; so it gets a socket.
    sockets = None if asked.fd is None else [_inherited(asked.fd, stuck_ms)]
    uvicorn.Server(config).run(sockets=sockets)
    return 0


def _inherited(descriptor: int, stuck_ms: int | None) -> socket.socket:
    listening = socket.socket(fileno=descriptor)
    if stuck_ms is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stuck_ms)
    return listening
