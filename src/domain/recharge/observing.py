"""What a payment provider is seen to say about an order: in any order, any number of times, some of it never.

An observation is what the provider's object is like at some moment. Decisions ignore what is known already, and what an
earlier moment says. So the same observations lead to the same order, however they come.
"""

from typing import Literal
from uuid import UUID

import msgspec

from domain.fact import Stamp
from domain.recharge.events import (
    CheckoutSessionExpired,
    Mode,
    OrderEvent,
    PaymentCaptured,
    PaymentFailed,
    PaymentMismatched,
    PaymentProcessing,
    RechargeCredited,
)
from domain.recharge.order import Order, PaymentState, lot_of


class ObservedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment at the provider that names this order."""

    provider: str
    mode: Mode
    order_id: UUID
    account_id: (
        UUID | None
    )  #: that the provider was told when the order began; none if it keeps no such thing
    payment_ref: str
    status: Literal["processing", "failed", "captured"]
    amount_minor: int
    currency: str
    fee_minor: int | None = None
    method: str = ""
    reason: str = ""  #: of a failure, in the provider's words
    evidence: str = ""


class ObservedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the provider's on which the order could be paid."""

    provider: str
    mode: Mode
    order_id: UUID
    session_ref: str
    status: Literal["open", "complete", "expired"]


class ObservedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the provider pays back, or tries to."""

    provider: str
    mode: Mode
    order_id: UUID
    payment_ref: str
    refund_ref: str
    refund_id: UUID | None  #: ours, if we asked for it
    status: Literal["pending", "succeeded", "failed"]
    amount_minor: int
    currency: str
    reason: str = ""
    payment: ObservedPayment | None = None  #: what the payment says, if it was seen with it


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the provider took from us, or gave, because of a dispute. Negative where it took."""

    transaction_ref: str
    amount_minor: int
    fee_minor: int
    currency: str


class ObservedDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that the customer's bank wants back."""

    provider: str
    mode: Mode
    order_id: UUID
    payment_ref: str
    dispute_ref: str
    status: Literal["inquiry", "open", "won", "lost"]  #: an inquiry takes nothing yet
    amount_minor: int
    currency: str
    reason: str
    due_us: int | None
    movements: tuple[Movement, ...] = ()
    payment: ObservedPayment | None = None  #: what the payment says, if it was seen with it


Observation = ObservedPayment | ObservedSession | ObservedRefund | ObservedDispute


def observe_payment(order: Order, seen: ObservedPayment, *, stamp: Stamp) -> list[OrderEvent]:
    """What becomes of the order. A payment that matches in every part and is captured credits it, once.

    It does so after a cancellation or an expiry too: the customer has paid.
    """
    assert seen.order_id == order.order_id, "the caller finds the order"
    known = order.payments.get(seen.payment_ref)
    if known in {"captured", "mismatched"}:
        return []
    what = mismatches(order, seen)
    if seen.status != "captured":
        # Where no money came, there is nothing to look at either.
        return [] if what else _on_its_way(order, seen, known, stamp)
    if what:
        return [_mismatched(order, seen, what, stamp)]
    return [captured(order, seen, stamp=stamp), credit(order, payment_ref=seen.payment_ref, stamp=stamp)]


def _on_its_way(
    order: Order, seen: ObservedPayment, known: PaymentState | None, stamp: Stamp
) -> list[OrderEvent]:
    if seen.status == "failed" and known != "failed":
        return [
            PaymentFailed(
                order_id=order.order_id,
                payment_ref=seen.payment_ref,
                reason=seen.reason,
                occurred_us=stamp.now_us,
                actor=stamp.actor,
            )
        ]
    if seen.status == "processing" and known is None:
        return [
            PaymentProcessing(
                order_id=order.order_id,
                payment_ref=seen.payment_ref,
                method=seen.method,
                occurred_us=stamp.now_us,
                actor=stamp.actor,
            )
        ]
    return []


def observe_session(order: Order, seen: ObservedSession, *, stamp: Stamp) -> list[OrderEvent]:
    """Only the end of a page is of interest, and only of one of this order's own."""
    if seen.status != "expired" or not order.sessions.get(seen.session_ref, False):
        return []
    if (seen.provider, seen.mode) != (order.placed.provider, order.placed.mode):
        return []
    return [
        CheckoutSessionExpired(
            order_id=order.order_id,
            session_ref=seen.session_ref,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def mismatches(order: Order, seen: ObservedPayment) -> tuple[str, ...]:
    """The parts of the order that the payment does not match."""
    placed = order.placed
    parts = {
        "provider": seen.provider == placed.provider,
        "mode": seen.mode == placed.mode,
        "account": seen.account_id in {None, placed.account_id},
        "currency": seen.currency == placed.currency,
        "amount": seen.amount_minor == placed.amount_minor,
        "second_payment": order.credited is None,
    }
    return tuple(name for name, fits in parts.items() if not fits)


def captured(order: Order, seen: ObservedPayment, *, stamp: Stamp) -> PaymentCaptured:
    """The money is there, and matches."""
    return PaymentCaptured(
        order_id=order.order_id,
        provider=seen.provider,
        mode=seen.mode,
        payment_ref=seen.payment_ref,
        gross_minor=seen.amount_minor,
        currency=seen.currency,
        fee_minor=seen.fee_minor,
        method=seen.method,
        evidence=seen.evidence,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def credit(order: Order, *, payment_ref: str, stamp: Stamp) -> RechargeCredited:
    """The order is fulfilled."""
    placed = order.placed
    return RechargeCredited(
        order_id=order.order_id,
        account_id=order.account_id,
        lot_id=lot_of(order.order_id),
        credits_nano=placed.credits_nano,
        provider=placed.provider,
        mode=placed.mode,
        payment_ref=payment_ref,
        currency=placed.currency,
        exponent=placed.exponent,
        gross_minor=placed.amount_minor,
        tax=placed.tax,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def _mismatched(
    order: Order, seen: ObservedPayment, what: tuple[str, ...], stamp: Stamp
) -> PaymentMismatched:
    return PaymentMismatched(
        order_id=order.order_id,
        provider=seen.provider,
        payment_ref=seen.payment_ref,
        gross_minor=seen.amount_minor,
        currency=seen.currency,
        mode=seen.mode,
        what=what,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
