"""What a segment of the archive is: canonical lines of events, and a manifest that is chained to the one before.

The file `events-FIRST-LAST.jsonl.zst` has one line for each event of the range, in the order of positions, each in the
form of `domain.sealing.leaf` and ended by a newline. The manifest stands beside it, as one line of compact JSON, and
names the hash of the manifest before it: who keeps the last hash can tell every byte of the archive.
"""

import hashlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from application.archive.frontier import Frontier
from application.eventlog import LogUnavailable, RecordedEvent
from domain.sealing.leaf import leaf

FORMAT: Final = "tokenok.archive/v1"


class SegmentMissing(LogUnavailable):
    """A part of the log is in the archive, and its file is not there. No event was passed over."""


class SegmentDamaged(LogUnavailable):
    """A file of the archive is not what its manifest says, or a manifest not what the database has kept of it."""


class Unarchivable(LogUnavailable):
    """An event cannot be read back from its line, so its part stays in the database; it is not JSON, for one."""


class Range(msgspec.Struct, frozen=True):
    """Positions that follow on the range before; not each of them need have an event."""

    first: int
    last: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a segment without opening it. Hashes are SHA-256, in hex."""

    format: str = FORMAT
    file: str
    first_position: int
    last_position: int
    events: int
    plain_bytes: int
    plain_sha256: str
    compressed_bytes: int
    compressed_sha256: str
    first_leaf: int  #: number in the log's tree of the first event
    tree_root: str  #: of the tree that ends with the last event; its size is `first_leaf + events`
    tree_peaks: Sequence[str]  #: what the tree goes on from, the largest first
    previous_sha256: str  #: of the manifest before; empty for the first

    def encode(self) -> bytes:
        """The file's bytes, from which its hash is made."""
        return msgspec.json.encode(self) + b"\n"

    def frontier(self) -> Frontier:
        """The tree behind this segment."""
        return Frontier(self.first_leaf + self.events, [bytes.fromhex(peak) for peak in self.tree_peaks])


def decode_manifest(raw: bytes) -> Manifest:
    """Raises: SegmentDamaged."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SegmentDamaged(f"a manifest cannot be read: {error}") from error
    if manifest.format != FORMAT or manifest.encode() != raw:
        raise SegmentDamaged(f"the manifest of {manifest.file} has another form than {FORMAT}")
    return manifest


def sha256_of(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


def segment_name(positions: Range) -> str:
    """Names sort as positions do."""
    return f"events-{positions.first:015}-{positions.last:015}.jsonl.zst"


def manifest_name(segment: str) -> str:
    return segment.removesuffix(".jsonl.zst") + ".manifest.json"


class _Line(msgspec.Struct):
    position: int
    stream_id: UUID
    version: int
    topic: str
    recorded_at_us: int
    state: msgspec.Raw


_decode = msgspec.json.Decoder(_Line).decode


def event_of(line: bytes) -> RecordedEvent:
    """The event of a line, without its newline.

    Raises:
        SegmentDamaged: it is none, or not in the canonical form.
    """
    try:
        read = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SegmentDamaged(f"a line cannot be read: {error}") from error
    return RecordedEvent(
        read.position, read.stream_id, read.version, read.topic, bytes(read.state), read.recorded_at_us
    )


def line_of(event: RecordedEvent) -> bytes:
    """The line of an event, without its newline, proven to be read back as this very event.

    Raises:
        Unarchivable: it is not.
    """
    line = leaf(event)
    try:
        same = b"\n" not in line and event_of(line) == event
    except SegmentDamaged:
        same = False
    if not same:
        raise Unarchivable(f"the event at position {event.position} cannot be read back from a line")
    return line
