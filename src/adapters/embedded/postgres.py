"""One embedded Postgres: started directly (not by `pg_ctl`, whose patience is short), on a unix socket only."""

import signal
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from adapters.embedded import cluster as on_disk
from adapters.embedded import leftover
from adapters.embedded.binaries import PostgresBinaries
from adapters.embedded.errors import StartFailed
from adapters.embedded.identity import ServerUser
from adapters.embedded.process import ServerProcess

_START_S_MAX = 120.0  # crash recovery of a large log is slow
_ORPHANS_S_MAX = 60.0
_POLL_S = 0.05
_ORPHANS_POLL_S = 0.25
_PROTOCOL_3 = 196608
_ORPHANS_HOLD_MEMORY = "pre-existing shared memory block"

#: For a small machine. fsync, full_page_writes and synchronous_commit stay on: they are what a ledger stands on.
_SETTINGS: Mapping[str, str] = {
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "log_error_verbosity": "terse",  # a DETAIL line would show a row's values
}


class PostgresServer:
    """Postgres on `cluster`. Start, stop and start again; the address stays the same."""

    def __init__(
        self, *, binaries: PostgresBinaries, cluster: Path, user: ServerUser, log_path: Path
    ) -> None:
        self._binaries = binaries
        self._cluster = cluster
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
        """Start it and return once it takes connections.

        Raises:
            StartFailed: it ended, or did not answer within two minutes; nothing of it runs.
        """
        leftover.settle_postmaster(self._cluster)
        give_up_at = time.monotonic() + _ORPHANS_S_MAX
        while not self._try_start(socket_directory):
            # A postmaster killed by -9 left a busy backend, and Postgres rightly waits for it to end.
            orphans = leftover.end_orphans(self._cluster, program="postgres")
            if time.monotonic() > give_up_at:
                named = ", ".join(map(str, orphans)) or "unknown"
                raise StartFailed(
                    f"backends of an earlier Postgres still run on {self._cluster}: processes {named}"
                )
            time.sleep(_ORPHANS_POLL_S)

    def stop(self) -> bool:
        """Fast shutdown, then immediate; true once it is gone."""
        return self._process is None or self._process.stop((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))

    def _try_start(self, socket_directory: Path) -> bool:
        """False when orphaned backends are in the way."""
        settings = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        process = ServerProcess(
            [
                *(str(self._binaries.postgres), "-D", str(self._cluster)),
                *("-h", "", "-k", str(socket_directory), *settings),
            ],
            user=self._user,
            log_path=self._log_path,
            death_signal=signal.SIGINT,
        )
        self._process = process
        give_up_at = time.monotonic() + _START_S_MAX
        while not _takes_connections(socket_directory / ".s.PGSQL.5432"):
            if process.exit_code() is not None:
                tail = process.log_tail()
                if _ORPHANS_HOLD_MEMORY in tail:
                    return False
                raise StartFailed(f"Postgres ended while it started; its log ends with:\n{tail}")
            if time.monotonic() > give_up_at:
                self.stop()
                raise StartFailed(
                    f"Postgres did not answer in {_START_S_MAX:.0f} s; its log ends with:\n{process.log_tail()}"
                )
            time.sleep(_POLL_S)
        return True


def address(password_path: Path, socket_directory: Path, *, database: str = on_disk.DATABASE) -> str:
    """A libpq URL with the password in it: a secret."""
    password = quote(on_disk.read_password(password_path), safe="")
    return f"postgresql://{on_disk.SUPERUSER}:{password}@/{database}?host={quote(str(socket_directory), safe='')}"


def _takes_connections(socket_path: Path) -> bool:
    """As `pg_isready` asks: a start-up packet is answered by anything but "starting up" (it may not be installed)."""
    body = struct.pack("!I", _PROTOCOL_3) + b"user\0tokenok\0database\0postgres\0\0"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2.0)
            connection.connect(str(socket_path))
            connection.sendall(struct.pack("!I", len(body) + 4) + body)
            answer = connection.recv(1024)
    except OSError:
        return False
    return answer[:1] == b"R" or (answer[:1] == b"E" and b"C57P03\0" not in answer)
