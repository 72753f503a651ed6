"""Refunds that operators ask for: of the part of the payment whose credit is unspent, never twice, large ones by two people.

The credit is set aside in the append that asks for the refund. The money goes back afterwards: through the provider, or by
a bank transfer that an operator confirms. What comes to nothing gives the credit back. Of an order on account that is not paid
no money goes back: less is owed for it, at once.
"""

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.fact import Actor, Stamp
from domain.recharge.events import (
    OrderEvent,
    RefundApproved,
    RefundFailed,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
)
from domain.recharge.offers import TaxQuote
from domain.recharge.order import BY_TRANSFER, Order, evolve
from domain.recharge.returns import Refund
from domain.recharge.shares import credited, credits_of, money_of, tax_of
from domain.refusal import (
    AlreadyExists,
    BadField,
    NotFound,
    NotPermitted,
    Refusal,
    SecondOperatorNeeded,
    WrongState,
)
from domain.text import REASON_CHARS_MAX, printable


class RefundTooLarge(Refusal):
    """More than is left of the payment, after refunds and disputes; nothing was asked for."""

    code: ClassVar[str] = "refund_too_large"

    def __init__(self, *, required_minor: int, left_minor: int, currency: str) -> None:
        super().__init__(f"{required_minor} minor units of {currency}, {left_minor} are left of the payment")
        self.required_minor = required_minor
        self.left_minor = left_minor
        self.currency = currency


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asks for. Without an amount it is all that is unspent, `unspent_nano` of the order's lot."""

    refund_id: UUID
    amount_minor: int | None
    unspent_nano: int
    reason: str
    approval_nano: int  #: of more credit a second operator must agree


