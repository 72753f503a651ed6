"""Checks the archive from its first byte to its last: every file, every line, and the chain that holds them together."""

from collections.abc import Iterator

import msgspec

from application.archive.frontier import Frontier
from application.archive.ports import ArchiveCatalogue, ArchiveFiles
from application.archive.segment import (
    Manifest,
    SegmentDamaged,
    SegmentMissing,
    decode_manifest,
    event_of,
    sha256_of,
)


class SegmentFinding(msgspec.Struct, frozen=True):
    """A segment as it was found."""

    file: str
    first_position: int
    last_position: int
    events: int
    wrong: str  #: empty when everything is right


def verify_archive(catalogue: ArchiveCatalogue, files: ArchiveFiles) -> Iterator[SegmentFinding]:
    """One finding for each segment. What is wrong with one does not keep the next from being looked at.

    Raises:
        SegmentDamaged: what the database has kept of the archive cannot be read.
    """
    before, tree, last = b"", Frontier(), 0
    for raw in catalogue.manifests():
        manifest = decode_manifest(raw)
        wrong = _chain_fault(manifest, before, last) or _fault(files, manifest, raw, tree)
        yield SegmentFinding(
            manifest.file, manifest.first_position, manifest.last_position, manifest.events, wrong
        )
        before, tree, last = raw, manifest.frontier(), manifest.last_position


def _chain_fault(manifest: Manifest, before: bytes, last: int) -> str:
    if manifest.previous_sha256 != (sha256_of(before) if before else ""):
        return "its manifest does not follow on the one before"
    if manifest.first_position != last + 1:
        return f"it begins at {manifest.first_position}, the one before ended at {last}"
    return ""


def _fault(files: ArchiveFiles, manifest: Manifest, raw: bytes, tree: Frontier) -> str:
    try:
        if files.manifest(manifest.file) != raw:
            return "the manifest beside it is not the one that the database has kept"
        return _content_fault(files, manifest, tree)
    except (SegmentMissing, SegmentDamaged) as error:
        return str(error)


def _content_fault(files: ArchiveFiles, manifest: Manifest, tree: Frontier) -> str:
    if tree.size != manifest.first_leaf:
        return f"its first leaf is {manifest.first_leaf}, the tree before it has {tree.size}"
    last = manifest.first_position - 1
    for line in files.lines(manifest):
        position = event_of(line).position
        if not last < position <= manifest.last_position:
            return f"position {position} is out of order"
        tree.add(line)
        last = position
    if tree.size - manifest.first_leaf != manifest.events:
        return f"it has {tree.size - manifest.first_leaf} events, not {manifest.events}"
    if tree.root().hex() != manifest.tree_root:
        return "its tree has another root"
    return ""
