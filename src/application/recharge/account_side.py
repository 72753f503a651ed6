"""What the facts of an order on account do to what its account owes, in the same append: the stream's version is the lock of the limit."""

from collections.abc import Sequence
from typing import assert_never

from application.command import fold, new_event
from application.eventlog import EventStore, NewEvent
from domain.fact import Stamp
from domain.postpaid import owing
from domain.postpaid.events import PostpaidEvent
from domain.postpaid.postpaid import Postpaid, evolve, postpaid_stream
from domain.recharge.events import OrderEvent, PaymentCaptured, RechargeCredited, RefundSucceeded
from domain.recharge.order import INVOICE, Order
from domain.recharge.order import evolve as after

_COUNTING = RechargeCredited | PaymentCaptured | RefundSucceeded


def account_side(store: EventStore, order: Order | None, decided: Sequence[OrderEvent]) -> list[NewEvent]:
    """What is to be stored with `decided`; `order` is as it was before.

    Raises:
        NotOnAccount, PostpaidLimitReached, PaymentOverdue: it cannot be bought on account.
    """
    facts = [event for event in decided if isinstance(event, _COUNTING)]
    if not facts:
        return []
    for event in decided:
        order = after(order, event)
    assert order is not None, "something was decided about it"
    if order.placed.provider != INVOICE:
        return []
    stream_id = postpaid_stream(order.account_id)
    recorded = store.read_stream(stream_id)
    version = recorded[-1].version if recorded else 0
    postpaid = fold(recorded, Postpaid(), evolve)
    counted: list[PostpaidEvent] = []
    for fact in facts:
        for one in _counted(postpaid, order, fact):
            postpaid = evolve(postpaid, one)
            counted.append(one)
    return [new_event(stream_id, number, one) for number, one in enumerate(counted, version + 1)]


def _counted(postpaid: Postpaid, order: Order, fact: _COUNTING) -> list[PostpaidEvent]:
    at = Stamp(now_us=fact.occurred_us, actor=fact.actor)
    match fact:
        case RechargeCredited():
            return owing.buy(postpaid, order.placed, fact)
        case PaymentCaptured():
            return owing.pay(
                postpaid,
                order.order_id,
                account_id=order.account_id,
                amount_minor=fact.gross_minor,
                stamp=at,
            )
        case RefundSucceeded():
            if fact.set_off is not True:
                return []
            return owing.reduce(
                postpaid,
                order.order_id,
                account_id=order.account_id,
                refund_id=fact.refund_id,
                amount_minor=fact.amount_minor,
                stamp=at,
            )
        case _:
            assert_never(fact)
