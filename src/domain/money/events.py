"""Facts about money that are of no single order: lines of our accounts at payment providers, bills of model providers."""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.event import Event
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.periods import end_of
from domain.recharge.currencies import exponent_of, require_minor
from domain.recharge.events import Mode
from domain.refusal import AlreadyExists
from domain.text import printable, slug

PayoutOutcome = Literal["matched", "untold"]
_LINES = UUID("3b0f6d6e-3c1a-57f3-8a55-0c2f6f8f9d20")
#: Lines of payments: their gross amount is booked by the order that they paid for, if there is one.
PAYMENTS = frozenset({"charge", "payment"})
PAYOUT = "payout"
#: Money to our bank, and what comes back of it.
PAYOUTS = frozenset({PAYOUT, "payout_cancel", "payout_failure"})


class PspLineRecorded(Event, frozen=True, kw_only=True):
    """A line of our account at a payment provider, as its list has it. Stream `psp-line:{provider}:{ref}`, the first event.

    `gross_minor` - `fee_minor` = `net_minor`, negative where money left. Of the gross amount what is paid out to our bank is
    `payout_minor`, what no order tells of is `other_minor` and waits for somebody; the rest is booked by the facts of orders.
    """

    TOPIC: ClassVar[str] = "money.psp-line-recorded.v1"

    provider: str
    mode: Mode
    line_ref: str
    kind: str
    source_ref: str  #: the payment it is of, or another object of the provider's
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    payout_minor: int
    other_minor: int
    created_us: int
    occurred_us: int
    object_ref: str | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: the refund or dispute that it is of, if it is of one


class PspLinePaidOut(Event, frozen=True, kw_only=True):
    """The line is a part of a payout. The second event of its stream, so it is a part of no other one."""

    TOPIC: ClassVar[str] = "money.psp-line-paid-out.v1"

    provider: str
    mode: Mode
    line_ref: str
    payout_ref: str
    occurred_us: int


class PayoutReconciled(Event, frozen=True, kw_only=True):
    """A payout is the sum of its lines, each of which is in no other one. The second event of the stream of the payout's own line.

    `untold`: the provider does not say of what the payout is made, such as one that somebody has asked for by hand.
    """

    TOPIC: ClassVar[str] = "money.payout-reconciled.v1"

    provider: str
    mode: Mode
    line_ref: str  #: of the payout's own line
    payout_ref: str
    currency: str
    outcome: PayoutOutcome
    lines: int
    net_minor: int  #: of all of them: what came to our bank
    occurred_us: int


LineEvent = PspLineRecorded | PspLinePaidOut | PayoutReconciled


class ProviderCostBooked(Fact, frozen=True, kw_only=True):
    """A company whose models are used has billed us. Stream `cost:{provider}:{invoice}`, one event."""

    TOPIC: ClassVar[str] = "money.provider-cost-booked.v1"

    provider: str  #: by its name here
    period: str  #: that it is for, such as `2026-11`
    invoice_ref: str  #: the bill's own number
    amount_minor: int  #: negative for one that gives back
    currency: str
    exponent: int  #: decimals of the minor unit


MONEY_EVENTS: tuple[type[Event], ...] = (
    PspLineRecorded,
    PspLinePaidOut,
    PayoutReconciled,
    ProviderCostBooked,
)


def line_stream(provider: str, mode: Mode, line_ref: str) -> UUID:
    return stream_of(_LINES, f"psp-line:{provider}:{mode}:{line_ref}")


def cost_stream(provider: str, invoice_ref: str) -> UUID:
    return stream_of(_LINES, f"cost:{provider}:{invoice_ref}")


def book_cost(
    booked: ProviderCostBooked | None,
    *,
    provider: str,
    period: str,
    invoice_ref: str,
    amount_minor: int,
    currency: str,
    stamp: Stamp,
) -> list[ProviderCostBooked]:
    """Book a bill; the same again does nothing.

    Raises:
        AlreadyExists: the number is of another bill of this provider.
        BadField: a name, period, currency or amount that cannot be meant.
    """
    wanted = ProviderCostBooked(
        provider=slug(provider, field="provider"),
        period=period,
        invoice_ref=printable(invoice_ref, field="invoice_ref"),
        amount_minor=amount_minor,
        currency=currency,
        exponent=exponent_of(currency),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    end_of(period)
    require_minor(abs(amount_minor), field="amount_minor")
    if booked is None:
        return [wanted]
    if replace(booked, occurred_us=wanted.occurred_us, actor=wanted.actor) == wanted:
        return []
    raise AlreadyExists("bill", invoice_ref)


def recorded(
    *,
    provider: str,
    mode: Mode,
    line_ref: str,
    kind: str,
    source_ref: str,
    currency: str,
    gross_minor: int,
    fee_minor: int,
    net_minor: int,
    created_us: int,
    now_us: int,
    is_told: bool,
    object_ref: str = "",
) -> PspLineRecorded:
    """The fact about a line, with its gross amount divided by who books it. `is_told`: facts of an order tell of it.

    Raises:
        ValueError: the line does not add up; nothing is concluded from it.
    """
    if gross_minor - fee_minor != net_minor:
        raise ValueError(f"line {line_ref} does not add up")
    is_payout = kind in PAYOUTS
    return PspLineRecorded(
        provider=provider,
        mode=mode,
        line_ref=line_ref,
        kind=kind,
        source_ref=source_ref,
        currency=currency,
        gross_minor=gross_minor,
        fee_minor=fee_minor,
        net_minor=net_minor,
        payout_minor=-gross_minor if is_payout else 0,
        other_minor=0 if is_payout or is_told else gross_minor,
        created_us=created_us,
        occurred_us=now_us,
        object_ref=object_ref if object_ref not in {"", source_ref} else msgspec.UNSET,
    )
