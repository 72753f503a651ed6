"""Where the servers' sockets live: a short private path, a fresh directory for each start of each server.

Layout: `TMP/tokenok-UID-HASH/` is ours and holds `NAME-RANDOM/` (the fresh one, owned by the server's user, mode 0700)
and a link `NAME` to it. Addresses use the link, so a server that is started again keeps its address while a stale
socket or lock file of the last one (`.s.PGSQL.5432.lock` naming a zombie blocks a start) can never be in its way.
"""

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from adapters.embedded.errors import DataUnusable
from adapters.embedded.identity import ServerUser

_SOCKET_BYTES_MAX = 107
_LONGEST_NAME = "postgres/.s.PGSQL.5432"


class RunDirectory:
    """The run directory of one data root; use it only while its lock is held."""

    def __init__(self, data_root: Path) -> None:
        name = f"tokenok-{os.geteuid()}-{sha256(os.fsencode(data_root)).hexdigest()[:10]}"
        self.path = _short_base(name) / name

    def prepare(self) -> None:
        """Make it, or prove that what is there is ours.

        Raises:
            DataUnusable: the path is a link, not a directory, or somebody else's; it was not touched.
        """
        # Root's servers run as another user, who must be able to pass through to his own directory inside.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        with contextlib.suppress(FileExistsError):
            self.path.mkdir(mode=mode)
        found = self.path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise DataUnusable(
                f"{self.path} is not a directory of this user; remove it, or set TMPDIR to a directory of your own"
            )
        if stat.S_IMODE(found.st_mode) != mode:  # the umask, or an earlier version
            self.path.chmod(mode)

    def fresh(self, name: str, *, user: ServerUser) -> Path:
        """A new empty directory behind the link `name`; older ones of that name are removed. Returns the link."""
        for old in self.path.glob(f"{name}-*"):
            _remove(old)
        directory = self.path / f"{name}-{secrets.token_hex(4)}"
        directory.mkdir(mode=0o700)
        user.give(directory)
        link = self.path / name
        staged = self.path / f".{name}.link"
        staged.unlink(missing_ok=True)
        staged.symlink_to(directory.name)
        staged.replace(link)
        return link

    def remove(self) -> None:
        """Clean up after a stop."""
        shutil.rmtree(self.path, ignore_errors=True)


def _short_base(name: str) -> Path:
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 (ownership of what we use in it is proven)
        if len(os.fsencode(f"{base}/{name}/{_LONGEST_NAME}-12345678")) <= _SOCKET_BYTES_MAX:
            return Path(base)
    raise DataUnusable(
        "the system's temporary directory has too long a path for a socket; set TMPDIR to a short one"
    )


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
