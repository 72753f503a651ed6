"""A process's way into the log, over a network that loses and delays requests and replies.

The rules are those of `adapters.eventstore.writer`: one batch is on its way; one whose fate is in doubt is committed
again, and what is refused then is read back, for it may be our own.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from application.eventlog import (
    EventLogError,
    JournalFull,
    NewEvent,
    VersionConflict,
)
from tests.simulator.loop import TurnLoop

if TYPE_CHECKING:
    from tests.simulator.universe import Universe

BATCH_GROUPS_MAX = 64


class Group(msgspec.Struct, eq=False):
    events: Sequence[NewEvent]
    future: "asyncio.Future[int]"
    queued_s: float

    @property
    def streams(self) -> set[UUID]:
        return {event.stream_id for event in self.events}


class SimJournal:
    """Implements `application.eventlog.Journal`."""

    def __init__(self, universe: "Universe", loop: TurnLoop, *, events_max: int, wait_s_max: float) -> None:
        self.sessions = 1
        self._universe = universe
        self._loop = loop
        self._events_max = events_max
        self._wait_s_max = wait_s_max
        self._queue: deque[Group | set[UUID]] = (
            deque()
        )  # a set: these streams' refusals have been heard by all
        self._batch: list[Group] = []
        self._refused: dict[UUID, int] = {}  # how many refusals of a stream are not known to all yet
        self._in_doubt = False

    def append(self, events: Sequence[NewEvent]) -> "asyncio.Future[int]":
        waiting = [one for one in (*self._batch, *self._queue) if isinstance(one, Group)]
        now_s = self._universe.now_s
        if sum(len(one.events) for one in waiting) + len(events) > self._events_max:
            raise JournalFull("too many events wait")
        if waiting and now_s - waiting[0].queued_s > self._wait_s_max:
            raise JournalFull("the oldest event has waited too long")
        group = Group(list(events), self._loop.create_future(), now_s)
        self._queue.append(group)
        self._loop.call_soon(self._send_next)
        return group.future

    def is_writable(self) -> bool:
        return not self._in_doubt

    # --- in the process

    def _send_next(self) -> None:
        while not self._batch and self._queue:
            self._take_batch()
            if self._batch:
                self._send()

    def _take_batch(self) -> None:
        while self._queue and len(self._batch) < BATCH_GROUPS_MAX:
            one = self._queue.popleft()
            if isinstance(one, set):
                self._forget(one)
            elif refused := next((stream for stream in one.streams if stream in self._refused), None):
                self._refuse(one, VersionConflict(refused))
            else:
                self._batch.append(one)

    def _send(self) -> None:
        batch = self._batch
        self._universe.send(
            self._loop,
            lambda: self._commit([group.events for group in batch], in_doubt=self._in_doubt),
            lambda outcomes: self._answered(batch, outcomes),
            lambda: self._lost(batch),
        )

    def _lost(self, batch: list[Group]) -> None:
        """The connection broke: connect again, and commit again."""
        if self._batch is batch:
            self._in_doubt = True
            self.sessions += 1
            self._send()

    def _answered(self, batch: list[Group], outcomes: Sequence[int | EventLogError]) -> None:
        if self._batch is not batch:
            return
        self._in_doubt = False
        self._batch = []
        for group, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, int):
                _tell(group, outcome)
            else:
                self._refuse(group, outcome)
        self._send_next()

    def _refuse(self, group: Group, why: EventLogError) -> None:
        """What follows on a stream of a refused group is refused too, until everybody can have heard of it."""
        for stream in group.streams:
            self._refused[stream] = self._refused.get(stream, 0) + 1
        _tell(group, why)
        self._loop.call_soon(self._heard, group.streams)

    def _heard(self, streams: set[UUID]) -> None:
        self._queue.append(streams)
        self._send_next()

    def _forget(self, streams: set[UUID]) -> None:
        for stream in streams:
            self._refused[stream] -= 1
            if not self._refused[stream]:
                del self._refused[stream]

    # --- in the database

    def _commit(
        self, groups: Sequence[Sequence[NewEvent]], *, in_doubt: bool
    ) -> Sequence[int | VersionConflict]:
        outcomes: list[int | VersionConflict] = []
        store = self._universe.store
        for group, outcome in zip(groups, store.commit(groups), strict=True):
            own = store.has(group) if in_doubt and isinstance(outcome, VersionConflict) else 0
            outcomes.append(own or outcome)
        return outcomes


def _tell(group: Group, outcome: int | EventLogError) -> None:
    if group.future.done():
        return
    if isinstance(outcome, int):
        group.future.set_result(outcome)
    else:
        group.future.set_exception(outcome)
