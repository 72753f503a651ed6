"""Tells the other processes what this one counted, and hears what they did, a few times a second in the background.

Policy when they cannot be heard: for `STALE_S` the last word stands; after that every process allows its
share of each limit, by the number of processes last known. What could not be told is not told later: a
doubt about delivery must not refuse a customer. A request never waits for any of this.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from application.clock import Clock
from application.limits import Meter, RateLimiter

log = structlog.get_logger()

EVERY_S: Final = 0.25
ANSWER_S: Final = 1.0
STALE_S: Final = 2.0
SUBJECTS_MAX: Final = 2_000
_WINDOW_US: Final = 60_000_000


class LimitSyncUnavailable(Exception):
    """The other processes cannot be heard; whether they heard us is unknown."""


class Count(msgspec.Struct, frozen=True, array_like=True):
    """What this process counted for one key or account since it last told."""

    subject: UUID
    requests: int
    tokens: int
    open: int  #: requests open here now


class Total(msgspec.Struct, frozen=True, array_like=True):
    """What all processes together counted in this window."""

    requests: int
    tokens: int
    open: int


class Exchange(msgspec.Struct, frozen=True, array_like=True):
    """The answer to an exchange: totals in the order of the counts, and how many processes are alive."""

    totals: list[Total]
    processes: int


class LimitSync(Protocol):
    """What processes share their counts through."""

    async def exchange(self, window: int, counts: Sequence[Count]) -> Exchange:
        """Add `counts` to the window's totals and return the totals.

        Raises:
            LimitSyncUnavailable: see there.
        """
        ...


class LimitSynchroniser:
    """Runs the exchanges of one limiter."""

    def __init__(self, limiter: RateLimiter, sync: LimitSync, *, clock: Clock) -> None:
        self._limiter = limiter
        self._sync = sync
        self._clock = clock
        self._heard_s = clock.monotonic_s()
        self._processes = 1
        self._alone = False
        self._next = 0

    async def run(self) -> None:
        """Exchange until cancelled."""
        while True:
            await self.exchange_once()
            await asyncio.sleep(EVERY_S)

    async def exchange_once(self) -> None:
        """One exchange; it never raises for a missing counterpart."""
        now_s = self._clock.monotonic_s()
        window = self._clock.now_us() // _WINDOW_US
        meters = self._turn(now_s)
        counts = [_taken(meter) for meter in meters]
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._sync.exchange(window, counts)
        except (LimitSyncUnavailable, TimeoutError):
            self._not_heard()
            return
        for meter, count, total in zip(meters, counts, answer.totals, strict=True):
            _absorb(meter, window, count, total)
        self._heard(max(1, answer.processes))

    def _turn(self, now_s: float) -> list[Meter]:
        """The meters of this exchange; when there are too many they take turns."""
        meters = list(self._limiter.meters(now_s))
        if len(meters) <= SUBJECTS_MAX:
            return meters
        first = self._next % len(meters)
        self._next = first + SUBJECTS_MAX
        return (meters[first:] + meters[:first])[:SUBJECTS_MAX]

    def _heard(self, processes: int) -> None:
        self._heard_s = self._clock.monotonic_s()
        self._processes = processes
        self._limiter.set_share(1.0, self._heard_s)
        if self._alone:
            log.info("limits_shared_again", processes=processes)
        self._alone = False

    def _not_heard(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._heard_s < STALE_S:
            return
        self._limiter.set_share(1.0 / self._processes, now_s)
        if not self._alone:
            log.warning("limits_not_shared", processes=self._processes)
        self._alone = True


def _taken(meter: Meter) -> Count:
    count = Count(meter.subject, meter.unsent_requests, meter.unsent_tokens, meter.open)
    meter.unsent_requests = 0
    meter.unsent_tokens = 0
    return count


def _absorb(meter: Meter, window: int, count: Count, total: Total) -> None:
    """Take what the others counted since we last heard out of what is left here."""
    if meter.seen_window != window:
        meter.seen_window, meter.seen_requests, meter.seen_tokens = window, 0, 0
    meter.requests -= max(0, total.requests - meter.seen_requests - count.requests)
    others_tokens = total.tokens - meter.seen_tokens - count.tokens
    meter.tokens = min(meter.tokens_max, meter.tokens - others_tokens)
    meter.seen_requests, meter.seen_tokens = total.requests, total.tokens
    meter.open_elsewhere = max(0, total.open - count.open)