def request(order: Order, asked: Asked, *, stamp: Stamp) -> list[OrderEvent]:
    """Ask for a refund; one that needs nobody else is approved at once. The same again, by its id, does nothing.

    Raises:
        WrongState: the order was not credited, or nothing of it is unspent.
        AlreadyExists: the id is of a refund of another amount.
        RefundTooLarge: see there.
        BadField: the amount is none, buys no credit, or the reason cannot be shown.
    """
    reason = printable(asked.reason, field="reason", chars_max=REASON_CHARS_MAX)
    known = order.refunds.get(asked.refund_id)
    if known is not None:
        if asked.amount_minor in {None, known.amount_minor}:
            return []
        raise AlreadyExists("refund", asked.refund_id)
    amount_minor = _amount_of(order, asked)
    credits_nano = credits_of(order, amount_minor)
    if not credits_nano:
        raise BadField("amount_minor", "buys no credit")
    requested = RefundRequested(
        order_id=order.order_id,
        refund_id=asked.refund_id,
        amount_minor=amount_minor,
        credits_nano=credits_nano,
        reason=reason,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    if credits_nano > asked.approval_nano or _is_large(order, amount_minor):
        return [requested]
    return [requested, *_agreed(evolve(order, requested), asked.refund_id, stamp)]


def approve(order: Order, refund_id: UUID, *, by: Actor, stamp: Stamp) -> list[OrderEvent]:
    """The second operator agrees: the money may go back. Doing it again does nothing.

    Raises:
        NotFound: no such refund was asked for.
        WrongState: it was denied.
        SecondOperatorNeeded: who asked cannot agree as well.
        NotPermitted: the actor is no operator: on the server's command line nobody can tell who it is.
    """
    refund = _refund(order, refund_id)
    if refund.state == "failed":
        raise WrongState("refund", "failed")
    if refund.state != "requested":
        return []
    if by.label == refund.requested_by:
        raise SecondOperatorNeeded("another operator than the one who asked has to decide")
    if by.kind != "operator":
        raise NotPermitted("an operator's token: the command line of the server is nobody")
    return _agreed(order, refund_id, stamp)


def deny(order: Order, refund_id: UUID, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """Refuse one that waits, or take one's own back; the credit is the customer's again. Once failed, this does nothing.

    Raises:
        NotFound: no such refund was asked for.
        WrongState: it was approved.
        BadField: the reason cannot be shown.
    """
    refund = _refund(order, refund_id)
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if refund.state == "failed":
        return []
    if refund.state != "requested":
        raise WrongState("refund", refund.state)
    return [failed(order, refund_id, reason=shown, stamp=stamp)]


def confirm(
    order: Order, refund_id: UUID, *, refund_ref: str, evidence: str, stamp: Stamp
) -> list[OrderEvent]:
    """The bank has paid a transfer back; `refund_ref` is its own id of that. The same again does nothing.

    Raises:
        NotFound: no such refund was asked for.
        WrongState: it was not approved, failed, or goes back through a provider.
        BadField: the bank's id or the evidence cannot be shown.
    """
    refund = _by_transfer(order, refund_id)
    refund_ref = printable(refund_ref, field="refund_ref")
    evidence = printable(evidence, field="evidence", chars_max=REASON_CHARS_MAX)
    if refund.state == "succeeded" and refund.refund_ref == refund_ref:
        return []
    if refund.state != "approved":
        raise WrongState("refund", refund.state)
    done = succeeded(order, refund_id, refund_ref=refund_ref, stamp=stamp)
    return [
        submitted(order, refund_id, refund_ref=refund_ref, stamp=stamp),
        msgspec.structs.replace(done, evidence=evidence),
    ]


def give_up(order: Order, refund_id: UUID, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """A bank transfer back could not be made, or came back; the credit is the customer's again. Once failed, this does nothing.

    Raises:
        NotFound: no such refund was asked for.
        WrongState: it goes back through a provider, which alone knows what becomes of it, or no money was to go back.
        BadField: the reason cannot be shown.
    """
    refund = _by_transfer(order, refund_id)
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if refund.state == "failed":
        return []
    if refund.set_off:
        raise WrongState("refund", "set off against what was owed")
    return [failed(order, refund_id, reason=shown, stamp=stamp)]


def refused(order: Order, refund_id: UUID, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """The provider says no to what it has not begun; one that it has taken is what the provider says later."""
    refund = _refund(order, refund_id)
    if refund.state != "approved":
        return []
    return [failed(order, refund_id, reason=reason, stamp=stamp)]


# --- facts


def submitted(order: Order, refund_id: UUID, *, refund_ref: str, stamp: Stamp) -> RefundSubmitted:
    return RefundSubmitted(
        order_id=order.order_id,
        refund_id=refund_id,
        refund_ref=refund_ref,
        idempotency_key=idempotency_key(order.order_id, refund_id),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def succeeded(order: Order, refund_id: UUID, *, refund_ref: str, stamp: Stamp) -> RefundSucceeded:
    refund, placed = order.refunds[refund_id], order.placed
    return RefundSucceeded(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        provider=placed.provider,
        refund_ref=refund_ref,
        amount_minor=refund.amount_minor,
        currency=placed.currency,
        tax=split_tax(order, refund.amount_minor, refund.tax_minor),
        credits_nano=refund.credits_nano,
        mode=placed.mode,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def failed(order: Order, refund_id: UUID, *, reason: str, stamp: Stamp) -> RefundFailed:
    refund, placed = order.refunds[refund_id], order.placed
    return RefundFailed(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        amount_minor=refund.amount_minor,
        currency=placed.currency,
        tax=split_tax(order, refund.amount_minor, refund.tax_minor),
        approved=refund.state != "requested",
        reason=reason,
        provider=placed.provider,
        mode=placed.mode,
        succeeded=True if refund.state == "succeeded" else msgspec.UNSET,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def idempotency_key(order_id: UUID, refund_id: UUID) -> str:
    """Under which the provider is asked, however often."""
    return f"order/{order_id}/refund/{refund_id}"


def _agreed(order: Order, refund_id: UUID, stamp: Stamp) -> list[OrderEvent]:
    """The provider or the bank may be asked; while the order is owed nobody needs to be."""
    approved = _approved(order, refund_id, stamp)
    if not order.owed_minor:
        return [approved]
    done = succeeded(evolve(order, approved), refund_id, refund_ref=order.placed.reference, stamp=stamp)
    return [approved, msgspec.structs.replace(done, set_off=True)]


def _approved(order: Order, refund_id: UUID, stamp: Stamp) -> RefundApproved:
    refund, placed = order.refunds[refund_id], order.placed
    # Of others that wait for approval no tax is fixed yet.
    waiting = sum(one.amount_minor for one in order.refunds.values() if one.state == "requested")
    lost = sum(one.amount_minor for one in order.disputes.values() if one.state == "lost")
    gone_minor = order.refunded_minor - waiting + lost
    return RefundApproved(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        amount_minor=refund.amount_minor,
        currency=placed.currency,
        tax=tax_of(order, refund.amount_minor, gone_minor=gone_minor),
        provider=placed.provider,
        mode=placed.mode,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def refundable_minor(order: Order, unspent_nano: int) -> int:
    """What can go back of the payment if so much of the credit is unspent."""
    return min(money_of(order, unspent_nano), _left_minor(order))


def _left_minor(order: Order) -> int:
    """Of the payment, after refunds and disputes."""
    return max(credited(order).gross_minor - order.taken_minor, 0)


def _amount_of(order: Order, asked: Asked) -> int:
    left_minor = _left_minor(order)
    if asked.amount_minor is None:
        amount_minor = refundable_minor(order, asked.unspent_nano)
        if not amount_minor:
            raise WrongState("order", "used up")
        return amount_minor
    if asked.amount_minor <= 0:
        raise BadField("amount_minor", "must be positive")
    if asked.amount_minor > left_minor:
        raise RefundTooLarge(
            required_minor=asked.amount_minor, left_minor=left_minor, currency=order.placed.currency
        )
    return asked.amount_minor


def _is_large(order: Order, amount_minor: int) -> bool:
    limit_minor = order.placed.approval_minor
    return limit_minor is not None and amount_minor >= limit_minor


def _refund(order: Order, refund_id: UUID) -> Refund:
    try:
        return order.refunds[refund_id]
    except KeyError:
        raise NotFound("refund", refund_id) from None


def _by_transfer(order: Order, refund_id: UUID) -> Refund:
    refund = _refund(order, refund_id)
    if order.placed.provider not in BY_TRANSFER:
        raise WrongState("refund", f"paid back through {order.placed.provider}")
    return refund


def split_tax(order: Order, amount_minor: int, tax_minor: int) -> TaxQuote:
    """Tax as it was fixed before."""
    return msgspec.structs.replace(
        credited(order).tax, net_minor=amount_minor - tax_minor, tax_minor=tax_minor
    )
