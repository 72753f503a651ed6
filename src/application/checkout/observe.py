"""What a provider is seen to say is told to the order."""

from typing import Final, assert_never

import msgspec

from application.clock import Clock
from application.command import Done
from application.eventlog import EventStore
from application.ledger.ports import CallBack, nobody_to_call
from application.recharge.change_order import change_order
from domain.fact import Stamp
from domain.recharge.events import DisputeLost, DisputeOpened, ExternalRefundObserved, OrderEvent
from domain.recharge.observing import (
    Observation,
    ObservedDispute,
    ObservedPayment,
    ObservedRefund,
    ObservedSession,
    mismatches,
    observe_payment,
    observe_session,
)
from domain.recharge.observing_disputes import dispute_trouble, observe_dispute
from domain.recharge.observing_refunds import observe_refund, refund_trouble
from domain.recharge.order import Order, existing

#: After these what gateways have of the order's credit is wanted back.
_WANTED_BACK: Final = DisputeOpened | DisputeLost | ExternalRefundObserved


class Observed(msgspec.Struct, frozen=True):
    """What came of it. `trouble` says why somebody should look at it, if so."""

    done: Done
    trouble: str | None


def observe(
    seen: Observation, *, store: EventStore, clock: Clock, call_back: CallBack = nobody_to_call
) -> Observed:
    """Tell the order. What it freezes, takes or has owed of the account's credit is in the same append.

    Raises:
        NotFound: there is no such order.
        PaymentTaken, LedgerRefusal: nothing was stored.
        Contended, LogUnavailable: nothing was stored.
    """
    at = Stamp(now_us=clock.now_us(), actor=f"provider:{seen.provider}")
    trouble: list[str] = []

    def decide(order: Order | None) -> list[OrderEvent]:
        known = existing(order, seen.order_id)
        trouble[:] = _trouble(known, seen)
        return _decided(known, seen, at)

    done = change_order(store, seen.order_id, decide)
    for event in done.events:
        if isinstance(event, _WANTED_BACK):
            call_back(event.account_id)
    return Observed(done, "; ".join(trouble) or None)


def _decided(order: Order, seen: Observation, at: Stamp) -> list[OrderEvent]:
    match seen:
        case ObservedPayment():
            return observe_payment(order, seen, stamp=at)
        case ObservedSession():
            return observe_session(order, seen, stamp=at)
        case ObservedRefund():
            return observe_refund(order, seen, stamp=at)
        case ObservedDispute():
            return observe_dispute(order, seen, stamp=at)
        case _:
            assert_never(seen)


def _trouble(order: Order, seen: Observation) -> list[str]:
    """Why somebody must look: money that came or left, and does not match. Also when it was noted before."""
    found: str | None = None
    match seen:
        case ObservedPayment():
            return _mismatch(order, seen)
        case ObservedRefund():
            found = _stray(order, seen) or refund_trouble(order, seen)
        case ObservedDispute():
            found = _stray(order, seen) or dispute_trouble(order, seen)
        case ObservedSession():
            pass
        case _:
            assert_never(seen)
    return [found] if found else []


def _stray(order: Order, seen: ObservedRefund | ObservedDispute) -> str | None:
    """Money of our order left that did not credit it, as far as anybody knows."""
    if order.credited is None and seen.payment is None:
        return "money goes back of an order that is not credited"
    return None


def _mismatch(order: Order, seen: ObservedPayment) -> list[str]:
    if seen.status != "captured" or order.payments.get(seen.payment_ref) == "captured":
        return []
    what = mismatches(order, seen)
    return [f"payment does not match: {', '.join(what)}"] if what else []
