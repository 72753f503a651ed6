"""The verification itself: one pass over the log, in bounded memory, with the read models at their own positions."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, cast

import msgspec

from application.eventlog import LogUnavailable, RecordedEvent
from application.projections import ReadableLog
from application.verify.accounts import Accounts
from application.verify.adjustments import AdjustmentCheck
from application.verify.auto_recharges import KINDS as AUTO_KINDS
from application.verify.auto_recharges import AutoRechargeCheck
from application.verify.balances import BalanceCheck
from application.verify.budgets import BudgetCheck
from application.verify.charges import ChargeCheck
from application.verify.codes import CodeCheck
from application.verify.keys import KeyCheck
from application.verify.ledger import LedgerFold, Stored
from application.verify.low_balances import LowBalanceCheck
from application.verify.on_account import KINDS as ON_ACCOUNT_KINDS
from application.verify.on_account import OnAccountCheck
from application.verify.periods import PeriodCheck
from application.verify.ratings import RatingCheck
from application.verify.read_models import ReadModels, ReadModelSnapshot
from application.verify.report import Figures, Findings, Report
from application.verify.requests import RequestCheck, UniqueRequests
from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet
from domain.catalogue.prices import PriceListPublished
from domain.event import Event, TopicRegistry, UnknownTopic
from domain.ledger.adjustments import (
    ADJUSTMENT_EVENTS,
    AdjustmentDenied,
    AdjustmentEvent,
    AdjustmentRequested,
)
from domain.ledger.charges import CHARGE_EVENTS, ChargeEvent, UsageReportedLate, UsageReportTaken
from domain.ledger.claim_events import ReceivableWrittenOff
from domain.ledger.events import (
    LEASE_EVENTS,
    WALLET_EVENTS,
    AdjustmentPosted,
    ChargeHeldForReview,
    CreditLotVoided,
    LeaseEvent,
    RequestAdmitted,
    UsageCharged,
    WalletEvent,
)
from domain.ledger.postings import load_rules
from domain.periods import PeriodClosed
from domain.promotions.demo import DEMO_EVENTS
from domain.promotions.events import PROMOTION_EVENTS

if TYPE_CHECKING:
    from uuid import UUID

BATCH_EVENTS: Final = 5_000
_LEASE_KINDS: Final = frozenset(LEASE_EVENTS)
_WALLET_KINDS: Final = frozenset(WALLET_EVENTS)
_ADJUSTMENT_KINDS: Final = frozenset(ADJUSTMENT_EVENTS)
_PROMOTION_KINDS: Final = frozenset((*PROMOTION_EVENTS, *DEMO_EVENTS))
_CHARGE_KINDS: Final = frozenset(CHARGE_EVENTS)


def verify(store: ReadableLog, registry: TopicRegistry, read_models: ReadModels | None = None) -> Report:
    """Check the log up to its end, and the read models against it as far as they are.

    Blocking, for seconds to minutes. Others may go on writing: what comes after the start is not looked at.

    Raises:
        LogUnavailable: the log cannot be read; nothing is said about it.
    """
    started_s = time.monotonic()
    with ExitStack() as stack:
        # Taken before the end of the log is asked for, so that no read model is ahead of what is folded.
        snapshot = stack.enter_context(read_models.snapshot()) if read_models else None
        check = _Verification(registry, snapshot, store)
        for recorded in _read(store, until_position=store.head_position()):
            check.take(recorded)
        report = check.finish()
    report.figures.took_s = time.monotonic() - started_s
    return report


def _read(store: ReadableLog, *, until_position: int) -> Iterator[RecordedEvent]:
    position = 0
    while position < until_position:
        events = store.read_log(after_position=position, limit=BATCH_EVENTS)
        if not events:
            raise LogUnavailable(f"the log ends at {position}, but its head is {until_position}")
        for event in events:
            if event.position > until_position:
                return
            yield event
        position = max(position, events[-1].position)


class _Verification:
    """One pass. Every check sees each event once, in the order of the log."""

    def __init__(
        self, registry: TopicRegistry, snapshot: ReadModelSnapshot | None, store: ReadableLog
    ) -> None:
        self._registry = registry
        self._store = store
        self._snapshot = snapshot
        self._findings = Findings()
        self._figures = Figures()
        self._versions: dict[UUID, int] = {}
        self._ledger = LedgerFold(self._findings)
        self._accounts = Accounts(self._findings)
        self._moving = frozenset(load_rules().rules)
        self._periods = PeriodCheck(self._findings, self._accounts.balances)
        self._budgets = BudgetCheck(self._findings)
        self._adjustments = AdjustmentCheck(self._findings)
        self._codes = CodeCheck(self._findings)
        self._unique = UniqueRequests()
        self._ratings = RatingCheck(self._findings)
        self._charges = ChargeCheck(self._findings, self._ratings, self._event_at)
        self._auto = AutoRechargeCheck(self._findings)
        self._on_account = OnAccountCheck(self._findings)
        self._low = LowBalanceCheck(self._findings, self._ledger)
        self._balances = BalanceCheck() if snapshot else None
        self._requests = RequestCheck(snapshot, self._findings) if snapshot else None
        self._keys = KeyCheck() if snapshot else None

    def take(self, recorded: RecordedEvent) -> None:
        self._check_order(recorded)
        self._figures.events += 1
        event = self._decode(recorded)
        if event is not None:
            if recorded.topic in self._moving:
                self._periods.book(recorded.position, recorded.recorded_at_us)
            at = Stored(recorded.position, recorded.stream_id, recorded.version, event)
            self._fold(at)
            if self._snapshot and self._keys and at.position <= self._snapshot.keys_position:
                self._keys.take(at)

    def _fold(self, at: Stored) -> None:
        kind = type(at.event)
        self._budgets.take(at)
        if kind in _LEASE_KINDS:
            self._take_lease(at, cast("LeaseEvent", at.event))
        elif kind in _WALLET_KINDS:
            self._codes.take(at)
            self._ledger.take_wallet(at, cast("WalletEvent", at.event))
            if isinstance(at.event, AdjustmentPosted | CreditLotVoided | ReceivableWrittenOff):
                self._adjustments.post(at, at.event)
        else:
            self._take_other(at)
            return
        self._low.moved(at, getattr(at.event, "account_id", None))
        self._accounts.take(at)
        self._fold_read_models(at)

    def _take_lease(self, at: Stored, event: LeaseEvent) -> None:
        self._ledger.take_lease(at, event)
        match event:
            case RequestAdmitted():
                self._unique.take(event.request_id)
            case UsageCharged():
                self._ratings.check(at, event)
                self._charges.charged(at, event)
            case ChargeHeldForReview():
                self._charges.held(at, event)
            case _:
                pass

    def _take_other(self, at: Stored) -> None:
        kind = type(at.event)
        if kind in ON_ACCOUNT_KINDS:
            self._on_account.take(at)
        if kind is PriceListPublished:
            self._ratings.publish(at, cast("PriceListPublished", at.event))
        elif kind is PeriodClosed:
            self._periods.check(at.position, cast("PeriodClosed", at.event))
        elif kind in _ADJUSTMENT_KINDS:
            self._take_adjustment(at, cast("AdjustmentEvent", at.event))
        elif kind in _PROMOTION_KINDS:
            self._codes.take(at)
        elif kind is BalanceLowSet:
            self._low.set(at, cast("BalanceLowSet", at.event))
        elif kind is BalanceLowCrossed:
            self._low.told(at, cast("BalanceLowCrossed", at.event))
        elif kind in AUTO_KINDS:
            self._auto.take(at)
        elif kind in _CHARGE_KINDS:
            self._take_charge(at, cast("ChargeEvent | UsageReportTaken", at.event))

    def _take_adjustment(self, at: Stored, event: AdjustmentEvent) -> None:
        self._adjustments.take(at, event)
        if isinstance(event, AdjustmentRequested):
            self._charges.asked(at, event)
        elif isinstance(event, AdjustmentDenied):
            self._charges.denied(event)

    def _take_charge(self, at: Stored, event: ChargeEvent | UsageReportTaken) -> None:
        if isinstance(event, UsageReportTaken):
            self._charges.taken(at, event)
            return
        self._charges.decided(at, event)
        if isinstance(event, UsageReportedLate):
            self._ledger.shortfall_nano += event.shortfall_nano - event.shortfall_back_nano
            self._accounts.take(at)

    def _event_at(self, position: int) -> Event | None:
        """What stands somewhere before; nothing where it cannot be read, which is told of there."""
        for recorded in self._store.read_log(after_position=position - 1, limit=1):
            if recorded.position == position:
                with suppress(UnknownTopic, msgspec.DecodeError):
                    return self._registry.decode(recorded.topic, recorded.state)
        return None

    def _fold_read_models(self, at: Stored) -> None:
        """Each read model is compared as of its own position."""
        snapshot = self._snapshot
        if snapshot is None or self._balances is None or self._requests is None:
            return
        if at.position <= snapshot.balances_position:
            self._balances.take(at)
        if at.position <= snapshot.requests_position:
            self._requests.take(at)

    def _check_order(self, recorded: RecordedEvent) -> None:
        figures, findings = self._figures, self._findings
        if recorded.position <= figures.position:
            findings.add(
                "P08",
                position=recorded.position,
                subject=recorded.stream_id,
                detail=f"comes after position {figures.position}",
            )
        figures.position = recorded.position
        expected = self._versions.get(recorded.stream_id, 0) + 1
        if recorded.version != expected:
            findings.add(
                "P08",
                position=recorded.position,
                subject=recorded.stream_id,
                detail=f"version {recorded.version}, should be {expected}",
            )
        self._versions[recorded.stream_id] = recorded.version

    def _decode(self, recorded: RecordedEvent) -> Event | None:
        try:
            return self._registry.decode(recorded.topic, recorded.state)
        except UnknownTopic:
            detail = f"unknown topic {recorded.topic}"
        except msgspec.DecodeError:
            detail = f"the bytes do not fit {recorded.topic}"
        self._findings.add("L02", position=recorded.position, subject=recorded.stream_id, detail=detail)
        return None

    def finish(self) -> Report:
        self._unique.finish(self._findings)
        self._adjustments.finish()
        self._codes.finish()
        self._auto.finish()
        self._on_account.finish()
        self._charges.finish()
        self._ledger.finish()
        self._accounts.finish(self._ledger)
        self._fill_figures()
        if self._snapshot and self._balances and self._requests:
            self._figures.balances_compared = self._balances.compare(self._snapshot, self._findings)
            self._requests.finish()
            self._figures.requests_compared = self._requests.compared
            self._figures.balances_position = self._snapshot.balances_position
            self._figures.requests_position = self._snapshot.requests_position
        if self._snapshot and self._keys:
            self._figures.keys_compared = self._keys.compare(self._snapshot, self._findings)
            self._figures.keys_position = self._snapshot.keys_position
        return self._findings.report(self._figures)

    def _fill_figures(self) -> None:
        figures, ledger = self._figures, self._ledger
        figures.streams = len(self._versions)
        figures.accounts = len(ledger.wallets)
        figures.leases_open = len(ledger.leases)
        figures.requests = len(self._unique)
        figures.requests_open = sum(len(lease.holds) for lease in ledger.leases.values())
        figures.granted_nano = sum(wallet.granted_nano for wallet in ledger.wallets.values())
        figures.expired_nano = sum(wallet.expired_nano for wallet in ledger.wallets.values())
        figures.taken_nano = sum(wallet.taken_nano for wallet in ledger.wallets.values())
        figures.owed_nano = sum(wallet.owed_nano for wallet in ledger.wallets.values())
        figures.charged_nano = sum(ledger.charged_nano.values())
        figures.shortfall_nano = ledger.shortfall_nano
        figures.periods_compared = self._periods.compared
        figures.trial_balance_sha256 = self._accounts.sha256()
