"""Exports to audit, made and sealed by the product; and what somebody can do to one who has no key."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from adapters.exporting.folder import SUMS, new_folder
from adapters.sealing.ed25519 import Ed25519Signer
from application.eventlog import RecordedEvent
from application.exporting.ledger import LedgerExport, export_ledger
from application.exporting.manifest import MANIFEST, Manifest
from application.sealing.reading import SealedLog
from domain.sealing.checkpoint import sign_checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.tree import leaf_hash
from domain.topics import REGISTRY
from tests.application.sealing.sealed_world import LOG_KEY, SealedWorld
from tests.domain.sealing import naive
from tests.fakes import ManualClock
from tests.histories import ListLog


def export(
    place: Path,
    log: ListLog,
    *,
    sealed: SealedLog | None = None,
    until_position: int | None = None,
    lines: int = 50,
    compressed: bool = False,
) -> Manifest:
    """The product's own export."""
    wanted = LedgerExport(until_position=until_position, lines_per_file=lines, compressed=compressed)
    with new_folder(place) as folder:
        return export_ledger(wanted, log=log, folder=folder, registry=REGISTRY, sealed=sealed)


def seal(log: ListLog, *, size: int | None = None) -> SealedLog:
    """The log with its first `size` events sealed; all of them if no size is given."""
    world = SealedWorld()
    world.log = log.events[:size]
    world.seal()
    return SealedLog(log=log, directory=world.directory, trust=world.trust, clock=ManualClock(0))


def checkpoint(events: Sequence[RecordedEvent], *, signer: Ed25519Signer = LOG_KEY) -> bytes:
    """A signed checkpoint of a log of these events."""
    root = naive.mth([leaf_hash(leaf(event)) for event in events])
    return sign_checkpoint(size=len(events), root=root, signer=signer)


def rewrite(place: Path, lines: Sequence[bytes]) -> None:
    """Other lines in one file, with a manifest and sums that fit them."""
    for path in place.glob("events-*"):
        path.unlink()
    positions = [json.loads(line)["position"] for line in lines]
    content = b"".join(line + b"\n" for line in lines)
    figures = {"events": len(lines), "first_position": positions[0], "last_position": positions[-1]}
    file = {
        "name": "events-000001.jsonl",
        **figures,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (place / "events-000001.jsonl").write_bytes(content)
    manifest = json.loads((place / MANIFEST).read_bytes())
    (place / MANIFEST).write_text(
        json.dumps(manifest | figures | {"files": [file], "until_position": max(positions)})
    )
    write_sums(place)


def write_sums(place: Path) -> None:
    """As whoever changed the files would write them."""
    files = sorted(path for path in place.iterdir() if path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (place / SUMS).write_text("".join(lines))


def copy(place: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(place, to)
    return to
