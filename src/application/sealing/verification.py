"""Whether the whole log is still the one that was sealed: every event hashed again, every tile compared."""

from collections.abc import Iterator
from typing import Final

import msgspec

from application.projections import ReadableLog
from application.sealing.directory import SealedDirectory, TilesMissing
from application.sealing.trust import Trust
from application.sealing.witnessing import read_witnessed
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.cosignatures import WitnessKey
from domain.sealing.leaf import leaf
from domain.sealing.notes import BadNote
from domain.sealing.positions import Positions
from domain.sealing.tiles import WIDTH, Edge, Tile, split
from domain.sealing.tree import leaf_hash, root

EVENTS_A_READ: Final = 10_000
FINDINGS_MAX: Final = 20


class SealReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `events` are those that were hashed; later ones are not sealed yet."""

    origin: str
    size: int
    events: int
    findings: tuple[str, ...]
    witnessed_size: int = 0  #: events in the newest checkpoint with cosignatures, if their keys were given
    witnessed_by: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings


class WitnessPolicy(msgspec.Struct, frozen=True):
    """Whose cosignatures count, and how many of them there must be."""

    keys: tuple[WitnessKey, ...] = ()
    quorum: int = 0


def verify_seal(
    log: ReadableLog, directory: SealedDirectory, trust: Trust, policy: WitnessPolicy | None = None
) -> SealReport:
    """Compare the log with the directory and its signed checkpoint, and that with what witnesses have cosigned."""
    note = directory.checkpoint()
    try:
        if note is not None:
            signed = trust.open(note)
            report = _Verification(log, directory, signed).run()
            return _witnessed(report, signed, directory, trust, policy or WitnessPolicy())
        found = "nothing is sealed yet"
    except BadNote as error:
        found = f"the checkpoint is not as it was signed: {error}"
    return SealReport(origin=trust.keys[0].name, size=0, events=0, findings=(found,))


def _witnessed(
    report: SealReport, signed: Checkpoint, directory: SealedDirectory, trust: Trust, policy: WitnessPolicy
) -> SealReport:
    """With what was cosigned: by whom, and whether it is the beginning of the tree."""
    note = directory.witnessed() if policy.keys else None
    findings, seen, by = list(report.findings), 0, tuple[str, ...]()
    try:
        if note is not None:
            checkpoint, found = read_witnessed(note, policy.keys, trust)
            seen, by = checkpoint.size, tuple(one.name for one in found)
            if not _is_beginning(checkpoint, signed, directory):
                findings.append(f"what was cosigned at {seen} events is no beginning of what was signed")
    except BadNote as error:
        findings.append(f"the witnessed checkpoint is not as it was signed: {error}")
    if len(by) < policy.quorum:
        findings.append(f"{len(by)} witnesses have cosigned, {policy.quorum} are wanted")
    return msgspec.structs.replace(
        report, findings=tuple(findings[:FINDINGS_MAX]), witnessed_size=seen, witnessed_by=by
    )


def _is_beginning(checkpoint: Checkpoint, signed: Checkpoint, directory: SealedDirectory) -> bool:
    if checkpoint.size > signed.size:
        return False
    try:
        return root(directory.subtrees(signed.size), checkpoint.size) == checkpoint.root
    except TilesMissing:
        return False


class _Verification:
    def __init__(self, log: ReadableLog, directory: SealedDirectory, signed: Checkpoint) -> None:
        self._log = log
        self._directory = directory
        self._signed = signed
        self._edge = Edge()
        self._positions = Positions()
        self._findings: list[str] = []

    def run(self) -> SealReport:
        for tile, data in self._tiles():
            self._compare(tile, split(data))
        if self._edge.size < self._signed.size:
            self._find(f"{self._signed.size} events were signed, the log has {self._edge.size}")
        elif self._edge.root() != self._signed.root:
            self._find("the events do not have the root that was signed")
        elif self._positions.runs != self._directory.positions(self._signed.size).runs:
            self._find("the file `positions` does not say where the events are")
        return SealReport(
            origin=self._signed.origin,
            size=self._signed.size,
            events=self._edge.size,
            findings=tuple(self._findings),
        )

    def _tiles(self) -> Iterator[tuple[Tile, bytes]]:
        """All tiles of the sealed part, made again from the log."""
        while (left := self._signed.size - self._edge.size) > 0:
            events = self._log.read_log(after_position=self._positions.last, limit=min(left, EVENTS_A_READ))
            if not events:
                break
            for event in events:
                self._positions.add(event.position)
                yield from self._edge.append(leaf_hash(leaf(event)))
        yield from self._edge.partial()

    def _compare(self, tile: Tile, wanted: list[bytes]) -> None:
        try:
            found = self._directory.tile(tile)
        except TilesMissing:
            self._find(f"there is no usable {tile.path}")
            return
        for place, (one, other) in enumerate(zip(wanted, found, strict=True)):
            if one != other:
                self._find(self._difference(tile, place))
                return

    def _difference(self, tile: Tile, place: int) -> str:
        if tile.level:
            return f"{tile.path} differs from the log at hash {place}"
        index = tile.number * WIDTH + place
        return f"the event at position {self._positions.position_of(index)} is not the one that was sealed"

    def _find(self, words: str) -> None:
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(words)
