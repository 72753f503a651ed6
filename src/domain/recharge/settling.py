"""Bank transfers: an operator confirms what came in, and a second one does so too where it is much."""

from typing import ClassVar

from domain.fact import Stamp
from domain.recharge.events import OrderEvent, SettlementDenied, SettlementProposed
from domain.recharge.observing import ObservedPayment, observe_payment
from domain.recharge.order import MANUAL, Order
from domain.refusal import Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

_TRANSFER = "bank_transfer"


class SecondOperatorNeeded(Refusal):
    """Whoever proposed this cannot approve it as well; nothing changed."""

    code: ClassVar[str] = "second_operator_needed"


class SettlementMismatch(Refusal):
    """What came in is not what the order says; nothing was credited. Cancel it, and place one for what came in."""

    code: ClassVar[str] = "settlement_mismatch"

    def __init__(self, *, expected_minor: int, currency: str) -> None:
        super().__init__(f"the order is for {expected_minor} minor units of {currency}")
        self.expected_minor = expected_minor
        self.currency = currency


def settle(
    order: Order, *, payment_ref: str, amount_minor: int, currency: str, evidence: str, stamp: Stamp
) -> list[OrderEvent]:
    """A transfer has come in: credit the order, or propose it to a second operator. Repeating does nothing.

    A transfer that comes after the order was cancelled or has expired is credited as well.

    Raises:
        WrongState: the order is not paid by transfer, is paid already, or another transfer is proposed.
        SettlementMismatch: see there.
        BadField: the bank's id or the evidence cannot be shown.
    """
    payment_ref = printable(payment_ref, field="payment_ref")
    evidence = printable(evidence, field="evidence", chars_max=REASON_CHARS_MAX)
    placed = order.placed
    _require_manual(order)
    if order.payments.get(payment_ref) == "captured":
        return []
    if order.credited is not None:
        raise WrongState("order", order.status)
    if (amount_minor, currency) != (placed.amount_minor, placed.currency):
        raise SettlementMismatch(expected_minor=placed.amount_minor, currency=placed.currency)
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
    return _credit(order, proposal, stamp)


def approve(order: Order, *, stamp: Stamp) -> list[OrderEvent]:
    """The second operator agrees: credit the order. Doing it again does nothing.

    Raises:
        WrongState: nothing is proposed.
        SecondOperatorNeeded: see there.
    """
    _require_manual(order)
    if order.credited is not None:
        return []
    proposal = _proposal(order)
    if proposal.actor == stamp.actor:
        raise SecondOperatorNeeded("another operator than the one who proposed it must approve")
    return _credit(order, proposal, stamp)


def deny(order: Order, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """Take a proposal back: by anybody who may propose, the proposer too.

    Raises:
        WrongState: nothing is proposed.
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    _require_manual(order)
    return [
        SettlementDenied(
            order_id=order.order_id,
            payment_ref=_proposal(order).payment_ref,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _credit(order: Order, proposal: SettlementProposed, stamp: Stamp) -> list[OrderEvent]:
    seen = ObservedPayment(
        provider=MANUAL,
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
    return observe_payment(order, seen, stamp=stamp)


def _proposal(order: Order) -> SettlementProposed:
    if order.proposal is None:
        raise WrongState("order", f"{order.status}, and no transfer is proposed")
    return order.proposal


def _require_manual(order: Order) -> None:
    if order.placed.provider != MANUAL:
        raise WrongState("order", f"paid through {order.placed.provider}")
