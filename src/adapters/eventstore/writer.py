"""The thread that commits a journal's groups: one connection, one batch after the other, until each fate is known.

Owns its connection and the inbox's reading end. No linger: a batch is what has queued up during the last commit.

A thread, although a connection on the event loop was tried: at 3,500 appends/s beside 150 us of other work each, the
process spent 206 us an event (this), 195 (libpq driven by the loop), 206 (psycopg's async connection), load included.
But the thread's batches were twice as large (4.2 against 1.9 and 2.0), because it has to wait for its turn, and at that
size a batch twice as large spares the server some 25 us an event.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg
import structlog

from adapters.eventstore import wire
from adapters.eventstore.batch import Batch, Outcome
from adapters.eventstore.connection import BoundedConnection, Limits, connect
from adapters.eventstore.history import History, history_of
from adapters.eventstore.wire import UNENCODABLE
from application.eventlog import (
    EventLogError,
    LogUnavailable,
    NewEvent,
    OutcomeUnknown,
    UnstorableEvent,
    VersionConflict,
)

if TYPE_CHECKING:
    import asyncio
    from uuid import UUID

PROBE_S: Final = 1.0
"""How often an idle writer makes sure that it could write."""
_RETRY_S_MIN: Final = 0.05
_RETRY_S_MAX: Final = 1.0

log = structlog.get_logger()


class Group(msgspec.Struct):
    """One append: its events, who waits for it, since when (monotonic seconds), and on which history it was decided."""

    events: Sequence[NewEvent]
    future: "asyncio.Future[int]"
    queued_s: float
    history_no: int = 0


class Told(msgspec.Struct, frozen=True):
    """Put into the inbox when those who waited for a delivery with refusals have been told."""

    delivery_no: int


class Close(msgspec.Struct, frozen=True):
    """The last thing in an inbox."""


Inbox = queue.SimpleQueue[Group | Told | Close]
Answer = Outcome | EventLogError


class Delivery(msgspec.Struct):
    """The answers to groups, in the order of the inbox."""

    number: int
    groups: list[Group]
    answers: Sequence[Answer]
    has_refusals: bool


class Writer(threading.Thread):
    """`deliver` is called on this thread with the answers to each batch, `ended` once at the end, whatever happens.

    `replaced` is called with a number, from 1 on, when a new connection leads to another history of the log: groups of a
    lower number are refused from then on.
    """

    def __init__(
        self,
        database_url: str,
        inbox: Inbox,
        *,
        deliver: Callable[[Delivery], None],
        replaced: Callable[[int], None],
        ended: Callable[[], None],
        batch_events_max: int,
        limits: Limits,
    ) -> None:
        super().__init__(name="journal-writer", daemon=True)
        self.abandoned = threading.Event()  #: set to give up on a database that stays away
        self.writable = False  #: whether the last commit or probe went well
        self.sessions = 0  #: how often a connection was made
        self.busy_since_s: float | None = None  #: when the commit or probe under way began
        self._database_url = database_url
        self._inbox = inbox
        self._deliver = deliver
        self._replaced = replaced
        self._ended = ended
        self._batch_events_max = batch_events_max
        self._limits = limits
        self._connection: BoundedConnection | None = None
        self._history: History | None = None
        self._history_no = 0
        self._batch_history_no = 0  # of all groups of the batch under way
        self._held: Group | Told | None = None  # taken from the inbox, but for the next batch
        self._closing = False
        self._delivery_no = 0
        self._refused: dict[UUID, int] = {}  # streams of refused groups, and the delivery that will tell

    def run(self) -> None:
        try:
            self._probe()
            while not self._closing or self._held is not None:
                groups = self._take()
                if groups:
                    self._answer(groups)
                elif not self._closing:
                    self._probe()
        except Exception:
            log.exception("journal_writer_failed")
        finally:
            self.writable = False
            self._disconnect()
            self._ended()

    def _take(self) -> list[Group]:
        """The next batch; empty when nothing came for a while. A group is never split."""
        groups: list[Group] = []
        room = self._batch_events_max
        while (item := self._next(wait=not groups and not self._closing)) is not None:
            if isinstance(item, Close):
                self._closing = True
                break
            if isinstance(item, Group):
                room -= len(item.events)
            if groups and (room < 0 or not _goes_with(groups[-1], item)):
                self._held = item
                break
            if isinstance(item, Group):
                groups.append(item)
            else:
                self._forget_refusals(up_to=item.delivery_no)
        return groups

    def _next(self, *, wait: bool) -> Group | Told | Close | None:
        item, self._held = self._held, None
        if item is not None:
            return item
        idle_s = PROBE_S if self.writable else _RETRY_S_MIN * 4
        try:
            return self._inbox.get(timeout=idle_s) if wait else self._inbox.get_nowait()
        except queue.Empty:
            return None

    def _forget_refusals(self, *, up_to: int) -> None:
        self._refused = {stream: number for stream, number in self._refused.items() if number > up_to}

    def _answer(self, groups: list[Group]) -> None:
        self._delivery_no += 1
        self._batch_history_no = groups[0].history_no
        answers = self._settle([group.events for group in groups])
        has_refusals = not all(isinstance(answer, int) for answer in answers)
        self._deliver(Delivery(self._delivery_no, groups, answers, has_refusals))

    def _settle(self, groups: Sequence[Sequence[NewEvent]]) -> list[Answer]:
        """Answer groups in order. What follows on a refused group is refused unsent.

        It might fit: when another writer has taken exactly the version that was refused.
        """
        answers: list[Answer | None] = [self._follows(group) for group in groups] if self._refused else []
        if not any(answers):
            return self._store(groups)
        stored = iter(
            self._store([group for group, answer in zip(groups, answers, strict=True) if answer is None])
        )
        return [answer or next(stored) for answer in answers]

    def _follows(self, group: Sequence[NewEvent]) -> VersionConflict | None:
        for event in group:
            if event.stream_id in self._refused:
                self._refuse(group)
                return VersionConflict(event.stream_id)
        return None

    def _refuse(self, group: Sequence[NewEvent]) -> None:
        for event in group:
            self._refused[event.stream_id] = self._delivery_no

    def _store(self, groups: Sequence[Sequence[NewEvent]]) -> list[Answer]:
        if not groups:
            return []
        answers: list[Answer]
        try:
            answers = [*self._commit(groups)]
        except (*UNENCODABLE, psycopg.DataError) as error:
            if len(groups) > 1:  # find the one that cannot be stored; the others can
                return [answer for group in groups for answer in self._settle([group])]
            answers = [UnstorableEvent(str(error))]
        for group, answer in zip(groups, answers, strict=True):
            if not isinstance(answer, int):
                self._refuse(group)
        return answers

    def _commit(self, groups: Sequence[Sequence[NewEvent]]) -> Sequence[Answer]:
        """Commit until the outcome is known, for as long as it takes.

        Raises:
            psycopg.DataError, one of `UNENCODABLE`: these groups cannot be stored, and none is.
        """
        batch = Batch(groups)
        wait_s = _RETRY_S_MIN
        while not self.abandoned.is_set():
            outcomes = self._try(batch)
            if outcomes is not None:
                return outcomes
            self.abandoned.wait(wait_s)
            wait_s = min(wait_s * 2, _RETRY_S_MAX)
        if batch.in_doubt:
            return [OutcomeUnknown("the journal was closed while the database was away") for _ in groups]
        return [LogUnavailable("the journal was closed while the database was away") for _ in groups]

    def _probe(self) -> None:
        """Find out whether a commit could go through: the same call and the same locks, but no event."""
        self._try(Batch([]))

    def _try(self, batch: Batch) -> list[Outcome] | None:
        """One attempt; None if it failed, and `batch` knows whether it is in doubt."""
        self.busy_since_s = time.monotonic()
        try:
            connection = self._connected()
            if self._batch_history_no < self._history_no:
                outcomes = batch.disown(connection)
            else:
                outcomes = batch.commit(connection, prepared=True)
        except psycopg.DataError:
            raise
        except (psycopg.Error, OSError) as error:
            if self.writable:
                log.warning("journal_unwritable", error=type(error).__name__, reason=str(error))
            self.writable = False
            return None
        finally:
            self.busy_since_s = None
        if not self.writable:
            log.info("journal_writable")
        self.writable = True
        return outcomes

    def _connected(self) -> BoundedConnection:
        if self._connection is not None and self._connection.closed:
            self._disconnect()
        if self._connection is None:
            self._connection = connect(
                self._database_url, limits=self._limits, application_name="tokenok-journal"
            )
            try:
                self._look_at_history(self._connection)
                wire.prepare(self._connection)
            except BaseException:
                self._disconnect()
                raise
            self.sessions += 1
        return self._connection

    def _look_at_history(self, connection: BoundedConnection) -> None:
        found = history_of(connection)
        if self._history is not None and found != self._history:
            self._history_no += 1
            log.critical("history_replaced", before=self._history.timeline, now=found.timeline)
            self._replaced(self._history_no)
        self._history = found

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _goes_with(before: Group, item: Group | Told) -> bool:
    """Whether it may be in one batch with what stands before it.

    What stands before `Told` is still refused; groups that were decided on another history are judged apart.
    """
    return isinstance(item, Group) and item.history_no == before.history_no
