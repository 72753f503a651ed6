"""Reads out of the sealed log: how far it is, proofs, and whether the whole log still fits to it.

Nothing is given out that was not checked first against the signed checkpoint. Blocking; safe to use from threads.
"""

from typing import Final

import msgspec

from application.clock import Clock
from application.eventlog import RecordedEvent
from application.projections import ReadableLog
from application.sealing.directory import SealedDirectory, TilesMissing
from application.sealing.trust import Trust
from application.sealing.witnessing import read_witnessed
from domain.refusal import BadField, NotFound, Refusal
from domain.sealing.checkpoint import Checkpoint, hash_text
from domain.sealing.cosignatures import WitnessKey
from domain.sealing.leaf import leaf
from domain.sealing.notes import BadNote
from domain.sealing.proof import Proof
from domain.sealing.tree import consistency_path, inclusion_path, leaf_hash, root

_SECOND_US: Final = 1_000_000


class NotSealed(Refusal):
    """There is no signed checkpoint that covers it (yet); nothing is proved of it."""

    code = "not_sealed"


class SealBroken(Refusal):
    """The directory, its checkpoint and the log do not fit together: look at `seal verify`."""

    code = "seal_broken"


class SealStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log is sealed. `events_behind` is an upper bound, since positions may have gaps."""

    origin: str
    size: int
    root: str
    position: int
    events_behind: int
    behind_s: float  #: age of the oldest event that is not sealed, 0 when there is none
    checkpoint: str
    witnessed_size: int = 0  #: events in the newest checkpoint that known witnesses have cosigned
    witnessed_by: tuple[str, ...] = ()  #: who of them


class SealedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event and the proof that it is in the log."""

    position: int
    index: int
    leaf: str
    proof: str


class SealedRoot(msgspec.Struct, frozen=True, kw_only=True):
    """The log up to an event: how many events that are, and the root over them in base64."""

    size: int
    root: str


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that a tree is the beginning of another one. Hashes in base64, as everywhere."""

    origin: str
    old_size: int
    old_root: str
    size: int
    root: str
    path: tuple[str, ...]


class SealedLog:
    """The log as it was signed."""

    def __init__(
        self,
        *,
        log: ReadableLog,
        directory: SealedDirectory,
        trust: Trust,
        clock: Clock,
        witnesses: tuple[WitnessKey, ...] = (),
    ) -> None:
        self._log = log
        self._directory = directory
        self._trust = trust
        self._clock = clock
        self._witnesses = witnesses

    def status(self) -> SealStatus:
        """Raises `NotSealed` before the first checkpoint, `SealBroken`."""
        note, signed = self._signed()
        position = self._directory.positions(signed.size).last
        waiting = self._log.read_log(after_position=position, limit=1)
        witnessed_size, witnessed_by = self._witnessed()
        return SealStatus(
            origin=signed.origin,
            size=signed.size,
            root=hash_text(signed.root),
            position=position,
            events_behind=max(0, self._log.head_position() - position),
            behind_s=max(0.0, (self._clock.now_us() - waiting[0].recorded_at_us) / _SECOND_US)
            if waiting
            else 0.0,
            checkpoint=note.decode(),
            witnessed_size=witnessed_size,
            witnessed_by=witnessed_by,
        )

    def _witnessed(self) -> tuple[int, tuple[str, ...]]:
        """What witnesses stand for; nothing where their note is missing or not as it was signed."""
        note = self._directory.witnessed()
        if note is None or not self._witnesses:
            return 0, ()
        try:
            seen, found = read_witnessed(note, self._witnesses, self._trust)
        except BadNote:
            return 0, ()
        return (seen.size if found else 0), tuple(one.name for one in found)

    def prove(self, position: int) -> SealedEvent:
        """The event at a position with its proof.

        Raises:
            NotFound: there is no event at this position.
            NotSealed: it is not in the tree yet.
            SealBroken: the event is not what was sealed, or the tree is damaged.
        """
        events = self._log.read_log(after_position=position - 1, limit=1)
        if not events or events[0].position != position:
            raise NotFound("event at position", position)
        proof = self.proof_of(events[0])
        return SealedEvent(
            position=position,
            index=proof.index,
            leaf=leaf(events[0]).decode(),
            proof=proof.text.decode(),
        )

    def proof_of(self, event: RecordedEvent) -> Proof:
        """The checked proof of an event. Raises as `prove`."""
        note, signed = self._signed()
        index = self._directory.positions(signed.size).index_of(event.position)
        if index is None:
            raise NotSealed(f"the event at position {event.position} is not sealed yet")
        try:
            path = inclusion_path(self._directory.subtrees(signed.size), index, signed.size)
            proof = Proof(index, tuple(path), note)
            proof.check(leaf_hash(leaf(event)), self._trust.keys, self._trust.verify)
        except (TilesMissing, BadNote) as error:
            raise SealBroken(f"the event at position {event.position} cannot be proved: {error}") from None
        return proof

    def consistency(self, *, old_size: int, size: int | None = None) -> Consistency:
        """Between two sizes; the newest checkpoint's if `size` is left out.

        Raises:
            BadField: there is no tree of such a size.
            NotSealed, SealBroken: as `prove`.
        """
        _, signed = self._signed()
        size = signed.size if size is None else size
        if not 0 < old_size <= size <= signed.size:
            raise BadField("old_size", f"and size must be in order, from 1 to {signed.size}")
        subtrees = self._directory.subtrees(signed.size)
        try:
            return Consistency(
                origin=signed.origin,
                old_size=old_size,
                old_root=hash_text(root(subtrees, old_size)),
                size=size,
                root=hash_text(root(subtrees, size)),
                path=tuple(map(hash_text, consistency_path(subtrees, old_size, size))),
            )
        except TilesMissing as error:
            raise SealBroken(f"there is no usable {error}") from None

    def root_of(self, size: int) -> bytes:
        """The root over the first `size` events, out of the tiles.

        Raises:
            NotSealed: fewer are signed.
            SealBroken: the tiles do not have the root that was signed.
        """
        _, signed = self._signed()
        if size > signed.size:
            raise NotSealed(f"{signed.size} events are sealed, not {size}")
        subtrees = self._directory.subtrees(signed.size)
        try:
            if root(subtrees, signed.size) != signed.root:
                raise SealBroken("the tiles do not have the root that was signed")
            return root(subtrees, size)
        except TilesMissing as error:
            raise SealBroken(f"there is no usable {error}") from None

    def root_at(self, position: int) -> SealedRoot:
        """The root over everything up to the event at a position, which it is for ever.

        Raises:
            NotSealed: there is no event at this position in the tree (yet).
            SealBroken: as `root_of`.
        """
        _, signed = self._signed()
        index = self._directory.positions(signed.size).index_of(position)
        if index is None:
            raise NotSealed(f"the event at position {position} is not sealed yet")
        return SealedRoot(size=index + 1, root=hash_text(self.root_of(index + 1)))

    def _signed(self) -> tuple[bytes, Checkpoint]:
        note = self._directory.checkpoint()
        if note is None:
            raise NotSealed("nothing is sealed yet")
        try:
            return note, self._trust.open(note)
        except BadNote as error:
            raise SealBroken(f"the checkpoint is not as it was signed: {error}") from None
