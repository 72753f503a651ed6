"""A stream of a budget's shares as one process sees it: a cached fold, brought up to date when the log says otherwise."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from application.eventlog import EventStore, Journal, LogUnavailable, NewEvent, RecordedEvent, VersionConflict
from domain.budgets import book as rules
from domain.budgets.book import BudgetBook
from domain.budgets.events import SHARE_EVENTS, ShareEvent
from domain.event import TopicRegistry, encode

CONFLICTS_MAX = 50
"""Lost races in a row after which a change is given up; each lost race means that another one was won."""
JITTER_S = 0.002

_topics = TopicRegistry(*SHARE_EVENTS)


class ShareAccess:
    """Reads and changes one stream, one change at a time in this process. Belongs to the event loop."""

    def __init__(self, stream_id: UUID, *, store: EventStore, journal: Journal) -> None:
        self.book = BudgetBook()  #: as last read or changed
        self.turn = asyncio.Lock()  #: who moves something between book and leases has it
        self.wanted_nano = 0  #: the holds of all who wait for a greater share here
        self.refused: tuple[int, float] | None = None
        """What was available when a request was last refused here, and until when that is believed, in monotonic seconds."""
        self.is_near_end = False  #: only the exact need is lent of it
        self.used_s = 0.0  #: when it was last needed
        self._stream_id = stream_id
        self._store = store
        self._journal = journal
        self._sessions = journal.sessions
        self._stale = True
        self._reading = asyncio.Lock()

    async def refresh(self) -> BudgetBook:
        """Read what others appended.

        Raises:
            LogUnavailable: the log cannot be read; the cached book is unchanged.
        """
        async with self._reading:
            await self._read_tail()
        return self.book

    async def change(self, decide: Callable[[BudgetBook], Sequence[ShareEvent]]) -> None:
        """Append what `decide` says, if anything; again on the newest book if another writer was faster.

        Raises:
            LedgerRefusal: from `decide`, on the newest book; nothing was stored.
            OutcomeUnknown: the journal was closed meanwhile; nobody knows.
            JournalFull, LogUnavailable, UnstorableEvent: nothing was stored.
        """
        async with self._reading:
            for _ in range(CONFLICTS_MAX):
                if self._stale or self._sessions != self._journal.sessions:
                    await self._read_tail()
                if await self._try(decide(self.book)):
                    return
                await asyncio.sleep(random.uniform(0, JITTER_S))  # noqa: S311  # spreads writers, no secret
        raise LogUnavailable(f"shares of {self._stream_id} are contended")

    async def _try(self, events: Sequence[ShareEvent]) -> bool:
        if not events:
            return True
        group = [
            NewEvent(self._stream_id, version, event.TOPIC, encode(event))
            for version, event in enumerate(events, self.book.version + 1)
        ]
        self._stale = True  # until the outcome is known, also if this task is cancelled
        try:
            await self._journal.append(group)
        except VersionConflict:
            return False
        for event in events:
            rules.evolve(self.book, event)
        self._stale = False
        return True

    async def _read_tail(self) -> None:
        """After a failover the log may have lost its end, and have another one: then all of it is read."""
        sessions, book = self._journal.sessions, self.book
        version = book.version if sessions == self._sessions else 0
        tail = await asyncio.to_thread(self._store.read_stream, self._stream_id, after_version=version)
        if not version:
            self.book = await asyncio.to_thread(_folded, BudgetBook(), tail)
        else:
            _folded(book, tail)
        self._sessions = sessions
        self._stale = False


def _folded(book: BudgetBook, events: Sequence[RecordedEvent]) -> BudgetBook:
    for recorded in events:
        rules.evolve(book, cast("ShareEvent", _topics.decode(recorded.topic, recorded.state)))
    return book
