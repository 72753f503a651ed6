"""`EmbeddedServers`: owns a data root, its lock, the run directory, and the servers in it."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.embedded import binaries, cluster, identity, postgres, valkey
from adapters.embedded.endpoints import Endpoints, forget_endpoints, write_endpoints
from adapters.embedded.errors import DataUnusable, StartFailed
from adapters.embedded.home import DataHome
from adapters.embedded.identity import ServerUser
from adapters.embedded.lock import DataLock
from adapters.embedded.postgres import PostgresServer
from adapters.embedded.rundir import RunDirectory
from adapters.embedded.valkey import ValkeyServer

ROOT_HOME = Path("/var/lib/tokenok")


class EmbeddedServers:
    """A context manager: entering takes the lock, leaving stops what was started and only then lets go.

    Start servers from the main thread, before an event loop and other threads. The addresses stay the same for a data
    root, also over restarts; they are written to `endpoints.json` in it as well.
    """

    def __init__(self, data_root: Path, *, pg_bin: str = "", root_home: Path = ROOT_HOME) -> None:
        """`pg_bin`: run this Postgres instead of the wheel's. `root_home`: for data roots that only root can enter."""
        self.data_root = Path(os.path.realpath(data_root))
        self._pg_bin = pg_bin
        self.notices: list[str] = []  #: what the operator should hear, one sentence each
        self._home = DataHome(self.data_root, root_home=root_home)
        self._lock = DataLock(self.data_root)
        self._run_directory = RunDirectory(self.data_root)
        self._endpoints = Endpoints()
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None

    def __enter__(self) -> Self:
        """Take the data root.

        Raises:
            AlreadyRunning: another process has it.
            DataUnusable: it cannot be made or used by this user.
        """
        make_data_root(self.data_root)
        self._lock.acquire()
        try:
            self._run_directory.prepare()
            forget_endpoints(self.data_root)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start_postgres(self) -> str:
        """Start Postgres, making its cluster the first time; returns its URL (a secret).

        Raises:
            EmbeddedError: it does not run; the message says why.
        """
        with _said_plainly("Postgres"):
            return self._start_postgres()

    def start_valkey(self) -> str:
        """Start Valkey; returns its URL.

        Raises:
            EmbeddedError: it does not run; the message says why.
        """
        with _said_plainly("Valkey"):
            return self._start_valkey()

    def restart_ended(self) -> list[str]:
        """Start again whatever has ended by itself, at the same address; returns the names of those.

        Raises:
            EmbeddedError: one does not come up again.
        """
        restarted: list[str] = []
        for name, server, start in self._servers():
            if server is not None and server.has_ended():
                start()
                restarted.append(name)
        return restarted

    def pids(self) -> dict[str, int]:
        """Of the servers that were started, by name."""
        return {name: server.pid for name, server, _ in self._servers() if server is not None and server.pid}

    def stop(self) -> None:
        """Stop both servers, clean up, and let go of the lock last."""
        gone = [server.stop() for _, server, _ in reversed(self._servers()) if server is not None]
        self._postgres = self._valkey = None
        if self._lock.held:
            forget_endpoints(self.data_root)
            if all(gone):
                self._run_directory.remove()
            self._lock.release()

    def has_database(self) -> bool:
        """Whether this data root already holds a database of an earlier start."""
        return self._home.existing_cluster() is not None

    def erase(self) -> None:
        """Remove both servers' data for good; call it before they are started."""
        with _said_plainly("the embedded servers' data"):
            self._home.erase()

    def _start_postgres(self) -> str:
        user, home = self._find_home()
        programs = binaries.reachable_postgres(binaries.find_postgres(self._pg_bin), user=user, home=home)
        sockets = self._run_directory.fresh("postgres", user=user)
        password_path = self._home.password_path
        path = cluster.prepare_cluster(
            home,
            major=programs.major_version(user),
            binaries=programs,
            user=user,
            password_path=password_path,
            scratch=sockets,
        )
        self._postgres = PostgresServer(
            binaries=programs, cluster=path, user=user, log_path=self._log("postgres")
        )
        self._postgres.start(sockets)
        return self._announce(database_url=postgres.address(password_path, sockets))

    def _start_valkey(self) -> str:
        user, home = self._find_home()
        program = binaries.reachable_valkey(binaries.find_valkey(), user=user, home=home)
        sockets = self._run_directory.fresh("valkey", user=user)
        self._valkey = ValkeyServer(
            program=program, directory=home / "valkey", user=user, log_path=self._log("valkey")
        )
        self._valkey.start(sockets)
        return self._announce(redis_url=valkey.address(sockets))

    def _find_home(self) -> tuple[ServerUser, Path]:
        user = identity.choose_user(self._home.existing_cluster())
        home, notices = self._home.choose(user)
        self.notices += notices
        return user, home

    def _servers(
        self,
    ) -> list[tuple[str, PostgresServer | ValkeyServer | None, Callable[[], str]]]:
        return [
            ("Postgres", self._postgres, self.start_postgres),
            ("Valkey", self._valkey, self.start_valkey),
        ]

    def _announce(self, **addresses: str) -> str:
        self._endpoints = replace(self._endpoints, **addresses)
        write_endpoints(self.data_root, self._endpoints)
        return next(iter(addresses.values()))

    def _log(self, name: str) -> Path:
        logs = self.data_root / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        return logs / f"{name}.log"


@contextlib.contextmanager
def _said_plainly(what: str) -> Iterator[None]:
    """The system's refusals (no rights, no space) as one sentence; nobody wants a traceback at a first start."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise StartFailed(f"{what} cannot be used: {error}") from error


def make_data_root(path: Path) -> None:
    """Make the directory if it is not there; one that exists is left as it is.

    Raises:
        DataUnusable: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            if not path.is_dir():
                raise
        else:
            if os.geteuid() == 0:  # the servers' user must pass through to his own directories in it
                path.chmod(0o711)
    except OSError as error:
        raise DataUnusable(
            f"the data directory {path} cannot be used: {error.strerror}; name another one with --data"
        ) from None
