"""A directory with the segments of the archive, each beside its manifest.

A file gets its name once its bytes are on disk, so whatever is killed leaves files that are whole, and `.partial` ones,
which the next write replaces. Copy the directory as you like; only the names must stay.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from application.archive.ports import Written
from application.archive.segment import Manifest, SegmentDamaged, SegmentMissing, manifest_name

LEVEL: Final = 3
_PARTIAL: Final = "segment.partial"
_READ_BYTES: Final = 1 << 20


class ArchiveDirectory:
    """Implements `application.archive.ports.ArchiveFiles`; safe to read from threads. Made when it is first written to.

    Without a path it is the archive of a process that was not told of one: every file is missing.
    """

    def __init__(self, path: Path | None) -> None:
        self._folder = path

    @property
    def _path(self) -> Path:
        if self._folder is None:
            raise SegmentMissing("a part of the log is in the archive, and ARCHIVE_DIR is not set")
        return self._folder

    @contextmanager
    def writing(self) -> Iterator["_SegmentFile"]:
        self._path.mkdir(parents=True, exist_ok=True)
        partial = self._path / _PARTIAL
        with partial.open("wb") as raw:
            yield _SegmentFile(raw, partial)
        partial.unlink(missing_ok=True)

    def put_manifest(self, segment: str, manifest: bytes) -> None:
        partial = self._path / "manifest.partial"
        with partial.open("wb") as raw:
            raw.write(manifest)
            _settle(raw, partial, self._path / manifest_name(segment))

    def manifest(self, segment: str) -> bytes:
        return b"".join(self._pieces(manifest_name(segment)))

    def glance(self, manifest: Manifest) -> str:
        """What is wrong with a segment as far as its directory tells, without reading it; empty if nothing is."""
        if self._folder is None:
            return "ARCHIVE_DIR is not set"
        try:
            size = (self._folder / manifest.file).stat().st_size
            if self.manifest(manifest.file) != manifest.encode():
                return "its manifest is another than the database has kept"
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        except SegmentMissing as error:
            return str(error)
        if size != manifest.compressed_bytes:
            return f"it has {size} bytes, not {manifest.compressed_bytes}"
        return ""

    def lines(self, manifest: Manifest) -> Iterator[bytes]:
        if self._sha256(manifest.file) != manifest.compressed_sha256:
            raise SegmentDamaged(f"{self._path / manifest.file} has other bytes than its manifest says")
        plain, rest = hashlib.sha256(), b""
        try:
            with (
                (self._path / manifest.file).open("rb") as raw,
                zstandard.ZstdDecompressor().stream_reader(raw) as reader,
            ):
                while piece := reader.read(_READ_BYTES):
                    plain.update(piece)
                    *whole, rest = (rest + piece).split(b"\n")
                    yield from whole
        except zstandard.ZstdError as error:
            raise SegmentDamaged(f"{self._path / manifest.file} cannot be read: {error}") from error
        if rest or plain.hexdigest() != manifest.plain_sha256:
            raise SegmentDamaged(f"{self._path / manifest.file} has other lines than its manifest says")

    def _sha256(self, name: str) -> str:
        found = hashlib.sha256()
        for piece in self._pieces(name):
            found.update(piece)
        return found.hexdigest()

    def _pieces(self, name: str) -> Iterator[bytes]:
        path = self._path / name
        try:
            with path.open("rb") as raw:
                while piece := raw.read(_READ_BYTES):
                    yield piece
        except OSError as error:
            raise SegmentMissing(f"{path} cannot be read: {error.strerror}") from error


class _SegmentFile:
    """Implements `application.archive.ports.SegmentWriter`."""

    def __init__(self, raw: BinaryIO, partial: Path) -> None:
        self._raw = raw
        self._partial = partial
        self._compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj()
        self._plain, self._compressed = hashlib.sha256(), hashlib.sha256()
        self._plain_bytes = self._compressed_bytes = 0

    def write(self, line: bytes) -> None:
        for piece in (line, b"\n"):
            self._plain.update(piece)
            self._plain_bytes += len(piece)
            self._put(self._compressor.compress(piece))

    def finish(self, segment: str) -> Written:
        self._put(self._compressor.flush())
        _settle(self._raw, self._partial, self._partial.with_name(segment))
        return Written(
            self._plain_bytes, self._plain.hexdigest(), self._compressed_bytes, self._compressed.hexdigest()
        )

    def _put(self, piece: bytes) -> None:
        self._compressed.update(piece)
        self._compressed_bytes += len(piece)
        self._raw.write(piece)


def _settle(raw: BinaryIO, partial: Path, path: Path) -> None:
    """Bytes to disk, then the name, then the directory that has the name."""
    raw.flush()
    os.fsync(raw.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
