"""One gateway process's group commit: the event loop's side. The thread that commits is in `writer.py`.

Everything here runs on the event loop, except what the writer hands over by `call_soon_threadsafe`, once a commit.
"""

import asyncio
import contextlib
import queue
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from adapters.eventstore.connection import Limits
from adapters.eventstore.writer import Close, Delivery, Group, Inbox, Told, Writer
from application.eventlog import JournalFull, LogUnavailable, NewEvent, OutcomeUnknown


class GroupCommitJournal:
    """Implements `application.eventlog.Journal`. Start and close it on the event loop that uses it."""

    def __init__(
        self,
        database_url: str,
        *,
        events_max: int = 4096,
        batch_events_max: int = 256,
        wait_s_max: float = 5.0,
        limits: Limits | None = None,
        on_replaced: Callable[[], None] | None = None,
    ) -> None:
        """`on_replaced` is called on the event loop when the database was replaced by one that may lack our last events.

        Whatever was appended before is refused with `HistoryReplaced`; what is appended in it and later is not.
        """
        self._database_url = database_url
        self._events_max = events_max
        self._batch_events_max = batch_events_max
        self._wait_s_max = wait_s_max
        self._limits = limits or Limits()
        self._inbox: Inbox = queue.SimpleQueue()
        self._waiting: deque[Group] = deque()  # queued or being committed, oldest first
        self._waiting_events = 0
        self._on_replaced = on_replaced
        self._history_no = 0
        self._closed = True
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._writer: Writer

    def start(self) -> None:
        """Begin; returns at once. Until the database is reached, groups wait and `is_writable` is False."""
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(
            self._database_url,
            self._inbox,
            deliver=self._hand_over,
            replaced=self._hand_over_replaced,
            ended=self._hand_over_end,
            batch_events_max=self._batch_events_max,
            limits=self._limits,
        )
        self._closed = False
        self._writer.start()

    def append(self, events: Sequence[NewEvent]) -> "asyncio.Future[int]":
        assert events
        now_s = monotonic()
        waiting = self._waiting
        if waiting and now_s - waiting[0].queued_s > self._wait_s_max:
            raise JournalFull(f"the oldest event has waited more than {self._wait_s_max} s")
        if self._waiting_events + len(events) > self._events_max:
            raise JournalFull(f"{self._waiting_events} events wait")
        if self._closed:
            raise LogUnavailable("the journal is closed")
        group = Group(events, self._loop.create_future(), now_s, self._history_no)
        waiting.append(group)
        self._waiting_events += len(events)
        self._inbox.put(group)
        return group.future

    @property
    def sessions(self) -> int:
        return self._writer.sessions

    def is_writable(self) -> bool:
        if self._closed or not self._writer.writable:
            return False
        oldest_s = monotonic() - self._wait_s_max
        busy_since_s = self._writer.busy_since_s
        if busy_since_s is not None and busy_since_s < oldest_s:
            return False
        return not self._waiting or self._waiting[0].queued_s >= oldest_s

    async def close(self, *, timeout_s: float = 10.0) -> None:
        """Commit what is queued, then stop. While the database is away, give up after `timeout_s`.

        Then a server that is silent still takes until its `Limits.answer_s`.
        """
        if self._closed:
            return
        self._closed = True
        self._inbox.put(Close())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout_s)
        self._writer.abandoned.set()
        await self._ended.wait()

    def _hand_over(self, delivery: Delivery) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._deliver, delivery)

    def _hand_over_replaced(self, history_no: int) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._replace, history_no)

    def _replace(self, history_no: int) -> None:
        """Runs before anybody hears that a group was refused for it."""
        self._history_no = history_no
        if self._on_replaced is not None:
            self._on_replaced()

    def _hand_over_end(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    def _deliver(self, delivery: Delivery) -> None:
        waiting = self._waiting
        for group, answer in zip(delivery.groups, delivery.answers, strict=True):
            waiting.popleft()
            self._waiting_events -= len(group.events)
            future = group.future
            if future.done():  # cancelled by its waiter
                continue
            if isinstance(answer, int):
                future.set_result(answer)
            else:
                future.set_exception(answer)
        if delivery.has_refusals:
            # Runs after the callbacks of these futures, so after the owners were told.
            self._loop.call_soon(self._inbox.put, Told(delivery.number))

    def _end(self) -> None:
        """The writer is gone: after `close`, or because it failed. Nothing may wait for ever."""
        self._closed = True
        for group in self._waiting:
            if not group.future.done():
                group.future.set_exception(OutcomeUnknown("the journal has stopped"))
        self._waiting.clear()
        self._waiting_events = 0
        self._ended.set()
