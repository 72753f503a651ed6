"""Bank transfers: an operator confirms what came in, and a second one does so too where it is much.

One for an order on account pays what is owed of it; any other credits its order.
"""

from typing import ClassVar

from domain.fact import Stamp
from domain.recharge.events import OrderEvent, SettlementDenied, SettlementProposed
from domain.recharge.observing import ObservedPayment, captured, observe_payment
from domain.recharge.order import BY_TRANSFER, INVOICE, Order
from domain.refusal import Refusal, SecondOperatorNeeded, WrongState
from domain.text import REASON_CHARS_MAX, printable

_TRANSFER = "bank_transfer"


class SettlementMismatch(Refusal):
    """What came in is not what is to be paid; nothing was credited or paid. Cancel it, and place one for what came in; what is bought
    already is paid as a whole.
    """

    code: ClassVar[str] = "settlement_mismatch"

    def __init__(self, *, expected_minor: int, currency: str) -> None:
        super().__init__(f"{expected_minor} minor units of {currency} are to be paid")
        self.expected_minor = expected_minor
        self.currency = currency


def settle(
    order: Order, *, payment_ref: str, amount_minor: int, currency: str, evidence: str, stamp: Stamp
) -> list[OrderEvent]:
    """A transfer has come in: credit the order, or pay what is owed of it, or propose that to a second operator. Repeating does nothing.

    A transfer that comes after the order was cancelled or has expired is credited as well.

    Raises:
        WrongState: the order is not paid by transfer, is paid already, or another transfer is proposed.
        SettlementMismatch: see there.
        BadField: the bank's id or the evidence cannot be shown.
    """
    payment_ref = printable(payment_ref, field="payment_ref")
    evidence = printable(evidence, field="evidence", chars_max=REASON_CHARS_MAX)
    placed = order.placed
    _require_by_transfer(order)
    if order.payments.get(payment_ref) == "captured":
        return []
    _require_unpaid(order)
    _require_all(order, amount_minor, currency)
    if order.proposal is not None:
        if order.proposal.payment_ref == payment_ref:
            return []
        raise WrongState("order", "waiting for a second operator already")
    proposal = SettlementProposed(
        order_id=order.order_id,
        payment_ref=payment_ref,
        gross_minor=amount_minor,
        currency=currency,
        evidence=evidence,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    if placed.approval_minor is not None and amount_minor >= placed.approval_minor:
        return [proposal]
    return _paid(order, proposal, stamp)


def approve(order: Order, *, stamp: Stamp) -> list[OrderEvent]:
    """The second operator agrees: credit the order, or pay it. Doing it again does nothing.

    Raises:
        WrongState: nothing is proposed.
        SecondOperatorNeeded: see there.
        SettlementMismatch: less is owed by now than came in.
    """
    _require_by_transfer(order)
    if order.paid is not None or (order.placed.provider != INVOICE and order.credited is not None):
        return []
    proposal = _proposal(order)
    if proposal.actor == stamp.actor:
        raise SecondOperatorNeeded("another operator than the one who proposed it must approve")
    _require_all(order, proposal.gross_minor, proposal.currency)
    return _paid(order, proposal, stamp)


def deny(order: Order, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """Take a proposal back: by anybody who may propose, the proposer too.

    Raises:
        WrongState: nothing is proposed.
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    _require_by_transfer(order)
    return [
        SettlementDenied(
            order_id=order.order_id,
            payment_ref=_proposal(order).payment_ref,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _paid(order: Order, proposal: SettlementProposed, stamp: Stamp) -> list[OrderEvent]:
    seen = ObservedPayment(
        provider=order.placed.provider,
        mode=order.placed.mode,
        order_id=order.order_id,
        account_id=order.account_id,
        payment_ref=proposal.payment_ref,
        status="captured",
        amount_minor=proposal.gross_minor,
        currency=proposal.currency,
        fee_minor=0,
        method=_TRANSFER,
        evidence=proposal.evidence,
    )
    if order.placed.provider == INVOICE:
        return [captured(order, seen, stamp=stamp)]
    return observe_payment(order, seen, stamp=stamp)


def _proposal(order: Order) -> SettlementProposed:
    if order.proposal is None:
        raise WrongState("order", f"{order.status}, and no transfer is proposed")
    return order.proposal


def _require_by_transfer(order: Order) -> None:
    if order.placed.provider not in BY_TRANSFER:
        raise WrongState("order", f"paid through {order.placed.provider}")


def _require_unpaid(order: Order) -> None:
    if order.placed.provider == INVOICE:
        if not order.owed_minor:
            raise WrongState("order", "owed no more")
    elif order.credited is not None:
        raise WrongState("order", order.status)


def _require_all(order: Order, amount_minor: int, currency: str) -> None:
    """A part is not taken: what it pays of the tax and of the credit would be nobody's to say."""
    placed = order.placed
    expected_minor = order.owed_minor if placed.provider == INVOICE else placed.amount_minor
    if (amount_minor, currency) != (expected_minor, placed.currency):
        raise SettlementMismatch(expected_minor=expected_minor, currency=placed.currency)
