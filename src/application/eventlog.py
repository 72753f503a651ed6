"""Ports to the event log: the synchronous store for low-rate work, the journal for a gateway's hot path.

Versions of a stream start at 1 and have no gap. Positions order the whole log: they strictly increase in
commit order and may have gaps. Whoever appends version n+1 decides a stream's fate. A stream whose last event
has an ending topic takes no more events from anyone; the log itself sees to it.

An append whose answer got lost is told from another writer's by its bytes: events of different writers must
differ, by an id or by their owner.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    import asyncio


ENDING_TOPICS = ("lease.closed.", "lease.fenced.")
"""Beginnings of the topics that end their stream."""
OPENING_TOPIC = "lease.opened."
"""Beginning of the topics that open a lease."""
NO_CONTROL = ("lease.", "wallet.", "idempotency.")
"""Beginnings of the topics that are as frequent as requests."""


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """One event to append: `version` is the one it must get, or it is not stored."""

    stream_id: UUID
    version: int
    topic: str
    state: bytes


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event as stored. `recorded_at_us` is the database's clock, Unix microseconds: for showing and booking, never
    for order.
    """

    position: int
    stream_id: UUID
    version: int
    topic: str
    state: bytes
    recorded_at_us: int


class EventLogError(Exception):
    """Base of what the event log raises."""


class VersionConflict(EventLogError):
    """Another writer owns a version that this append wanted; nothing of this append was stored."""

    def __init__(self, stream_id: UUID) -> None:
        super().__init__(f"stream {stream_id} moved on")
        self.stream_id = stream_id


class HistoryReplaced(VersionConflict):
    """The database was replaced by another, whose log may lack its last events; nothing was stored.

    What was decided before may rest on events that are gone. Whoever decides again must read again first.
    """


class LogUnavailable(EventLogError):
    """The database cannot be reached, or did not answer in time. Nothing was stored, unless said otherwise."""


class OutcomeUnknown(LogUnavailable):
    """The database went away after the append was sent: it may be stored or not. Read the streams again."""


class UnstorableEvent(EventLogError):
    """No log can hold an event of this append, such as a topic with a NUL; nothing of it was stored."""


class JournalFull(EventLogError):
    """The queue of events waiting for a commit is full; this append was not queued."""


class EventStore(Protocol):
    """The log as commands, reapers, projectors and followers see it. Blocking; safe to use from threads."""

    def append(self, events: Sequence[NewEvent]) -> int:
        """Store all of `events` in one transaction, or none; returns the position of the last.

        A commit whose outcome is unknown is resolved by reading the streams back, never by blind retry.

        Raises:
            VersionConflict: a stream's head is not where the events say it is; nothing was stored.
            OutcomeUnknown: the database stayed away after the append was sent.
            LogUnavailable: nothing was stored.
            UnstorableEvent: nothing was stored.
        """
        ...

    def append_locked(
        self,
        stream_ids: Sequence[UUID],
        decide: Callable[[list[RecordedEvent]], Sequence[NewEvent]],
        *,
        after_versions: dict[UUID, int] | None = None,
    ) -> Sequence[NewEvent]:
        """Run `decide` on the streams' events (after the given versions, in commit order) while no one else can append.

        For the reaper, which must beat a live and fast owner in one try (ledger rule R10). Keep `decide` short:
        it holds the lock that orders the whole log. It is called at most once. Returns what it stored.

        Raises:
            VersionConflict: `decide` named a version that is not next; nothing was stored.
            OutcomeUnknown: the database stayed away after the append was sent.
            LogUnavailable: nothing was stored; also when the lock was not had in time.
            UnstorableEvent: nothing was stored.
        """
        ...

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        """Events of one stream in version order."""
        ...

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        """Events of all streams in commit order. A reader that goes on from the last one misses nothing."""
        ...

    def read_control(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        """As `read_log`, but without what requests and leases write (`NO_CONTROL`); served by a partial index."""
        ...

    def read_open_leases(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        """The `lease.opened` events of the streams that have not ended, in commit order; no other event is read."""
        ...

    def read_snapshot(self, stream_id: UUID) -> bytes | None:
        """What was kept last of a stream; any bytes at all may come back, so they must prove themselves."""
        ...

    def keep_snapshot(self, stream_id: UUID, version: int, state: bytes) -> None:
        """Keep a cache of a stream's fold, as of `version`, in place of the one before. Failing is silent."""
        ...

    def head_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""
        ...


class Journal(Protocol):
    """One gateway process's group-commit writer. Everything that a hot-path request writes goes through it."""

    def append(self, events: Sequence[NewEvent]) -> "asyncio.Future[int]":
        """Queue one group, all or nothing, in this order behind everything queued before; never blocks.

        The future gives the position of the group's last event once it is durable. Cancelling the future, or the
        task that awaits it, does not cancel the append. A group that conflicts fails alone, together with every
        later group that touches one of its streams and was queued before its future was done: so an owner that
        counts on must stop counting when a future tells it, in a done-callback if others may run first.

        Raises (at once):
            JournalFull: more than the bounded number of events wait, or the oldest has waited too long.
            LogUnavailable: the journal is closed.
        The future raises:
            VersionConflict: the group is not stored and never will be; `stream_id` is the first that did not fit.
            HistoryReplaced: a VersionConflict too; the group was queued before a failover, and is not stored.
            UnstorableEvent: the group is not stored and never will be.
            LogUnavailable: the journal was closed before the group was sent; it is not stored.
            OutcomeUnknown: the journal was closed before the outcome was known.
        """
        ...

    @property
    def sessions(self) -> int:
        """How often the database was connected to. A change may mean a failover, and a tail of the log lost."""
        ...

    def is_writable(self) -> bool:
        """False while the database cannot be written (drives `/readyz` and the refusal of new requests)."""
        ...
