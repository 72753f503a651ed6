"""Whether the whole log is still the one that was sealed: every event hashed again, every tile compared."""

from collections.abc import Iterator
from typing import Final

import msgspec

from application.projections import ReadableLog
from application.sealing.directory import SealedDirectory, TilesMissing
from application.sealing.trust import Trust
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.notes import BadNote
from domain.sealing.positions import Positions
from domain.sealing.tiles import WIDTH, Edge, Tile, split
from domain.sealing.tree import leaf_hash

EVENTS_A_READ: Final = 10_000
FINDINGS_MAX: Final = 20


class SealReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `events` are those that were hashed; later ones are not sealed yet."""

    origin: str
    size: int
    events: int
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.findings


def verify_seal(log: ReadableLog, directory: SealedDirectory, trust: Trust) -> SealReport:
    """Compare the log with the directory and its signed checkpoint."""
    note = directory.checkpoint()
    try:
        if note is not None:
            return _Verification(log, directory, trust.open(note)).run()
        found = "nothing is sealed yet"
    except BadNote as error:
        found = f"the checkpoint is not as it was signed: {error}"
    return SealReport(origin=trust.keys[0].name, size=0, events=0, findings=(found,))


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
