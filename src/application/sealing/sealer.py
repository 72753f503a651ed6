"""Follows the log in commit order, grows the tree, and signs its root.

The directory's checkpoint is where it goes on. It is written last, so a crash at any point leaves the tree that was
signed, and the same events make the same tree again. What does not fit to what was signed is never signed over.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from application.eventlog import RecordedEvent
from application.projections import ReadableLog
from application.sealing.directory import SealedDirectory, TilesMissing
from application.sealing.ports import CheckpointBook, KeptCheckpoint
from application.sealing.trust import Trust
from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.notes import BadNote, Signer
from domain.sealing.positions import Positions
from domain.sealing.tiles import Edge, Tile
from domain.sealing.tree import leaf_hash, root

EVENTS_MAX: Final = 10_000  #: under one checkpoint

log = structlog.get_logger()


class Forked(Exception):
    """What is there now is not what was signed; nothing more may be signed. `code` is stable."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class _Tree:
    """A tree and where its leaves are in the log."""

    def __init__(self, edge: Edge, positions: Positions, last_leaf: bytes | None) -> None:
        self.edge = edge
        self.positions = positions
        self.last_leaf = last_leaf

    @property
    def size(self) -> int:
        return self.edge.size

    def take(self, events: Sequence[RecordedEvent]) -> tuple[list[tuple[Tile, bytes]], bool]:
        """Grow; the tiles that were filled, and whether a run began."""
        filled: list[tuple[Tile, bytes]] = []
        has_new_run = False
        for event in events:
            self.last_leaf = leaf_hash(leaf(event))
            filled.extend(self.edge.append(self.last_leaf))
            has_new_run |= self.positions.add(event.position) is not None
        return filled, has_new_run


class LogSealer:
    """One at a time for a log: its caller holds the lock."""

    def __init__(
        self,
        *,
        log: ReadableLog,
        directory: SealedDirectory,
        book: CheckpointBook,
        signer: Signer,
        trust: Trust,
        events_max: int = EVENTS_MAX,
    ) -> None:
        self._log = log
        self._directory = directory
        self._book = book
        self._signer = signer
        self._trust = trust
        self._events_max = events_max
        self._tree: _Tree | None = None
        self._known: Checkpoint | None = None  # signed once, further than the directory was

    def run_once(self) -> int:
        """Seal the next events, at most `events_max`; how many they were.

        Raises:
            Forked: log, directory and checkpoints do not fit together.
            LogUnavailable, OSError: not now; the next call begins at the last checkpoint.
        """
        tree = self._tree or self._resume()
        self._tree = None  # whatever fails below leaves it ahead of the directory
        if events := self._next(tree):
            self._seal(tree, events)
        elif self._known is not None:
            raise Forked("log_shorter", f"{self._known.size} events were signed, {tree.size} are there")
        self._tree = tree
        return len(events)

    def _resume(self) -> _Tree:
        """The tree of the last checkpoint, checked against it, against the log and against the database's memory."""
        try:
            signed = self._signed()
            tree = self._tree_of(signed.size)
            if tree.edge.root() != signed.root:
                raise Forked(
                    "tiles_changed", f"the tiles do not have the root that was signed at {signed.size}"
                )
            self._known = self._remembered(signed)
        except TilesMissing as error:
            raise Forked("tiles_missing", f"there is no usable {error}") from None
        except BadNote as error:
            raise Forked("checkpoint_unusable", f"a checkpoint is not as it was signed: {error}") from None
        log.info("seal_resumed", size=tree.size, position=tree.positions.last)
        return tree

    def _signed(self) -> Checkpoint:
        note = self._directory.checkpoint()
        if note is None:
            return Checkpoint(self._signer.public.name, 0, root(_nothing, 0))
        return self._trust.open(note)

    def _tree_of(self, size: int) -> _Tree:
        positions = self._directory.positions(size)
        if size and not positions.runs:
            raise TilesMissing("positions")
        last_leaf = self._directory.leaf(size - 1, size) if size else None
        return _Tree(Edge.resume(size, self._directory.tile), positions, last_leaf)

    def _remembered(self, signed: Checkpoint) -> Checkpoint | None:
        """What the database remembers, if that is more than the directory has; less must be its beginning."""
        kept = self._book.newest()
        if kept is None:
            return None
        known = self._trust.open(kept.note)
        if known.size > signed.size:
            return known
        if root(self._directory.subtrees(signed.size), known.size) != known.root:
            raise Forked("checkpoints_differ", f"directory and database differ at {known.size}")
        return None

    def _next(self, tree: _Tree) -> list[RecordedEvent]:
        """The next events, behind the last sealed one, which must still be what it was."""
        limit = self._events_max
        if self._known is not None:
            limit = min(limit, self._known.size - tree.size)
        if tree.last_leaf is None:
            return self._log.read_log(after_position=0, limit=limit)
        last = tree.positions.last
        events = self._log.read_log(after_position=last - 1, limit=limit + 1)
        if not events or events[0].position != last or leaf_hash(leaf(events[0])) != tree.last_leaf:
            raise Forked("log_changed", f"the event at position {last} is not the one that was sealed")
        return events[1:]

    def _seal(self, tree: _Tree, events: Sequence[RecordedEvent]) -> None:
        filled, has_new_run = tree.take(events)
        self._directory.write_tiles([*filled, *tree.edge.partial()])
        if has_new_run:
            self._directory.write_runs(tree.positions.runs)
        if self._may_sign(tree):
            note = sign_checkpoint(size=tree.size, root=tree.edge.root(), signer=self._signer)
            self._directory.write_checkpoint(note)
            self._book.keep(KeptCheckpoint(size=tree.size, position=tree.positions.last, note=note))
        self._directory.drop_partial(tile for tile, _ in filled)

    def _may_sign(self, tree: _Tree) -> bool:
        """Nothing is signed before the tree has grown to what was signed before, with the same root."""
        if self._known is None:
            return True
        if tree.size < self._known.size:
            return False
        if tree.edge.root() != self._known.root:
            raise Forked("log_changed", f"the first {tree.size} events are not those that were signed")
        self._known = None
        return True


def _nothing(_height: int, _number: int) -> bytes:
    raise AssertionError("an empty tree has no subtrees")
