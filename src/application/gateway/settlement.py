"""Ends a hold exactly once: by a charge that is durable before the client may see the end, or by giving it back."""

import asyncio
import time
from uuid import UUID

import structlog

from application.clock import Clock
from application.eventlog import JournalFull, LogUnavailable, UnstorableEvent, VersionConflict
from application.gateway.refused import Refused, ledger_unavailable
from application.idempotent_requests.claims import Claim
from application.ledger.lease_book import LeaseBook
from application.ledger.live_lease import Hold
from domain.ledger.events import Attempt, PassedOver
from domain.ledger.lease import Answer
from domain.ledger.refusals import LeaseEnded, LedgerRefusal

FULL_PAUSE_S = 0.02
FULL_TRIES_MAX = 250
"""A full journal is waited for at the end of an answer for about five seconds: the upstream has been paid already."""

log = structlog.get_logger()


class Settlement:
    """The money side of one request. Raises `Refused` where the ledger cannot keep its promise to the client."""

    __slots__ = ("_book", "_clock", "_ended", "_hold", "_started_s", "charge_nano", "claim")

    def __init__(self, hold: Hold, *, book: LeaseBook, clock: Clock, started_s: float) -> None:
        self._hold = hold
        self._book = book
        self._clock = clock
        self._started_s = started_s
        self._ended = False
        self.charge_nano = 0  #: what the customer paid, once charged
        self.claim: Claim | None = None  #: of the request's idempotency key, ended together with the hold

    @property
    def hold_nano(self) -> int:
        return self._hold.hold_nano

    @property
    def account_id(self) -> UUID:
        return self._hold.admission.account_id

    def balance_nano(self) -> int | None:
        """What the account has left, as far as this process knows."""
        return self._book.known_balance_nano(self.account_id)

    def total_ms(self) -> int:
        return int((time.monotonic() - self._started_s) * 1000)

    async def admitted(self) -> None:
        """Wait until the admission is durable: only then may a byte go to the client.

        Raises:
            Refused: the lease was lost, or the log cannot be written; nothing will be charged.
        """
        await self._durable(self._hold.admitted)

    async def charge(self, *, rated_nano: int, answer: Answer) -> None:
        """Charge, and wait until that is durable: only then may the last byte go to the client.

        Raises:
            Refused: nothing was charged and nothing will be; the client must not see the end of the answer.
        """
        self._ended = True
        self.charge_nano = min(rated_nano, self.hold_nano)
        if rated_nano > self.hold_nano:
            log.warning(
                "charge_above_hold",
                request_id=str(self._hold.admission.request_id),
                shortfall_nano=rated_nano - self.hold_nano,
            )
        charged = await self._append_charge(rated_nano, answer)
        self._book.settled(self.account_id)
        await self._durable(charged)

    async def _append_charge(self, rated_nano: int, answer: Answer) -> "asyncio.Future[int]":
        beside = () if self.claim is None else self.claim.charged(self.charge_nano)
        for _ in range(FULL_TRIES_MAX):
            try:
                return self._hold.charge(
                    rated_nano=rated_nano, answer=answer, now_us=self._clock.now_us(), beside=beside
                )
            except JournalFull:
                await asyncio.sleep(FULL_PAUSE_S)
            except LeaseEnded:
                raise self._lost() from None
            except LogUnavailable:  # the journal was closed: the reaper gives the hold back
                self.charge_nano = 0
                raise ledger_unavailable() from None
            except LedgerRefusal as refusal:
                # An amount that no event holds, or no such hold: a mistake of ours, and not the customer's to pay.
                log.warning(
                    "charge_refused",
                    request_id=str(self._hold.admission.request_id),
                    code=refusal.code,
                )
                raise self._given_back(answer) from None
        raise self._given_back(answer)

    def _given_back(self, answer: Answer) -> Refused:
        self.charge_nano = 0
        self._ended = False
        self.release("ledger_unavailable", answer.attempts)
        return ledger_unavailable()

    def _lost(self) -> Refused:
        self._book.lose(self.account_id, self._hold.live)
        self.charge_nano = 0
        return ledger_unavailable()

    async def _durable(self, stored: "asyncio.Future[int]") -> None:
        try:
            await stored
        except (VersionConflict, UnstorableEvent):
            # The fold is ahead of the stream now: nothing can follow in it.
            raise self._lost() from None
        except LogUnavailable:
            self.charge_nano = 0
            raise ledger_unavailable() from None

    def release(
        self, code: str, attempts: tuple[Attempt, ...], passed_over: tuple[PassedOver, ...] = ()
    ) -> None:
        """Give the hold back if it was not charged; does nothing the second time."""
        if self._ended:
            return
        self._ended = True
        try:
            self._hold.release_unwatched(
                code=code,
                attempts=attempts,
                total_ms=self.total_ms(),
                now_us=self._clock.now_us(),
                passed_over=passed_over,
            )
        except LedgerRefusal as refusal:  # the hold is not there any more, so nothing is left to give back
            log.warning(
                "release_refused",
                request_id=str(self._hold.admission.request_id),
                code=refusal.code,
            )
        self._book.settled(self.account_id)
        if self.claim is not None:
            self.claim.free()
