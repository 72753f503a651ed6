"""Where the servers' files lie: in the data root, or, when their user cannot enter it, in a place derived from it.

The second happens to root alone, whose data root may be inside a home that only root can enter. That place stays tied to
the data root by two files in it: the password (without it, what lies there belongs to a data root that was removed) and
the name of the place (if another, the data root was moved).
"""

import os
import shutil
from hashlib import sha256
from pathlib import Path

from adapters.embedded.errors import DataUnusable
from adapters.embedded.identity import ServerUser
from adapters.embedded.private_file import write_private

PREFIX = "postgres-"
PASSWORD_NAME = "postgres.password"  # noqa: S105 (a file name)
_POINTER_NAME = "postgres.home"
_OURS = ("valkey", "binaries", PASSWORD_NAME, _POINTER_NAME)


class DataHome:
    """The files of one data root's servers; use it only while its lock is held."""

    def __init__(self, data_root: Path, *, root_home: Path) -> None:
        self._data_root = data_root
        self._root_home = root_home
        digest = sha256(os.fsencode(data_root)).hexdigest()[:12]
        self.derived = root_home / f"{data_root.name.lstrip('.') or 'data'}-{digest}"

    @property
    def password_path(self) -> Path:
        return self._data_root / PASSWORD_NAME

    def existing_cluster(self) -> Path | None:
        """Any cluster of this data root; its owner is who must run it."""
        found = clusters_in(self._data_root) or (
            clusters_in(self.derived) if self.password_path.exists() else []
        )
        return found[0] if found else None

    def choose(self, user: ServerUser) -> tuple[Path, list[str]]:
        """A directory that `user` can enter, made if needed, and what the operator should hear of it.

        Raises:
            DataUnusable: data exists, but `user` cannot enter it, or the data root was moved away from it.
        """
        existing = self.existing_cluster()
        if not self._choose_data_root(user, existing):
            notices = self._set_aside_unowned(existing)
            self._make_derived()
            write_private(self._data_root / _POINTER_NAME, f"{self.derived}\n")
            return self.derived, notices
        return self._data_root, []

    def erase(self) -> None:
        """Remove the servers' files, and nothing else that may lie in the data root."""
        shutil.rmtree(self.derived, ignore_errors=True)
        for path in [*self._data_root.glob(f"{PREFIX}*"), *(self._data_root / name for name in _OURS)]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _choose_data_root(self, user: ServerUser, existing: Path | None) -> bool:
        enterable = user.can_enter(self._data_root)
        if existing is not None:
            if existing.parent == self._data_root and not enterable:
                raise DataUnusable(
                    f"user {user.name}, who runs the database, cannot enter {self._data_root}: chmod o+x it"
                )
            return existing.parent == self._data_root
        self._refuse_moved()
        return enterable

    def _refuse_moved(self) -> None:
        """An empty database would look like lost data."""
        pointer = self._data_root / _POINTER_NAME
        if not pointer.exists():
            return
        before = Path(pointer.read_text(encoding="utf-8").strip())
        if before != self.derived and clusters_in(before):
            raise DataUnusable(
                f"the database of {self._data_root} lies in {before}, from when the directory was elsewhere: "
                f"mv {before} {self.derived}"
            )

    def _set_aside_unowned(self, existing: Path | None) -> list[str]:
        if existing is not None or not clusters_in(self.derived):
            return []
        count = sum(1 for _ in self._root_home.glob(f"{self.derived.name}.old-*"))
        aside = self.derived.with_name(f"{self.derived.name}.old-{count + 1}")
        self.derived.rename(aside)
        return [f"the database of a data directory that is gone was set aside in {aside}"]

    def _make_derived(self) -> None:
        for directory in (self._root_home, self.derived):
            if not directory.is_dir():
                directory.mkdir(mode=0o711, parents=True)
                directory.chmod(0o711)


def clusters_in(home: Path) -> list[Path]:
    """Whole clusters only."""
    found = sorted(home.glob(f"{PREFIX}*"))
    return [path for path in found if path.suffix == "" and (path / "PG_VERSION").is_file()]
