"""Ports of sealing: the directory, which is the truth, and what the database remembers beside it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec


class SealedFiles(Protocol):
    """A directory. Names are relative paths with slashes. Raises `OSError` when it cannot be used."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; none if there is no such file."""
        ...

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files in place, each whole or not at all; all of them are on disk when this returns."""
        ...

    def remove(self, folders: Iterable[str]) -> None:
        """Remove folders with what is in them; those that are not there are no fault."""
        ...


class KeptCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signed checkpoint, and the position of its last event."""

    size: int
    position: int
    note: bytes


class SealFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why sealing stands still."""

    code: str
    words: str
    since_us: int


class CheckpointBook(Protocol):
    """Checkpoints and faults in the database: whoever replaces the directory must change these too.

    Every method raises `LogUnavailable` when the database is away.
    """

    def newest(self) -> KeptCheckpoint | None: ...
    def keep(self, checkpoint: KeptCheckpoint) -> None:
        """Note it; the same size again replaces what was there."""
        ...

    def fault(self) -> SealFault | None: ...
    def set_fault(self, code: str, words: str) -> None: ...
    def clear_fault(self) -> None: ...
