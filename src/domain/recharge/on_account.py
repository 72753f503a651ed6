"""Orders on account: credited when they are placed, and paid by bank transfer later."""

from uuid import UUID

from domain.fact import Stamp
from domain.recharge.events import OrderEvent
from domain.recharge.observing import credit
from domain.recharge.offers import Offers
from domain.recharge.order import INVOICE, Order, evolve
from domain.recharge.placing import place


def buy_on_account(
    order: Order | None,
    offers: Offers,
    *,
    order_id: UUID,
    account_id: UUID,
    currency: str,
    amount_minor: int,
    country: str | None,
    reverse_charge: bool = False,
    due_us: int,
    stamp: Stamp,
) -> list[OrderEvent]:
    """Place it and credit it; the same again does nothing. Must be stored in one append with the fact that counts it in the limit.

    Raises as `placing.place`.
    """
    decided = place(
        order,
        offers,
        order_id=order_id,
        account_id=account_id,
        provider=INVOICE,
        mode="live",
        currency=currency,
        amount_minor=amount_minor,
        country=country,
        reverse_charge=reverse_charge,
        due_us=due_us,
        stamp=stamp,
    )
    if not decided:
        return []
    for event in decided:
        order = evolve(order, event)
    assert order is not None, "it is placed"
    return [*decided, credit(order, payment_ref=order.placed.reference, stamp=stamp)]
