"""From "started" to "serves": the listening socket, `/readyz`, and the file that tells others."""

import errno
import http.client
import json
import socket
from pathlib import Path

from adapters.embedded.private_file import write_private
from launcher.errors import UpError
from launcher.secrets import Demo

_BACKLOG = 2048
_OK = 200


def listen_for_console(host: str, port: int | None, *, after: socket.socket) -> socket.socket:
    """The console's own address: the port that was asked for, else the one after the gateways', else a free one.

    Raises:
        UpError: as `listen`.
    """
    if port is not None:
        return listen(host, port, option="--console-port")
    try:
        return listen(host, after.getsockname()[1] + 1)
    except (UpError, OverflowError):
        return listen(host, 0)


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """Take the address, once for all processes that serve on it.

    Raises:
        UpError: it is taken, or not ours to take.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UpError(f"--host {host} is no address of this machine: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UpError(
                f"port {port} on {host} is taken: choose another with {option} (0 takes a free one)"
            ) from None
        raise UpError(f"port {port} on {host} cannot be used: {error.strerror}") from None
    return listener


def origin_of(listener: socket.socket) -> str:
    """`http://HOST:PORT` as a client on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (a comparison)
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 (a comparison)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def why_not_ready(origin: str, *, timeout_s: float) -> str:
    """Ask `/readyz`: the empty string when all is well, else what it says."""
    connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=timeout_s)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read(2000).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer yet ({type(error).__name__})"
    finally:
        connection.close()
    return "" if answer.status == _OK else f"/readyz answers {answer.status}: {body}"


def write_ready_file(
    path: Path, *, origin: str, console: str, demo: Demo | None, way_in: str, database_url: str
) -> None:
    """Everything a script needs to use this instance, secrets included; null for what there is not."""
    values = {
        "base_url": f"{origin}/v1",
        "console_url": f"{console}/",
        "api_key": (demo.api_key or None) if demo else None,
        "account_id": demo.account_id if demo else None,
        "operator_token": (demo.operator_token or None) if demo else None,
        "operator_email": demo.operator_email if demo else None,
        "operator_password": (demo.operator_password or None) if demo else None,
        "member_email": demo.member_email if demo else None,
        "member_password": (demo.member_password or None) if demo else None,
        "first_sign_in_url": f"{console}{way_in}" if way_in else None,
        "database_url": database_url,
    }
    try:
        write_private(path, json.dumps(values, indent=2) + "\n")
    except OSError as error:
        raise UpError(f"--ready-file {path} cannot be written: {error.strerror}") from None
