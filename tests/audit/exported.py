"""Exports to audit, sealed as docs/sealing.md says by code that is neither the product's nor the auditor's."""

import base64
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.exporting.folder import SUMS, new_folder
from application.eventlog import RecordedEvent
from application.exporting.ledger import LedgerExport, export_ledger
from application.exporting.manifest import Manifest
from domain.sealing.leaf import leaf
from domain.topics import REGISTRY
from tests.histories import ListLog

ORIGIN: Final = "example.com/tokenok"
SIGNER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def export(
    place: Path, log: ListLog, *, until_position: int | None = None, lines: int = 50, compressed: bool = False
) -> Manifest:
    """The product's own export."""
    wanted = LedgerExport(until_position=until_position, lines_per_file=lines, compressed=compressed)
    with new_folder(place) as folder:
        return export_ledger(wanted, log=log, folder=folder, registry=REGISTRY)


def sealed_export(place: Path, log: ListLog, *, size: int | None = None, **how: int | bool | None) -> Path:
    """An export with a checkpoint of its first `size` events; of all of them if none are named."""
    export(place, log, **how)  # type: ignore[arg-type]  # passed on by name
    (place / "checkpoint").write_bytes(checkpoint(log.events[:size]))
    write_sums(place)
    return place


def checkpoint(
    events: Sequence[RecordedEvent], *, signer: Ed25519PrivateKey = SIGNER, origin: str = ORIGIN
) -> bytes:
    """A signed checkpoint of a log of these events."""
    hashes = [leaf_hash(event) for event in events]
    text = f"{origin}\n{len(hashes)}\n{base64.b64encode(root(hashes)).decode()}\n".encode()
    signed = base64.b64encode(key_id(signer, origin) + signer.sign(text)).decode()
    return text + f"\n\u2014 {origin} {signed}\n".encode()


def public_key(signer: Ed25519PrivateKey = SIGNER, origin: str = ORIGIN) -> str:
    """As the operator publishes it."""
    data = base64.b64encode(b"\x01" + signer.public_key().public_bytes_raw()).decode()
    return f"{origin}+{key_id(signer, origin).hex()}+{data}"


def key_id(signer: Ed25519PrivateKey, origin: str) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n\x01" + signer.public_key().public_bytes_raw()).digest()[:4]


def leaf_hash(event: RecordedEvent) -> bytes:
    return hashlib.sha256(b"\x00" + leaf(event)).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return hashlib.sha256(b"\x01" + root(hashes[:split]) + root(hashes[split:])).digest()


def inclusion(hashes: Sequence[bytes], number: int) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    if number < split:
        return [*inclusion(hashes[:split], number), root(hashes[split:])]
    return [*inclusion(hashes[split:], number - split), root(hashes[:split])]


def consistency(hashes: Sequence[bytes], size: int, *, whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2, word for word."""
    if size == len(hashes):
        return [] if whole else [root(hashes)]
    split = _split(len(hashes))
    if size <= split:
        return [*consistency(hashes[:split], size, whole=whole), root(hashes[split:])]
    return [*consistency(hashes[split:], size - split, whole=False), root(hashes[:split])]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def write_sums(place: Path) -> None:
    """Sums as whoever changed the files would write them."""
    files = sorted(path for path in place.iterdir() if path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (place / SUMS).write_text("".join(lines))


def copy(place: Path, to: Path) -> Path:
    shutil.copytree(place, to)
    return to
