"""Which user runs the servers: ourselves, or an unprivileged one when we are root (Postgres refuses root).

No user is made and no existing file's mode or owner is changed.
"""

import os
import pwd
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.pdeathsig import die_with_parent

_UNPRIVILEGED = ("postgres", "nobody")
_NOBODY_ID = 65534
_CHECK_S = 30.0

#: What every server and tool of theirs gets: nothing of the caller's environment, messages in English.
SERVER_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True, kw_only=True)
class ServerUser:
    """The user that owns the servers' files. `is_other` is true when root hands them to somebody else."""

    name: str
    uid: int
    gid: int
    is_other: bool

    def run(
        self, command: Sequence[str], *, input_text: str = "", timeout_s: float = _CHECK_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user, in `/`; its exit status is for the caller to judge.

        Raises:
            OSError: it could not be started (not found, or not executable for this user).
            subprocess.TimeoutExpired: it was killed.
        """
        return subprocess.run(  # noqa: S603 (commands are ours)
            command,
            input=input_text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
            cwd="/",
            env=SERVER_ENVIRONMENT,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )

    def can_enter(self, directory: Path) -> bool:
        """Ask the system as this user: modes of all parents and access lists count, not only our own look."""
        if not self.is_other:
            return os.access(directory, os.X_OK)
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(directory)]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether `program --version` works: reachable, executable, and its libraries are found."""
        try:
            return self.run([str(program), "--version"]).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def give(self, path: Path) -> None:
        """Make this user the owner of something that we have just made."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose_user(existing: Path | None = None) -> ServerUser:
    """Ourselves; as root the owner of the `existing` cluster, else `postgres`, else `nobody`."""
    uid = os.geteuid()
    if uid != 0:
        return ServerUser(name=_name_of(uid), uid=uid, gid=os.getegid(), is_other=False)
    if existing is not None:
        owner = existing.stat()
        if owner.st_uid != 0:
            return ServerUser(name=_name_of(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid, is_other=True)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)
    return ServerUser(name=str(_NOBODY_ID), uid=_NOBODY_ID, gid=_NOBODY_ID, is_other=True)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
