"""An account's automatic recharges as their facts have them: the saved way to pay, the rule, the order that is open."""

from typing import Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.auto_recharge.events import (
    AutoRechargeBegun,
    AutoRechargeCapReached,
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
from domain.ids import stream_of
from domain.recharge.events import Mode

MethodEvent = MethodPageOpened | MethodSaved | MethodForgotten
TryEvent = AutoRechargeTried | AutoRechargeBegun | AutoRechargeCapReached
OutcomeEvent = AutoRechargeNeedsCustomer | AutoRechargePaid | AutoRechargeDeclined
BURST: Final = 3
"""So many orders are the most within `trying.BURST_US`."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A saved way to pay."""

    provider: str
    mode: Mode
    method_ref: str
    customer_ref: str
    brand: str


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the system placed, and what came of it so far."""

    order_id: UUID
    amount_minor: int
    currency: str
    month: str
    tried_us: int
    payment_ref: str | None = None
    state: Literal["open", "needs_customer", "paid", "declined"] = "open"
    reason: str = ""  #: of a decline
    retry_us: int | None = None  #: after a decline

    @property
    def is_open(self) -> bool:
        return self.state in {"open", "needs_customer"}


class Auto(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of the stream."""

    pages: frozenset[str] = frozenset()  #: on which a way to pay may still be left
    method: Method | None = None
    rule: Rule | None = None  #: the last one, in force or not
    is_on: bool = False
    tries: int = 0
    latest: Try | None = None
    burst_us: tuple[int, ...] = ()  #: when the latest orders were placed, `BURST` at most
    used_minor: dict[str, int] = {}  #: by `period_of`, what counts in it
    capped: str = ""  #: where it was last said that the cap is reached
    declines: int = 0  #: in a row
    retry_us: int = 0
    balance_from: int = 0  #: a balance from before this position says nothing about now

    @property
    def open_try(self) -> Try | None:
        """The order that is under way; there is never a second one."""
        return self.latest if self.latest is not None and self.latest.is_open else None


def auto_stream(account_id: UUID) -> UUID:
    return stream_of(account_id, "auto-recharge")


def order_of(account_id: UUID, number: int) -> UUID:
    """The id of an account's automatic order, from 1: the same one however often it is decided."""
    return stream_of(account_id, f"auto-recharge:{number}")


def period_of(currency: str, month: str) -> str:
    """Where an order counts against a cap."""
    return f"{currency} {month}"


def evolve(auto: Auto, event: AutoRechargeEvent) -> Auto:
    """The state after one more fact."""
    if isinstance(event, MethodEvent):
        return _method(auto, event)
    if isinstance(event, OutcomeEvent):
        return _outcome(auto, event)
    if isinstance(event, AutoRechargeSet):
        again = {} if auto.is_on else {"declines": 0, "retry_us": 0}
        return replace(auto, rule=event.rule, is_on=True, **again)
    if isinstance(event, AutoRechargeStopped):
        return replace(auto, is_on=False)
    return _trying(auto, event)


def _trying(auto: Auto, event: TryEvent) -> Auto:
    match event:
        case AutoRechargeTried():
            return _tried(auto, event)
        case AutoRechargeBegun():
            return replace(auto, latest=replace(_latest(auto), payment_ref=event.payment_ref))
        case AutoRechargeCapReached():
            return replace(auto, capped=cap_key(event.currency, event.month, event.cap_minor))
        case _:
            assert_never(event)


def _method(auto: Auto, event: MethodEvent) -> Auto:
    match event:
        case MethodPageOpened():
            return replace(auto, pages=auto.pages | {event.session_ref})
        case MethodSaved():
            method = Method(
                provider=event.provider,
                mode=event.mode,
                method_ref=event.method_ref,
                customer_ref=event.customer_ref,
                brand=event.brand,
            )
            return replace(auto, method=method, pages=auto.pages - {event.session_ref})
        case MethodForgotten():
            return replace(auto, method=None)
        case _:
            assert_never(event)


def _tried(auto: Auto, event: AutoRechargeTried) -> Auto:
    begun = Try(
        order_id=event.order_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        month=event.month,
        tried_us=event.occurred_us,
    )
    return replace(
        auto,
        tries=auto.tries + 1,
        latest=begun,
        burst_us=(*auto.burst_us, event.occurred_us)[-BURST:],
        used_minor={**auto.used_minor, period_of(event.currency, event.month): event.used_minor},
    )


def _outcome(auto: Auto, event: OutcomeEvent) -> Auto:
    latest = _latest(auto)
    match event:
        case AutoRechargeNeedsCustomer():
            return replace(auto, latest=replace(latest, state="needs_customer"))
        case AutoRechargePaid():
            return replace(
                auto,
                latest=replace(latest, state="paid"),
                declines=0,
                retry_us=0,
                balance_from=event.credited_position + 1,
            )
        case AutoRechargeDeclined():
            period = period_of(latest.currency, latest.month)
            return replace(
                auto,
                latest=replace(latest, state="declined", reason=event.reason, retry_us=event.retry_us),
                used_minor={**auto.used_minor, period: auto.used_minor[period] - latest.amount_minor},
                is_on=auto.is_on and event.retry_us is not None,
                declines=event.declines,
                retry_us=event.retry_us or 0,
            )
        case _:
            assert_never(event)


def _latest(auto: Auto) -> Try:
    assert auto.latest is not None, "something was tried"
    return auto.latest


def cap_key(currency: str, month: str, cap_minor: int) -> str:
    """A cap of a month: another one is told of anew."""
    return f"{period_of(currency, month)} {cap_minor}"
