"""Lets closed parts leave the database, once the archive was seen to have them, line by line, as they were sealed."""

from collections.abc import Iterator
from typing import Final

from application.archive.ports import ArchiveCatalogue, ArchiveFiles, DetachRefused, Part, SealedTree
from application.archive.segment import decode_manifest
from application.archive.verify import verify_archive
from application.eventlog import EventStore
from application.ledger.wallet_reader import refresh_snapshot
from application.sealing.reading import NotSealed, SealBroken
from domain.sealing.leaf import leaf

_PAGE_EVENTS: Final = 2000


def detach_parts(
    store: EventStore,
    catalogue: ArchiveCatalogue,
    files: ArchiveFiles,
    *,
    sealed: SealedTree | None,
    rested_s: float,
) -> Iterator[Part]:
    """Detach every part that is written, the oldest first, and give it when it is gone.

    Wallets with events in it get a fresh snapshot before, so that they are opened without the archive. `sealed` is
    none where the operator has said that this log is not sealed.

    Raises:
        DetachRefused: the archive is not in order, or has not this part, or it is not what was signed; the parts given
            are gone, this one stays.
        LogUnavailable: the log or a file cannot be read, or someone was in the way; as above.
    """
    for finding in verify_archive(catalogue, files):
        if finding.wrong:
            raise DetachRefused(f"{finding.file}: {finding.wrong}")
    for part in written_parts(catalogue):
        _compare(store, catalogue, files, part)
        if sealed is not None:
            _require_sealed(catalogue, part, sealed)
        for stream_id in catalogue.wallets(part):
            refresh_snapshot(store, stream_id)
        catalogue.detach(part, rested_s=rested_s)
        yield part


def written_parts(catalogue: ArchiveCatalogue) -> list[Part]:
    """The closed parts whose last event is in a segment."""
    manifests = catalogue.manifests()
    written = decode_manifest(manifests[-1]).last_position if manifests else 0
    return [part for part in catalogue.parts() if part.positions.last <= written]


def _require_sealed(catalogue: ArchiveCatalogue, part: Part, sealed: SealedTree) -> None:
    """The tree that ends with the part's last event is the beginning of the one that was signed."""
    manifests = map(decode_manifest, catalogue.manifests())
    last = [one for one in manifests if one.last_position <= part.positions.last][-1]
    try:
        root = sealed.root_of(last.first_leaf + last.events)
    except (NotSealed, SealBroken) as refusal:
        raise DetachRefused(f"{part.table}: {refusal}") from None
    if root.hex() != last.tree_root:
        raise DetachRefused(f"{part.table}: its events are not those that were sealed")


def _compare(store: EventStore, catalogue: ArchiveCatalogue, files: ArchiveFiles, part: Part) -> None:
    """Every line against the event in the table that it stands for."""
    archived = _lines(catalogue, files, part)
    after, last = part.positions.first - 1, part.positions.last
    while after < last:
        for event in store.read_log(after_position=after, limit=_PAGE_EVENTS):
            if event.position > last:
                break
            if next(archived, b"") != leaf(event):
                raise DetachRefused(f"{part.table}: position {event.position} is another in the archive")
            after = event.position
    if next(archived, b""):
        raise DetachRefused(f"{part.table}: the archive has more events than the part")


def _lines(catalogue: ArchiveCatalogue, files: ArchiveFiles, part: Part) -> Iterator[bytes]:
    for manifest in map(decode_manifest, catalogue.manifests()):
        if part.positions.first <= manifest.first_position <= part.positions.last:
            yield from files.lines(manifest)
