"""The lock over a data root: whoever holds it may start, stop and repair the servers in it.

It is a `flock` on an open file, so the kernel drops it when the process dies, however it dies.
"""

import fcntl
import os
from pathlib import Path

from adapters.embedded.errors import AlreadyRunning, DataUnusable

_LOCK_NAME = "lock"


class DataLock:
    """Held from `acquire` until `release`. It covers both servers, also when only one of them is embedded."""

    def __init__(self, data_root: Path) -> None:
        self._path = data_root / _LOCK_NAME
        self._data_root = data_root
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunning: another process has it.
            DataUnusable: the lock file cannot be opened by this user.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DataUnusable(
                f"the data directory {self._data_root} cannot be used: {error.strerror}; "
                "give it to this user or name another one with --data"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            by_whom = f" (process {holder})" if holder.isdigit() else ""
            raise AlreadyRunning(
                f"another Tokenok process{by_whom} already runs the database in {self._data_root}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)  # only to be named in the message above
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes hold two different files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
