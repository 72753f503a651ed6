"""Tells the log what was refused, every few seconds: one event for each account at the most."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from application.clock import Clock
from application.command import new_event
from application.eventlog import EventLogError, EventStore, LogUnavailable, VersionConflict
from application.refusals.tally import RefusalTally
from domain.ledger.events import Owner
from domain.refusal_summaries import RefusalsSummarised, RefusedCalls, refusals_stream

EVERY_S: Final = 10.0
TRIES_MAX: Final = 10

log = structlog.get_logger()


class RefusalTeller:
    """One instance a process."""

    def __init__(self, tally: RefusalTally, *, store: EventStore, owner: Owner, clock: Clock) -> None:
        self._tally = tally
        self._store = store
        self._owner = owner
        self._clock = clock

    async def run(self) -> None:
        """Tell again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.tell()

    async def tell(self) -> None:
        """Tell what was counted. What the log does not take now is dropped: it is no figure of anybody's account."""
        untold, self._tally.untold = self._tally.untold, 0
        if untold:
            log.warning("refusals_not_told", calls=untold)
        taken = self._tally.take()
        if taken:
            await asyncio.to_thread(self._append_all, taken)

    def _append_all(self, taken: dict[UUID, tuple[RefusedCalls, ...]]) -> None:
        for account_id, refused in taken.items():
            try:
                self._append(account_id, refused)
            except LogUnavailable as error:  # and so for the others: each would wait as long
                log.warning("refusals_not_told", error=type(error).__name__)
                return
            except EventLogError as error:
                log.warning("refusals_not_told", error=type(error).__name__)

    def _append(self, account_id: UUID, refused: tuple[RefusedCalls, ...]) -> None:
        """Other processes write to the same stream: whoever loses a version takes the next."""
        now_us = self._clock.now_us()
        stream_id = refusals_stream(account_id, now_us)
        event = RefusalsSummarised(account_id=account_id, by=self._owner, refused=refused, occurred_us=now_us)
        version = 0
        for tries_left in reversed(range(TRIES_MAX)):
            version += len(self._store.read_stream(stream_id, after_version=version))
            try:
                self._store.append([new_event(stream_id, version + 1, event)])
            except VersionConflict:
                if not tries_left:
                    raise
            else:
                return
