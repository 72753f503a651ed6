"""Disputes as a payment provider shows them: what the customer's bank wants back, what it took, and how it ended.

A dispute goes from open to won to lost and never back: of two last words the one that costs us is believed, and somebody
looks. An inquiry takes nothing yet, so it is nothing to the order.
"""

from collections.abc import Iterator

from domain.fact import Stamp
from domain.recharge.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    OrderEvent,
)
from domain.recharge.observing import Movement, ObservedDispute
from domain.recharge.observing_refunds import credit_first, is_of_the_credit
from domain.recharge.order import Order, evolve
from domain.recharge.shares import credited, credits_of, tax_of


def observe_dispute(order: Order, seen: ObservedDispute, *, stamp: Stamp) -> list[OrderEvent]:
    """What becomes of the order. A dispute of another payment than the one that was credited changes nothing."""
    assert seen.order_id == order.order_id, "the caller finds the order"
    order, facts = credit_first(order, seen, stamp=stamp)
    if not is_of_the_credit(order, seen):
        return facts
    if seen.dispute_ref not in order.disputes:
        if seen.status == "inquiry" and not seen.movements:
            return facts
        facts = [*facts, _opened(order, seen, stamp)]
        order = evolve(order, facts[-1])
    known = order.disputes[seen.dispute_ref].transactions
    new = (one for one in seen.movements if one.transaction_ref not in known)
    facts += [_moved(order, seen, one, stamp) for one in new]
    return [*facts, *_ended(order, seen, stamp)]


def dispute_trouble(order: Order, seen: ObservedDispute) -> str | None:
    """Why somebody must look at it, if so: we took it for lost, and it is won."""
    known = order.disputes.get(seen.dispute_ref)
    if known is not None and known.state == "lost" and seen.status == "won":
        return f"dispute {seen.dispute_ref} was lost, and is won"
    return None


def _opened(order: Order, seen: ObservedDispute, stamp: Stamp) -> DisputeOpened:
    bought = credited(order)
    wanted_nano = bought.credits_nano * seen.amount_minor // bought.gross_minor
    return DisputeOpened(
        order_id=order.order_id,
        account_id=order.account_id,
        dispute_ref=seen.dispute_ref,
        amount_minor=seen.amount_minor,
        currency=seen.currency,
        credits_nano=min(wanted_nano, bought.credits_nano),
        reason=seen.reason,
        due_us=seen.due_us,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def _moved(
    order: Order, seen: ObservedDispute, moved: Movement, stamp: Stamp
) -> DisputeFundsWithdrawn | DisputeFundsReinstated:
    kind = DisputeFundsWithdrawn if moved.amount_minor < 0 else DisputeFundsReinstated
    return kind(
        order_id=order.order_id,
        dispute_ref=seen.dispute_ref,
        provider=seen.provider,
        transaction_ref=moved.transaction_ref,
        amount_minor=abs(moved.amount_minor),
        fee_minor=moved.fee_minor,
        currency=moved.currency,
        mode=seen.mode,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def _ended(order: Order, seen: ObservedDispute, stamp: Stamp) -> Iterator[OrderEvent]:
    dispute = order.disputes[seen.dispute_ref]
    if seen.status == "won" and dispute.state == "open":
        yield DisputeWon(
            order_id=order.order_id,
            account_id=order.account_id,
            dispute_ref=seen.dispute_ref,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    if seen.status == "lost" and dispute.state != "lost":
        lost_minor = sum(one.amount_minor for one in order.disputes.values() if one.state == "lost")
        yield DisputeLost(
            order_id=order.order_id,
            account_id=order.account_id,
            provider=seen.provider,
            dispute_ref=seen.dispute_ref,
            amount_minor=dispute.amount_minor,
            currency=seen.currency,
            tax=tax_of(order, dispute.amount_minor, gone_minor=order.refunded_minor + lost_minor),
            credits_nano=min(dispute.credits_nano, credits_of(order, dispute.amount_minor)),
            mode=seen.mode,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
