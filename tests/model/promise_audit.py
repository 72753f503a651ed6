"""The auditor's own books of what was promised: C01, codes that become credit once; B01, low balances that are told of once."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet
from domain.event import Event
from domain.ledger.events import CreditLotGranted
from domain.promotions import events as codes
from tests.model.store import Stored
from tests.model.world import require


class BatchBook(msgspec.Struct):
    """What the auditor knows of a batch of codes; `redeemed` is by account."""

    issued: codes.CodeBatchIssued
    made: int = 0
    withdrawn: bool = False
    redeemed: dict[UUID, int] = {}


class CodeAudit:
    """C01: a code was issued, is used once, by nobody more often than allowed, and becomes what was promised."""

    def __init__(self) -> None:
        self._batches: dict[UUID, BatchBook] = {}
        self._used: dict[UUID, bool] = {}  #: by the stream of a code
        self._uncounted: set[tuple[UUID, UUID]] = set()
        self._ungranted: dict[UUID, codes.CodeBatchIssued] = {}  #: by lot
        self._checks: dict[type[Event], Callable[[Stored, Any], None]] = {
            codes.CodeBatchIssued: self._issued,
            codes.CodeBatchWithdrawn: self._withdrawn,
            codes.RedemptionCodeIssued: self._made,
            codes.RedemptionCodeRedeemed: self._redeemed,
            codes.RedemptionCounted: self._counted,
            CreditLotGranted: self._granted,
        }

    def read(self, stored: Stored) -> None:
        check = self._checks.get(type(stored.event))
        if check is not None:
            check(stored, stored.event)

    def group_ends(self) -> None:
        require("C01", not self._uncounted, "a code is counted where it is used")
        require("C01", not self._ungranted, "a code becomes credit where it is used")

    def _issued(self, stored: Stored, event: codes.CodeBatchIssued) -> None:
        require("C01", stored.version == 1, "a batch is issued once")
        self._batches[event.batch_id] = BatchBook(event)

    def _withdrawn(self, _: Stored, event: codes.CodeBatchWithdrawn) -> None:
        self._batches[event.batch_id].withdrawn = True

    def _made(self, stored: Stored, event: codes.RedemptionCodeIssued) -> None:
        book = self._batches[event.batch_id]
        book.made += 1
        require("C01", book.made <= book.issued.count, "a batch has no more codes than were issued")
        require("C01", stored.stream_id not in self._used, "a code is issued once")
        self._used[stored.stream_id] = False

    def _redeemed(self, stored: Stored, event: codes.RedemptionCodeRedeemed) -> None:
        require("C01", self._used.get(stored.stream_id) is False, "a code was issued, and is used once")
        self._used[stored.stream_id] = True
        book = self._batches[event.batch_id]
        until_us = book.issued.redeem_until_us
        is_good = not book.withdrawn and (until_us is None or event.occurred_us < until_us)
        require("C01", is_good, "a code is used before its end")
        times = book.redeemed[event.account_id] = book.redeemed.get(event.account_id, 0) + 1
        require("C01", times <= book.issued.per_account, "an account uses no more codes than one may")
        self._uncounted.add((event.batch_id, event.lot_id))
        self._ungranted[event.lot_id] = book.issued

    def _counted(self, stored: Stored, event: codes.RedemptionCounted) -> None:
        times = self._batches[event.batch_id].redeemed.get(event.account_id, 0)
        require("C01", stored.version == times, "the count is how many were used")
        self._uncounted.discard((event.batch_id, event.lot_id))

    def _granted(self, _: Stored, event: CreditLotGranted) -> None:
        promised = self._ungranted.pop(event.lot_id, None)
        if promised is not None:
            said = (event.amount_nano, event.source, event.aliases or ())
            require("C01", said == (promised.amount_nano, "promo", promised.aliases), "what was promised")


class LowBalanceAudit:
    """B01: every crossing of a threshold is told of once, and nothing else is."""

    def __init__(self, balance_nano: Callable[[], int]) -> None:
        self._balance_nano = balance_nano  #: of the account, by the auditor's books
        self._before_nano = 0
        self._thresholds: dict[UUID | None, int | None] = {}
        self._crossings: dict[int, tuple[int, int]] = {}  #: by position, that nobody has told of
        self._has_had_credit = False

    def read(self, stored: Stored) -> None:
        """After the auditor has counted it."""
        match stored.event:
            case BalanceLowSet() as event:
                self._set(stored, event)
            case BalanceLowCrossed() as event:
                self._told(stored, event)
            case _:
                self._moved(stored)

    def finish(self) -> None:
        require("B01", not self._crossings, "every crossing is told of in the end")

    def _moved(self, stored: Stored) -> None:
        after_nano, threshold_nano = self._balance_nano(), self._threshold_nano
        if after_nano < threshold_nano <= self._before_nano:
            self._crossings[stored.position] = threshold_nano, after_nano
        self._before_nano = after_nano
        self._has_had_credit = self._has_had_credit or isinstance(stored.event, CreditLotGranted)

    def _set(self, stored: Stored, event: BalanceLowSet) -> None:
        """Of the account's own threshold at once; of the one for all when the account moves next."""
        was_nano = self._threshold_nano
        self._thresholds[event.account_id] = event.threshold_nano
        if event.account_id is None or not self._has_had_credit:
            return
        if was_nano <= self._before_nano < self._threshold_nano:
            self._crossings[stored.position] = self._threshold_nano, self._before_nano

    def _told(self, stored: Stored, event: BalanceLowCrossed) -> None:
        require("B01", stored.version == 1, "a crossing is told of once")
        crossed = self._crossings.pop(event.crossed_position, None)
        said = (event.threshold_nano, event.balance_nano)
        require("B01", crossed == said, "what is told of was crossed, there, and not told of before")

    @property
    def _threshold_nano(self) -> int:
        own_nano = next((nano for one, nano in self._thresholds.items() if one is not None), None)
        return (self._thresholds.get(None) or 0) if own_nano is None else own_nano
