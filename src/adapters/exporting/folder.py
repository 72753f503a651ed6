"""An export's folder: filled under a hidden name beside its place, with sums, and then moved there in one step."""

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import TracebackType
from typing import Final, Self

from application.exporting.ports import ExportRefused

SUMS: Final = "SHA256SUMS"
_LEVEL: Final = 6


class Folder:
    """Implements `application.exporting.ports.ExportFolder`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sums: dict[str, str] = {}

    def create(self, name: str, *, compressed: bool = False) -> "File":
        return File(self._path, name, self._sums, compressed=compressed)

    def sums(self) -> dict[str, str]:
        return dict(self._sums)


class File:
    """Implements `application.exporting.ports.ExportFile`: on the disk, and in the sums, when it was left in peace."""

    def __init__(self, folder: Path, name: str, sums: dict[str, str], *, compressed: bool) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._name, self._sums = name, sums
        self._stored = _Hashed(path)
        # Neither a name nor a time in its head: the same lines give the same bytes.
        self._gzip = gzip.GzipFile("", "wb", _LEVEL, self._stored, mtime=0) if compressed else None

    def write(self, data: bytes) -> None:
        (self._gzip or self._stored).write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stored:
            if error is None:
                if self._gzip is not None:
                    self._gzip.close()
                os.fsync(self._stored.fileno())
                self._sums[self._name] = self._stored.digest.hexdigest()


class _Hashed(FileIO):
    """A new file whose bytes are hashed as they are written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")
        self.digest = hashlib.sha256()

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]  # what we write is one of these
        self.digest.update(data)
        left = memoryview(data)
        while left:
            left = left[super().write(left) :]
        return len(data)


@contextmanager
def new_folder(place: Path) -> Iterator[Folder]:
    """A folder that stands at `place` once the block was left in peace, and of which nothing is left otherwise.

    Raises:
        ExportRefused: there is something at `place`, or it cannot be written to.
    """
    place = place.absolute()
    if place.exists():
        raise ExportRefused(f"{place} is there already")
    try:
        hidden = Path(mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise ExportRefused(f"{place.parent} cannot be written to: {error.strerror}") from None
    try:
        folder = Folder(hidden)
        yield folder
        _write_sums(hidden, folder.sums())
        hidden.chmod(0o750)
        hidden.rename(place)
        _sync(place.parent)
    except OSError as error:
        raise ExportRefused(f"{place} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def new_path(place: Path) -> Iterator[Path]:
    """Where to write one file that stands at `place` once the block was left in peace, as `new_folder`.

    Raises:
        ExportRefused: there is something at `place`, or it cannot be written to.
    """
    place = place.absolute()
    if place.exists():
        raise ExportRefused(f"{place} is there already")
    try:
        with TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as hidden:
            path = Path(hidden, place.name)
            yield path
            _sync(path)
            path.rename(place)
            _sync(place.parent)
    except OSError as error:
        raise ExportRefused(f"{place} cannot be written: {error.strerror}") from error


@contextmanager
def new_file(place: Path) -> Iterator[File]:
    """The same as a file to write bytes to. Raises as `new_path`."""
    with new_path(place) as path, File(path.parent, path.name, {}, compressed=False) as file:
        yield file


def _write_sums(path: Path, sums: dict[str, str]) -> None:
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    with Path(path, SUMS).open("xb") as file:
        file.write(lines.encode())
        file.flush()
        os.fsync(file.fileno())
    _sync(path)


def _sync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
