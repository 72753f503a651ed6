"""Claims of idempotency keys in the log: who serves the request of a key, and how a key comes free again.

Safe by versions alone. A charge is stored together with its key's outcome or not at all, so a key that was freed too
early costs its claimant the answer, and nobody a second charge.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final, cast
from uuid import UUID

from application.clock import Clock
from application.eventlog import EventStore, Journal, JournalFull, LogUnavailable, NewEvent, VersionConflict
from application.idempotent_requests.keyed import KeyedRequest
from application.ledger.wallet_reader import load_wallet
from domain.event import TopicRegistry, encode
from domain.ledger import idempotency as rules
from domain.ledger.idempotency import (
    IDEMPOTENCY_EVENTS,
    IdempotencyEvent,
    IdempotencyInProgress,
    IdempotencyKey,
    Replay,
)

FREE_AGAIN_S: Final = 0.5
FREE_WAIT_S: Final = 1.0
"""So long a failed request waits for its key to be free, so that its client finds it free; not for a log that is away."""

_topics = TopicRegistry(*IDEMPOTENCY_EVENTS)


class Claims:
    """Belongs to the event loop; reads in `threads`."""

    def __init__(self, *, store: EventStore, journal: Journal, clock: Clock, threads: Executor) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._threads = threads

    async def look(self, request: KeyedRequest) -> IdempotencyKey:
        """The key as it stands; one whose claimant cannot be charged any more is freed first.

        Raises:
            EventLogError: the log is away.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, request)

    async def claim(
        self, request: KeyedRequest, key: IdempotencyKey, *, request_id: UUID, lease_id: UUID
    ) -> "Claim":
        """Claim the key as it was seen by `look`; returns when that is durable.

        Raises:
            IdempotencyInProgress: another request claimed it in between.
            EventLogError: it is not known to be claimed; if it is, it comes free with the end of the lease.
        """
        events = rules.claim(
            key,
            account_id=request.account_id,
            key_sha256=request.key_sha256,
            body_sha256=request.body_sha256,
            request_id=request_id,
            now_us=self._clock.now_us(),
            lease_id=lease_id,
        )
        assert not isinstance(events, Replay), "a key with a charge is not claimed"
        claimed = _numbered(request, key.version, events)
        try:
            await self._journal.append(claimed)
        except VersionConflict:
            raise IdempotencyInProgress("another request claimed the key") from None
        for event in events:
            rules.evolve(key, event)
        return Claim(request, key, journal=self._journal, clock=self._clock)

    def _look(self, request: KeyedRequest) -> IdempotencyKey:
        key = self._fold(request)
        if key.request_id is None or key.recorded is not None or not self._is_over(request, key):
            return key
        freed = rules.record_outcome(
            key,
            request_id=key.request_id,
            outcome="abandoned",
            charge_nano=0,
            now_us=self._clock.now_us(),
        )
        try:
            self._store.append(_numbered(request, key.version, freed))
        except VersionConflict:  # it came free, or was charged, by another's fact
            return self._fold(request)
        for event in freed:
            rules.evolve(key, event)
        return key

    def _is_over(self, request: KeyedRequest, key: IdempotencyKey) -> bool:
        """Whether the lease of the claimant has ended: nothing fits behind its end, so nothing will be charged."""
        return key.lease_id not in load_wallet(self._store, request.account_id).wallet.leases

    def _fold(self, request: KeyedRequest) -> IdempotencyKey:
        key = IdempotencyKey()
        for recorded in self._store.read_stream(request.stream_id):
            rules.evolve(key, cast("IdempotencyEvent", _topics.decode(recorded.topic, recorded.state)))
        return key


class Claim:
    """A key in the hands of the request that claimed it. It ends with `charged` or with `free`."""

    __slots__ = ("_clock", "_freed", "_journal", "_key", "_request")

    def __init__(self, request: KeyedRequest, key: IdempotencyKey, *, journal: Journal, clock: Clock) -> None:
        self._request = request
        self._key = key
        self._journal = journal
        self._clock = clock
        self._freed: asyncio.Future[int] | None = None

    def charged(self, charge_nano: int) -> list[NewEvent]:
        """What must go into one append with the charge."""
        return self._outcome("charged", charge_nano)

    def free(self) -> None:
        """The hold is given back: the key may be claimed again. A full journal is tried again."""
        try:
            self._freed = self._journal.append(self._outcome("released", 0))
        except JournalFull:
            asyncio.get_running_loop().call_later(FREE_AGAIN_S, self.free)
        except LogUnavailable:  # it comes free with the end of the lease
            pass
        else:
            self._freed.add_done_callback(_look_away)

    async def until_free(self) -> None:
        """If it is being freed, wait for that, but not for long."""
        if self._freed is not None:
            await asyncio.wait((self._freed,), timeout=FREE_WAIT_S)

    def _outcome(self, outcome: rules.Outcome, charge_nano: int) -> list[NewEvent]:
        request_id = self._key.request_id
        assert request_id is not None, "it was claimed"
        told = rules.record_outcome(
            self._key,
            request_id=request_id,
            outcome=outcome,
            charge_nano=charge_nano,
            now_us=self._clock.now_us(),
        )
        return _numbered(self._request, self._key.version, told)


def _numbered(request: KeyedRequest, version: int, events: Sequence[IdempotencyEvent]) -> list[NewEvent]:
    return [
        NewEvent(request.stream_id, number, event.TOPIC, encode(event))
        for number, event in enumerate(events, version + 1)
    ]


def _look_away(freed: "asyncio.Future[int]") -> None:
    """Somebody else freed it first, or the log went away: then it comes free with the end of the lease."""
    if not freed.cancelled():
        freed.exception()
