"""Ports of the archive: where its files are, and what the database knows of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

import msgspec

from application.archive.segment import Manifest, Range


class Part(msgspec.Struct, frozen=True):
    """A closed part of the log that is still in the database."""

    table: str
    positions: Range
    closed_at_us: int


class Written(msgspec.Struct, frozen=True):
    """What became of the lines of a segment. Hashes in hex."""

    plain_bytes: int
    plain_sha256: str
    compressed_bytes: int
    compressed_sha256: str


class SegmentWriter(Protocol):
    """Takes the lines of one segment; leaving its context without `finish` leaves nothing behind."""

    def write(self, line: bytes) -> None: ...

    def finish(self, segment: str) -> Written:
        """Have it on disk under this name."""
        ...


class ArchiveFiles(Protocol):
    """The files themselves. A file is there as a whole or not at all, and what is written again replaces it."""

    def writing(self) -> AbstractContextManager[SegmentWriter]: ...

    def put_manifest(self, segment: str, manifest: bytes) -> None: ...

    def manifest(self, segment: str) -> bytes:
        """Raises: SegmentMissing."""
        ...

    def lines(self, manifest: Manifest) -> Iterator[bytes]:
        """The lines without their newlines, after the whole file was found to be the manifest's.

        Raises:
            SegmentMissing, SegmentDamaged: it is not there, or not what it was. No line was given.
        """
        ...


class ArchiveCatalogue(Protocol):
    """What the database knows of the archive. Each call is one transaction."""

    def until_position(self) -> int:
        """Up to where the log has left the database."""
        ...

    def parts(self) -> list[Part]:
        """The closed parts that are still there, the oldest first."""
        ...

    def close_part(self) -> int | None:
        """Close the open part; its last position, None when it is empty.

        Raises:
            LogUnavailable: readers or appends were in the way for too long; nothing was changed.
        """
        ...

    def manifests(self) -> list[bytes]:
        """Of all segments, in order."""
        ...

    def add(self, manifest: Manifest) -> None:
        """From now on the segment counts as written."""
        ...

    def wallets(self, part: Part) -> list[UUID]:
        """The wallet streams that have an event in a part."""
        ...

    def detach(self, part: Part, *, rested_s: float) -> None:
        """Let a part go, and keep of it what must stay (ADR 41).

        Raises:
            DetachRefused: the archive does not have it as a whole, or it was closed too recently.
            LogUnavailable: readers or appends were in the way for too long; nothing was changed.
        """
        ...


class SealedTree(Protocol):
    """The tree of the log as it was signed. Implemented by `application.sealing.reading.SealedLog`."""

    def root_of(self, size: int) -> bytes:
        """The root over the first `size` events.

        Raises:
            NotSealed: fewer events are signed.
            SealBroken: what is there is not what was signed.
        """
        ...


class DetachRefused(Exception):
    """A part has to stay in the database for now; the message says why. Nothing was changed."""
