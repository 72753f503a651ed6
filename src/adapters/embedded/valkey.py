"""One embedded Valkey on a unix socket, append-only, never evicting. It carries wake-ups and counters, never money."""

import signal
import socket
import time
from pathlib import Path

from adapters.embedded import leftover
from adapters.embedded.errors import StartFailed
from adapters.embedded.identity import ServerUser
from adapters.embedded.process import ServerProcess

SOCKET_NAME = "valkey.sock"
_START_S_MAX = 30.0
_LOADING_S_MAX = 120.0
_POLL_S = 0.03


class ValkeyServer:
    """Valkey on `directory`. Start, stop and start again; the address stays the same."""

    def __init__(self, *, program: Path, directory: Path, user: ServerUser, log_path: Path) -> None:
        self._program = program
        self._directory = directory
        self._user = user
        self._log_path = log_path
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def has_ended(self) -> bool:
        """True when it was started and is gone."""
        return self._process is not None and self._process.exit_code() is not None

    def start(self, socket_directory: Path) -> None:
        """Start it and return once it answers.

        Raises:
            StartFailed: it ended, or did not answer within 30 s (two minutes while it loads); nothing of it runs.
        """
        if not self._directory.is_dir():
            self._directory.mkdir(mode=0o700)
            self._user.give(self._directory)
        leftover.settle_valkey(self._directory)
        socket_path = socket_directory / SOCKET_NAME
        process = ServerProcess(
            self._command(socket_path), user=self._user, log_path=self._log_path, death_signal=signal.SIGTERM
        )
        self._process = process
        started = time.monotonic()
        patience_s = _START_S_MAX
        while (answer := _ping(socket_path)) != b"+PONG":
            if process.exit_code() is not None:
                raise StartFailed(f"Valkey ended while it started; its log ends with:\n{process.log_tail()}")
            if answer.startswith(b"-LOADING"):
                patience_s = _LOADING_S_MAX
            if time.monotonic() > started + patience_s:
                self.stop()
                raise StartFailed(f"Valkey did not answer; its log ends with:\n{process.log_tail()}")
            time.sleep(_POLL_S)

    def stop(self) -> bool:
        """Ask it to end, then end it; true once it is gone."""
        return self._process is None or self._process.stop((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

    def _command(self, socket_path: Path) -> list[str]:
        return [
            str(self._program),
            *("--port", "0", "--unixsocket", str(socket_path), "--unixsocketperm", "700"),
            *(
                "--dir",
                str(self._directory),
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--save",
                "",
            ),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]


def address(socket_directory: Path) -> str:
    return f"unix://{socket_directory / SOCKET_NAME}?db=0"


def _ping(socket_path: Path) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2.0)
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(128).strip()
    except OSError:
        return b""
