"""The event log in memory, with the same rules as the one in Postgres: for tests of what stands on it.

One contract suite runs on both. It is exact where Postgres is (what fits, what is refused, in which order) and knows
no faults but those asked for.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from application.eventlog import (
    ENDING_TOPICS,
    NO_CONTROL,
    OPENING_TOPIC,
    EventLogError,
    JournalFull,
    LogUnavailable,
    NewEvent,
    RecordedEvent,
    UnstorableEvent,
    VersionConflict,
)

Outcome = int | VersionConflict

_ENDED: Final = -1 << 62


class MemoryEventStore:
    """Implements `application.eventlog.EventStore`."""

    def __init__(self) -> None:
        self.messages: list[str] = []  #: what `poke` has sent
        self.snapshots: dict[UUID, bytes] = {}
        self._log: list[RecordedEvent] = []
        self._lock = threading.RLock()
        self._heads: dict[UUID, int] = {}

    def append(self, events: Sequence[NewEvent]) -> int:
        assert events
        (outcome,) = self.commit([events])
        if isinstance(outcome, VersionConflict):
            raise outcome
        return outcome

    def append_locked(
        self,
        stream_ids: Sequence[UUID],
        decide: Callable[[list[RecordedEvent]], Sequence[NewEvent]],
        *,
        after_versions: dict[UUID, int] | None = None,
    ) -> Sequence[NewEvent]:
        after = dict.fromkeys(stream_ids, 0) | (after_versions or {})
        with self._lock:
            decided = decide(
                [e for e in self._log if e.stream_id in stream_ids and e.version > after[e.stream_id]]
            )
            if decided:
                self.append(decided)
            return decided

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        with self._lock:
            return [e for e in self._log if e.stream_id == stream_id and e.version > after_version]

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        with self._lock:
            return self._log[after_position : after_position + limit]

    def read_control(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        with self._lock:
            control = [e for e in self._log[after_position:] if not e.topic.startswith(NO_CONTROL)]
            return control[:limit]

    def read_open_leases(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        with self._lock:
            opened = [e for e in self._log[after_position:] if e.topic.startswith(OPENING_TOPIC)]
            return [e for e in opened if self._heads[e.stream_id] != _ENDED][:limit]

    def read_snapshot(self, stream_id: UUID) -> bytes | None:
        return self.snapshots.get(stream_id)

    def keep_snapshot(self, stream_id: UUID, version: int, state: bytes) -> None:  # noqa: ARG002  # as in Postgres
        self.snapshots[stream_id] = state

    def head_position(self) -> int:
        with self._lock:
            return len(self._log)

    def poke(self, message: str = "log") -> None:
        self.messages.append(message)

    def commit(self, groups: Sequence[Sequence[NewEvent]]) -> list[Outcome]:
        """As one transaction of a journal: each group whole or not at all; see `tokenok_append`."""
        for group in groups:
            _require_storable(group)
        with self._lock:
            refused: set[UUID] = set()
            return [self._commit_group(group, refused) for group in groups]

    def _commit_group(self, group: Sequence[NewEvent], refused: set[UUID]) -> Outcome:
        heads: dict[UUID, int] = {}
        for event in group:
            head = heads.get(event.stream_id, self._heads.get(event.stream_id, 0))
            if event.stream_id in refused or head != event.version - 1:
                refused.update(e.stream_id for e in group)
                return VersionConflict(event.stream_id)
            heads[event.stream_id] = _ENDED if event.topic.startswith(ENDING_TOPICS) else event.version
        self._heads |= heads
        now_us = time.time_ns() // 1000
        for event in group:
            self._log.append(
                RecordedEvent(
                    len(self._log) + 1, event.stream_id, event.version, event.topic, event.state, now_us
                )
            )
        return len(self._log)


def _require_storable(group: Sequence[NewEvent]) -> None:
    for event in group:
        if "\0" in event.topic or not -(1 << 63) <= event.version < 1 << 63:
            raise UnstorableEvent("a topic with a NUL, or a version beyond 64 bits")
        try:
            event.topic.encode()
        except UnicodeError as error:
            raise UnstorableEvent(str(error)) from error


class MemoryJournal:
    """Implements `application.eventlog.Journal` over a `MemoryEventStore`; commits in a later turn of the loop.

    `pause` keeps groups waiting, as a database that is away does, until `resume`.
    """

    def __init__(
        self,
        store: MemoryEventStore,
        *,
        events_max: int = 4096,
        wait_s_max: float = 5.0,
        turn_events_max: int = 256,
    ) -> None:
        self.sessions = 1  #: raise it to say that the database was away and may have lost its tail
        self._store = store
        self._events_max = events_max
        self._wait_s_max = wait_s_max
        self._turn_events_max = turn_events_max
        self._queue: deque[_Group | int] = deque()  # a number: those refused in that turn have been told
        self._waiting_events = 0
        self._turn_no = 0
        self._refused: dict[UUID, int] = {}  # streams, and the turn of the refusal
        self._paused = False
        self._closed = False
        self._scheduled = False

    def append(self, events: Sequence[NewEvent]) -> "asyncio.Future[int]":
        assert events
        now_s = time.monotonic()
        oldest_s = next((item.queued_s for item in self._queue if isinstance(item, _Group)), now_s)
        if now_s - oldest_s > self._wait_s_max:
            raise JournalFull(f"the oldest event has waited more than {self._wait_s_max} s")
        if self._waiting_events + len(events) > self._events_max:
            raise JournalFull(f"{self._waiting_events} events wait")
        if self._closed:
            raise LogUnavailable("the journal is closed")
        group = _Group(events, asyncio.get_running_loop().create_future(), now_s)
        self._waiting_events += len(events)
        self._enqueue(group)
        return group.future

    def is_writable(self) -> bool:
        return not self._paused and not self._closed

    def start(self) -> None:
        """Nothing to do."""

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._schedule()

    async def close(self, *, timeout_s: float = 10.0) -> None:
        """Commit what is queued, unless paused: then those who wait are told that it is not stored."""
        self._closed = True
        while self._queue and not self._paused:
            self._turn()
        for item in self._queue:
            if isinstance(item, _Group) and not item.future.done():
                item.future.set_exception(
                    LogUnavailable(f"the journal was closed, {timeout_s} s were too short")
                )
        self._queue.clear()

    def _enqueue(self, item: "_Group | int") -> None:
        self._queue.append(item)
        self._schedule()

    def _schedule(self) -> None:
        if self._queue and not self._scheduled and not self._paused:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """What one commit is in the other one."""
        self._scheduled = False
        self._turn_no += 1
        room = self._turn_events_max
        while self._queue and room > 0 and not self._paused:
            item = self._queue.popleft()
            if isinstance(item, int):
                self._refused = {stream: turn for stream, turn in self._refused.items() if turn > item}
            else:
                room -= len(item.events)
                self._answer(item)
        if self._turn_no in self._refused.values():
            # Runs after the callbacks of the refused futures.
            asyncio.get_running_loop().call_soon(self._enqueue, self._turn_no)
        self._schedule()

    def _answer(self, group: "_Group") -> None:
        self._waiting_events -= len(group.events)
        answer = self._store_group(group.events)
        if not isinstance(answer, int):
            self._refused |= {event.stream_id: self._turn_no for event in group.events}
        if group.future.done():
            return
        if isinstance(answer, int):
            group.future.set_result(answer)
        else:
            group.future.set_exception(answer)

    def _store_group(self, events: Sequence[NewEvent]) -> int | EventLogError:
        for event in events:
            if event.stream_id in self._refused:
                return VersionConflict(event.stream_id)
        try:
            return self._store.append(events)
        except EventLogError as error:
            return error


class _Group(msgspec.Struct):
    events: Sequence[NewEvent]
    future: "asyncio.Future[int]"
    queued_s: float
