"""Ports of an export: the folder that it is written to, and the proof that goes with the lines."""

from types import TracebackType
from typing import Protocol, Self


class ExportRefused(Exception):
    """This export cannot be made; nothing is left of it."""


class ExportFile(Protocol):
    """A file that is being written; it is part of the export once it was left without an error."""

    def write(self, data: bytes) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ExportFolder(Protocol):
    """A new folder that nobody sees before it is whole. One file is open at a time."""

    def create(self, name: str, *, compressed: bool = False) -> ExportFile:
        """Begin a file. Compressed, its bytes depend on nothing but what is written."""
        ...

    def sums(self) -> dict[str, str]:
        """SHA-256 of each file as it is stored, by name."""
        ...
