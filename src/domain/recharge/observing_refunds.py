"""Refunds as a payment provider shows them: those that we asked for, and those that somebody made there.

A refund goes from pending to succeeded to failed and never back, whatever comes when. A pending one that we did not ask
for counts as made: the customer must not spend in the meantime what is on its way back.
"""

from domain.fact import Stamp
from domain.recharge import refunding
from domain.recharge.events import ExternalRefundObserved, ExternalRefundReversed, OrderEvent
from domain.recharge.observing import ObservedDispute, ObservedRefund, observe_payment
from domain.recharge.order import Order, evolve
from domain.recharge.returns import Refund
from domain.recharge.shares import credits_of, no_tax, tax_of


def credit_first(
    order: Order, seen: ObservedRefund | ObservedDispute, *, stamp: Stamp
) -> tuple[Order, list[OrderEvent]]:
    """Money that goes back has come: the order after what the payment says, and the facts of that."""
    if order.credited is not None or seen.payment is None:
        return order, []
    facts = observe_payment(order, seen.payment, stamp=stamp)
    for fact in facts:
        order = evolve(order, fact)
    return order, facts


def is_of_the_credit(order: Order, seen: ObservedRefund | ObservedDispute) -> bool:
    """Whether it is about the payment that credited the order, not one that did not match or came second."""
    placed, bought = order.placed, order.credited
    return bought is not None and (
        (seen.provider, seen.mode, seen.payment_ref, seen.currency)
        == (placed.provider, placed.mode, bought.payment_ref, bought.currency)
    )


def observe_refund(order: Order, seen: ObservedRefund, *, stamp: Stamp) -> list[OrderEvent]:
    """What becomes of the order. The refund of another payment than the one that was credited changes nothing."""
    assert seen.order_id == order.order_id, "the caller finds the order"
    order, facts = credit_first(order, seen, stamp=stamp)
    if not is_of_the_credit(order, seen):
        return facts
    ours = order.refunds.get(seen.refund_id) if seen.refund_id is not None else None
    if ours is None:
        return facts + _external(order, seen, stamp)
    if refund_trouble(order, seen):
        return facts
    return facts + _ours(order, ours, seen, stamp)


def refund_trouble(order: Order, seen: ObservedRefund) -> str | None:
    """Why somebody must look at a refund that names one of ours, if so: it is not the one that was asked for."""
    ours = order.refunds.get(seen.refund_id) if seen.refund_id is not None else None
    if ours is None:
        return None
    if (seen.amount_minor, ours.refund_ref or seen.refund_ref) != (ours.amount_minor, seen.refund_ref):
        return f"a refund of {seen.amount_minor} {seen.currency} names one of {ours.amount_minor}"
    if ours.state == "requested":
        return "a refund that waits for a second operator has been made"
    if ours.state == "failed" and ours.refund_ref is None and seen.status != "failed":
        return "a refund that was denied has been made"
    return None


def _ours(order: Order, ours: Refund, seen: ObservedRefund, stamp: Stamp) -> list[OrderEvent]:
    refund_id = seen.refund_id
    assert refund_id is not None, "it is one of ours"
    if ours.state == "failed":
        return []
    facts: list[OrderEvent] = []
    if ours.state == "approved":
        facts.append(refunding.submitted(order, refund_id, refund_ref=seen.refund_ref, stamp=stamp))
        order = evolve(order, facts[0])
    if seen.status == "succeeded" and ours.state != "succeeded":
        facts.append(refunding.succeeded(order, refund_id, refund_ref=seen.refund_ref, stamp=stamp))
    elif seen.status == "failed":
        facts.append(refunding.failed(order, refund_id, reason=seen.reason, stamp=stamp))
    return facts


def _external(order: Order, seen: ObservedRefund, stamp: Stamp) -> list[OrderEvent]:
    known = order.external.get(seen.refund_ref)
    if known is not None and known.reversed:
        return []
    if seen.status == "failed":
        return [_reversed(order, seen, stamp)]
    if known is not None:
        return []
    lost_minor = sum(one.amount_minor for one in order.disputes.values() if one.state == "lost")
    return [
        ExternalRefundObserved(
            order_id=order.order_id,
            account_id=order.account_id,
            provider=seen.provider,
            refund_ref=seen.refund_ref,
            amount_minor=seen.amount_minor,
            currency=seen.currency,
            tax=tax_of(order, seen.amount_minor, gone_minor=order.refunded_minor + lost_minor),
            credits_nano=credits_of(order, seen.amount_minor),
            mode=seen.mode,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _reversed(order: Order, seen: ObservedRefund, stamp: Stamp) -> ExternalRefundReversed:
    """With all that was taken for it; with nothing, so that an older word of it changes nothing, if it was never seen to be made."""
    known, tax = order.external.get(seen.refund_ref), no_tax(order)
    if known is not None:
        tax = refunding.split_tax(order, known.amount_minor, known.tax_minor)
    return ExternalRefundReversed(
        order_id=order.order_id,
        account_id=order.account_id,
        provider=seen.provider,
        refund_ref=seen.refund_ref,
        amount_minor=0 if known is None else known.amount_minor,
        currency=seen.currency,
        tax=tax,
        credits_nano=0 if known is None else known.credits_nano,
        mode=seen.mode,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
