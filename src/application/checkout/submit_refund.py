"""A refund that was approved is made at the provider, once, and what becomes of it is told to the order.

It may be done again after a crash at any point: where a provider forgets keys after a while, it is asked first for a refund
that was made; within that while the key makes one of two that are asked for at once.
"""

from uuid import UUID

from application.checkout.observe import observe
from application.checkout.ports import CheckoutProvider, Checkouts, ProviderRefused, RefundOrder
from application.clock import Clock
from application.eventlog import EventStore
from application.recharge.change_order import change_order, load_order
from domain.fact import Stamp
from domain.recharge import refunding
from domain.recharge.observing import ObservedRefund
from domain.recharge.order import BY_TRANSFER, Order, existing
from domain.refusal import WrongState


def submit_refund(
    order_id: UUID, refund_id: UUID, *, checkouts: Checkouts, store: EventStore, clock: Clock
) -> None:
    """Make it, or ask what became of it. Does nothing for one that waits, is over, or goes back by bank transfer.

    Raises:
        NotFound: there is no such order, or its provider is not set up.
        WrongState: the provider is set up in the other mode.
        ProviderUnavailable: nobody knows whether it was made; asking again is safe.
        Contended, LogUnavailable: what was seen is not stored yet; asking again is safe.
    """
    order = load_order(store, order_id)
    refund = order.refunds.get(refund_id)
    is_under_way = refund is not None and refund.state in {"approved", "submitted"}
    if not is_under_way or order.placed.provider in BY_TRANSFER:
        return
    checkout = checkouts.get(order.placed.provider)
    if checkout.mode != order.placed.mode:
        raise WrongState("order", f"of {order.placed.mode} mode")
    try:
        seen = _made(checkout, order, refund_id)
    except ProviderRefused as error:
        reason, at = error.reason, Stamp(now_us=clock.now_us(), actor=f"provider:{checkout.name}")
        change_order(
            store,
            order_id,
            lambda now: refunding.refused(existing(now, order_id), refund_id, reason=reason, stamp=at),
        )
        return
    observe(seen, store=store, clock=clock)


def _made(checkout: CheckoutProvider, order: Order, refund_id: UUID) -> ObservedRefund:
    """Raises `ProviderRefused` where it was not made and will not be."""
    bought, refund = order.credited, order.refunds[refund_id]
    assert bought is not None, "only what was credited is refunded"
    wanted = RefundOrder(
        order_id=order.order_id,
        account_id=order.account_id,
        refund_id=refund_id,
        payment_ref=bought.payment_ref,
        amount_minor=refund.amount_minor,
        currency=bought.currency,
        idempotency_key=refunding.idempotency_key(order.order_id, refund_id),
    )
    return checkout.made_refund(wanted) or checkout.refund(wanted)
