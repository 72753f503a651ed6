"""Orders for tests: one offer, one placed order, and what may be seen of its payment."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.fact import Stamp
from domain.recharge.events import Mode, OrderEvent
from domain.recharge.observing import ObservedPayment
from domain.recharge.offers import BonusTier, FreeAmounts, Offer, Offers, Package, TaxRate
from domain.recharge.order import MANUAL, Order, evolve
from domain.recharge.placing import place

ORDER, ACCOUNT, OTHER = (UUID(int=number) for number in (901, 902, 903))
NOW_US = 1_764_000_000_000_000
AT = Stamp(now_us=NOW_US, actor="system")
ANNA = Stamp(now_us=NOW_US, actor="operator:anna")
BERT = Stamp(now_us=NOW_US + 1, actor="operator:bert")
OFFER = Offer(
    currency="EUR",
    rate_num=10_000_000,  # one credit for one euro
    rate_den=1,
    packages=(Package(amount_minor=10_000, bonus_nano=5_000_000_000),),
    free=FreeAmounts(min_minor=500, max_minor=1_000_000),
    bonus=(BonusTier(from_minor=20_000, bonus_ppm=20_000), BonusTier(from_minor=50_000, bonus_ppm=100_000)),
    taxes=(TaxRate(country="DE", rate_ppm=190_000),),
    approval_minor=500_000,
)
OFFERS = Offers({"EUR": OFFER})


def placed(
    *,
    provider: str = MANUAL,
    mode: Mode = "live",
    amount_minor: int = 10_000,
    country: str | None = "DE",
    order_id: UUID = ORDER,
    account_id: UUID = ACCOUNT,
) -> list[OrderEvent]:
    """The facts of a new order: 100.00 EUR and 19 % on top, unless said otherwise."""
    return place(
        None,
        OFFERS,
        order_id=order_id,
        account_id=account_id,
        provider=provider,
        mode=mode,
        currency="EUR",
        amount_minor=amount_minor,
        country=country,
        stamp=AT,
    )


def folded(*events: OrderEvent) -> Order:
    """The order after these facts."""
    order: Order | None = None
    for event in events:
        order = evolve(order, event)
    assert order is not None
    return order


def new_order(**given: Any) -> Order:
    return folded(*placed(**given))


def seen(**changes: Any) -> ObservedPayment:
    """A captured payment at `stripe` that matches in every part, but for `changes`."""
    matching = ObservedPayment(
        provider="stripe",
        mode="live",
        order_id=ORDER,
        account_id=ACCOUNT,
        payment_ref="pi_1",
        status="captured",
        amount_minor=11_900,
        currency="EUR",
        fee_minor=200,
        method="card",
    )
    return replace(matching, **changes)
