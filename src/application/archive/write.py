"""Writes the closed parts of the log into segments. Each counts once its row is in the database, and not before."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from application.archive.frontier import Frontier
from application.archive.ports import ArchiveCatalogue, ArchiveFiles
from application.archive.segment import Manifest, Range, decode_manifest, line_of, segment_name, sha256_of
from application.eventlog import EventStore, RecordedEvent

_PAGE_EVENTS: Final = 2000


def write_segments(
    store: EventStore, catalogue: ArchiveCatalogue, files: ArchiveFiles, *, events_max: int
) -> Iterator[Manifest]:
    """Write what is closed and not written yet, and give each manifest when it counts.

    A segment has at most `events_max` events and ends where its part ends. A run that was killed is made good by the
    next: what it left behind has no row and is replaced.

    Raises:
        Unarchivable: an event is no JSON; the segments before it count.
        LogUnavailable: the log cannot be read.
    """
    manifests = catalogue.manifests()
    before = manifests[-1] if manifests else b""
    for positions in unwritten(catalogue):
        after = positions.first - 1
        while after < positions.last:  # where a part ends, there is an event
            manifest = _write(files, islice(_events(store, after, positions.last), events_max), after, before)
            catalogue.add(manifest)
            before, after = manifest.encode(), manifest.last_position
            yield manifest


def unwritten(catalogue: ArchiveCatalogue) -> list[Range]:
    """The closed parts, as far as they are in no segment yet."""
    manifests = catalogue.manifests()
    written = decode_manifest(manifests[-1]).last_position if manifests else 0
    return [
        Range(max(part.positions.first, written + 1), part.positions.last)
        for part in catalogue.parts()
        if part.positions.last > written
    ]


def _events(store: EventStore, after: int, last: int) -> Iterator[RecordedEvent]:
    while page := store.read_log(after_position=after, limit=_PAGE_EVENTS):
        for event in page:
            if event.position > last:
                return
            yield event
        after = page[-1].position


def _write(files: ArchiveFiles, events: Iterator[RecordedEvent], after: int, before: bytes) -> Manifest:
    tree = decode_manifest(before).frontier() if before else Frontier()
    first_leaf, last = tree.size, after
    with files.writing() as segment:
        for event in events:
            line = line_of(event)
            segment.write(line)
            tree.add(line)
            last = event.position
        name = segment_name(Range(after + 1, last))
        written = segment.finish(name)
    manifest = Manifest(
        file=name,
        first_position=after + 1,
        last_position=last,
        events=tree.size - first_leaf,
        plain_bytes=written.plain_bytes,
        plain_sha256=written.plain_sha256,
        compressed_bytes=written.compressed_bytes,
        compressed_sha256=written.compressed_sha256,
        first_leaf=first_leaf,
        tree_root=tree.root().hex(),
        tree_peaks=[peak.hex() for peak in tree.peaks],
        previous_sha256=sha256_of(before) if before else "",
    )
    files.put_manifest(name, manifest.encode())
    return manifest
