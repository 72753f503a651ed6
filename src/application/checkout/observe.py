"""What a provider is seen to say is told to the order."""

import msgspec

from application.clock import Clock
from application.command import Done
from application.eventlog import EventStore
from application.recharge.change_order import change_order
from domain.fact import Stamp
from domain.recharge.events import OrderEvent
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
from domain.recharge.order import Order, existing


class Observed(msgspec.Struct, frozen=True):
    """What came of it. `trouble` says why somebody should look at it, if so."""

    done: Done
    trouble: str | None


def observe(seen: Observation, *, store: EventStore, clock: Clock) -> Observed:
    """Tell the order.

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
    return Observed(done, "; ".join(trouble) or None)


def _decided(order: Order, seen: Observation, at: Stamp) -> list[OrderEvent]:
    match seen:
        case ObservedPayment():
            return observe_payment(order, seen, stamp=at)
        case ObservedSession():
            return observe_session(order, seen, stamp=at)
        case _:
            return []


def _trouble(order: Order, seen: Observation) -> list[str]:
    """Why somebody must look: money that came and does not match, or money that left. Also when it was noted before."""
    match seen:
        case ObservedPayment():
            return _mismatch(order, seen)
        case ObservedRefund():
            # Until refunds are orders of ours: the credit is taken back by hand.
            return [f"refunded: {seen.amount_minor} {seen.currency}"] if seen.status == "succeeded" else []
        case ObservedDispute():
            told = f"dispute {seen.status}: {seen.amount_minor} {seen.currency}"
            return [] if seen.status in {"inquiry", "won"} else [told]
        case _:
            return []


def _mismatch(order: Order, seen: ObservedPayment) -> list[str]:
    if seen.status != "captured" or order.payments.get(seen.payment_ref) == "captured":
        return []
    what = mismatches(order, seen)
    return [f"payment does not match: {', '.join(what)}"] if what else []
