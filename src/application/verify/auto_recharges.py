"""C03: an automatic recharge was within its rule and its month's cap, one at a time, and is an order of its account.

By sums of its own, not by the fold that decided.
"""

from collections import Counter
from typing import Final
from uuid import UUID

import msgspec

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.auto_recharge.auto import auto_stream, order_of
from domain.auto_recharge.events import (
    AUTO_RECHARGE_EVENTS,
    AutoRechargeBegun,
    AutoRechargeDeclined,
    AutoRechargeEvent,
    AutoRechargeNeedsCustomer,
    AutoRechargePaid,
    AutoRechargeSet,
    AutoRechargeStopped,
    AutoRechargeTried,
    MethodForgotten,
    MethodPageOpened,
    MethodSaved,
    Rule,
)
from domain.auto_recharge.trying import BACK_OFF_US, month_of
from domain.recharge.events import RechargeCredited, RechargeOrderPlaced

KINDS: Final = frozenset((*AUTO_RECHARGE_EVENTS, RechargeOrderPlaced, RechargeCredited))
_Outcome = AutoRechargeBegun | AutoRechargeNeedsCustomer | AutoRechargePaid | AutoRechargeDeclined


class _Account(msgspec.Struct, kw_only=True):
    """What an account has allowed, and what was ordered by it."""

    pages: set[str] = msgspec.field(default_factory=set)
    has_method: bool = False
    rule: Rule | None = None
    is_on: bool = False
    tries: int = 0
    open: AutoRechargeTried | None = None
    is_begun: bool = False
    used_minor: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  #: by currency and month
    declines: int = 0
    retry_us: int = 0


class AutoRechargeCheck:
    """Feed it every event of `KINDS`, in order."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._accounts: dict[UUID, _Account] = {}
        self._due: dict[UUID, AutoRechargeTried] = {}  #: orders that must be placed in the same append
        self._credited: dict[UUID, int] = {}  #: where, of orders that are open

    def take(self, at: Stored) -> None:
        """One event; of an order that nobody placed by itself nothing is done."""
        match at.event:
            case RechargeOrderPlaced() as event:
                self._placed(at, event)
            case RechargeCredited() as event:
                if event.order_id in self._credited:
                    self._credited[event.order_id] = at.position
            case _:
                self._own(at)

    def finish(self) -> None:
        for order_id in self._due:
            self._findings.add("C03", position=0, subject=order_id, detail="was tried, and never placed")

    def _own(self, at: Stored) -> None:
        event: AutoRechargeEvent = at.event  # type: ignore[assignment]  # the others of `KINDS` are handled
        if at.stream_id != auto_stream(event.account_id):
            self._find("L03", at, f"not the automatic recharges of {event.account_id}")
        account = self._accounts.setdefault(event.account_id, _Account())
        match event:
            case MethodPageOpened():
                account.pages.add(event.session_ref)
            case MethodSaved():
                self._check(
                    at, event.session_ref in account.pages, "saves what was left on no page of its own"
                )
                account.pages.discard(event.session_ref)
                account.has_method = True
            case MethodForgotten():
                account.has_method = False
            case AutoRechargeSet():
                self._set(at, account, event)
            case AutoRechargeStopped():
                account.is_on = False
            case AutoRechargeTried():
                self._tried(at, account, event)
            case (
                AutoRechargeBegun()
                | AutoRechargeNeedsCustomer()
                | AutoRechargePaid()
                | AutoRechargeDeclined()
            ):
                self._outcome(at, account, event)
            case _:
                pass

    def _set(self, at: Stored, account: _Account, event: AutoRechargeSet) -> None:
        self._check(at, account.has_method, "sets a rule without a way to pay")
        if not account.is_on:
            account.declines, account.retry_us = 0, 0
        account.rule, account.is_on = event.rule, True

    def _tried(self, at: Stored, account: _Account, event: AutoRechargeTried) -> None:
        rule = account.rule
        self._check(at, account.is_on and account.has_method, "orders without a rule that is on")
        self._check(at, account.open is None, "orders while another order is open")
        self._check(at, event.occurred_us >= account.retry_us, "orders before its wait is over")
        self._check(at, event.balance_nano < event.threshold_nano, "orders for a balance that is not low")
        if rule is not None:
            told = event.currency, event.threshold_nano, event.cap_minor, event.month
            month = month_of(rule.zone, event.occurred_us)
            ruled = rule.currency, rule.threshold_nano, rule.cap_minor, month
            self._check(at, told == ruled, "orders by another rule than there is")
        account.tries += 1
        own = order_of(event.account_id, account.tries)
        self._check(at, event.order_id == own, "orders under another number than its own")
        account.used_minor[event.currency, event.month] += event.amount_minor
        used_minor = account.used_minor[event.currency, event.month]
        is_within = used_minor == event.used_minor <= event.cap_minor
        self._check(at, is_within, f"{used_minor} are used of the month's {event.cap_minor}")
        account.open, account.is_begun = event, False
        self._due[event.order_id] = event
        self._credited[event.order_id] = 0

    def _outcome(self, at: Stored, account: _Account, event: _Outcome) -> None:
        tried = account.open
        if tried is None or tried.order_id != event.order_id:
            self._find("C03", at, "tells of an order that is not open")
            return
        match event:
            case AutoRechargeBegun():
                self._check(at, not account.is_begun, "begins a second payment of one order")
                account.is_begun = True
            case AutoRechargePaid():
                position = self._credited.pop(event.order_id)
                self._check(at, 0 < position == event.credited_position, "is paid, and not credited there")
                account.open, account.declines, account.retry_us = None, 0, 0
            case AutoRechargeDeclined():
                self._declined(at, account, event, tried)
            case _:
                pass

    def _declined(
        self, at: Stored, account: _Account, event: AutoRechargeDeclined, tried: AutoRechargeTried
    ) -> None:
        account.declines += 1
        waits_us = [*BACK_OFF_US, None]
        wait_us = waits_us[min(account.declines, len(waits_us)) - 1]
        retry_us = None if wait_us is None else event.occurred_us + wait_us
        fits = (event.declines, event.retry_us) == (account.declines, retry_us)
        self._check(at, fits, "does not wait as long as it should")
        self._credited.pop(event.order_id)
        account.used_minor[tried.currency, tried.month] -= tried.amount_minor
        account.open, account.retry_us = None, event.retry_us or 0
        account.is_on = account.is_on and event.retry_us is not None

    def _placed(self, at: Stored, placed: RechargeOrderPlaced) -> None:
        tried = self._due.pop(placed.order_id, None)
        if tried is None:
            return
        told = tried.account_id, tried.provider, tried.amount_minor, tried.currency
        is_same = told == (placed.account_id, placed.provider, placed.amount_minor, placed.currency)
        self._check(at, is_same, "is not the order that was tried")

    def _check(self, at: Stored, is_right: bool, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not is_right:
            self._find("C03", at, detail)

    def _find(self, code: str, at: Stored, detail: str) -> None:
        self._findings.add(code, position=at.position, subject=at.stream_id, detail=detail)
