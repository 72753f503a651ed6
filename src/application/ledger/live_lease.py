"""A lease in the hands of its owner: decide in memory, append to its stream, and know when it is lost."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import msgspec

from application.eventlog import Journal, JournalFull, LogUnavailable, NewEvent
from domain.budgets.budget import Budget
from domain.event import encode
from domain.ledger import lease as rules
from domain.ledger.events import Attempt, LeaseEvent, PassedOver
from domain.ledger.lease import Answer, Lease
from domain.ledger.lots import Slice, sum_nano
from domain.ledger.refusals import LeaseEnded

RELEASE_AGAIN_S = 0.5


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A request that wants to be admitted; `hold_nano` is its worst case."""

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    stream: bool
    hold_nano: int
    price_version: int
    client_ref: str | None = None
    budgets: tuple[Budget, ...] = ()  #: of the key and of its account


class LiveLease:
    """The owner's side of one lease stream. Not safe outside the event loop."""

    __slots__ = ("_journal", "lease", "lost", "opened_s", "owed", "used_s")

    def __init__(self, lease: Lease, journal: Journal, *, now_s: float) -> None:
        self.lease = lease
        self.opened_s = now_s
        self.used_s = now_s
        self.lost = False  #: another writer ended the stream; nothing can be charged here any more
        self.owed: list[
            Slice
        ] = []  #: left the lease, or never reached it, and is still lent to it by the wallet
        self._journal = journal

    @property
    def owed_nano(self) -> int:
        return sum_nano(self.owed)

    def plan(self, events: Sequence[LeaseEvent]) -> list[NewEvent]:
        """`events` with the stream's next versions; nothing is appended yet."""
        lease = self.lease
        version = lease.version
        return [
            NewEvent(lease.lease_id, version + offset, event.TOPIC, encode(event))
            for offset, event in enumerate(events, 1)
        ]

    def record(self, events: list[LeaseEvent], beside: Sequence[NewEvent] = ()) -> "asyncio.Future[int]":
        """Append `events` and fold them in; the future tells when they are durable. `beside` is of other streams.

        What could not be stored leaves this fold ahead of the stream, so the lease is marked lost before anything
        that waits for the future runs: nobody counts on from a version that does not exist.

        Raises:
            JournalFull, LogUnavailable: nothing was appended or folded.
        """
        planned = self.plan(events)
        durable = self._journal.append([*planned, *beside] if beside else planned)
        durable.add_done_callback(self._check)
        for event in events:
            rules.evolve(self.lease, event)
        return durable

    def _check(self, durable: "asyncio.Future[int]") -> None:
        if not durable.cancelled() and durable.exception() is not None:
            self.lost = True


class Hold:
    """The credit set aside for one request. End it exactly once, by `charge` or by `release`."""

    __slots__ = ("admission", "admitted", "live")

    def __init__(self, live: LiveLease, admission: Admission, admitted: "asyncio.Future[int]") -> None:
        self.live = live
        self.admission = admission
        self.admitted = admitted  #: done when `RequestAdmitted` is durable: only then may a byte go out

    @property
    def hold_nano(self) -> int:
        return self.admission.hold_nano

    def charge(
        self, *, rated_nano: int, answer: Answer, now_us: int, beside: Sequence[NewEvent] = ()
    ) -> "asyncio.Future[int]":
        """Charge at most the hold; the last byte of the answer must wait for the future.

        `beside` goes into the same append, to streams of others.

        Raises:
            LeaseEnded: the lease was fenced; the customer pays nothing and must not see the end of the answer.
            JournalFull: not queued; the hold is still open.
        The future raises `VersionConflict` for the same reason as `LeaseEnded`.
        """
        self._require_kept()
        return self.live.record(
            rules.charge(
                self.live.lease,
                request_id=self.admission.request_id,
                rated_nano=rated_nano,
                answer=answer,
                now_us=now_us,
            ),
            beside,
        )

    def release(
        self,
        *,
        code: str,
        attempts: tuple[Attempt, ...],
        total_ms: int,
        now_us: int,
        passed_over: tuple[PassedOver, ...] = (),
    ) -> "asyncio.Future[int]":
        """Give the whole hold back. Raises as `charge` does."""
        self._require_kept()
        admission = self.admission
        return self.live.record(
            rules.release(
                self.live.lease,
                request_id=admission.request_id,
                key_id=admission.key_id,
                alias=admission.alias,
                code=code,
                attempts=attempts,
                total_ms=total_ms,
                now_us=now_us,
                passed_over=passed_over,
            )
        )

    def release_unwatched(
        self,
        *,
        code: str,
        attempts: tuple[Attempt, ...],
        total_ms: int,
        now_us: int,
        passed_over: tuple[PassedOver, ...] = (),
    ) -> None:
        """As `release`, when nobody waits: a lost lease has freed the hold already, a full journal is tried again."""
        release = partial(
            self.release,
            code=code,
            attempts=attempts,
            total_ms=total_ms,
            now_us=now_us,
            passed_over=passed_over,
        )
        try:
            release()
        except (LeaseEnded, LogUnavailable):  # with the journal closed, the reaper gives it back
            pass
        except JournalFull:
            again = partial(self.release_unwatched, **release.keywords)
            asyncio.get_running_loop().call_later(RELEASE_AGAIN_S, again)

    def _require_kept(self) -> None:
        if self.live.lost:
            raise LeaseEnded(self.live.lease.lease_id)
