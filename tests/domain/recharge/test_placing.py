"""Orders begin, and end unpaid."""

import pytest
from msgspec.structs import replace

from domain.fact import Stamp
from domain.recharge.events import CheckoutSessionOpened, OrderCancelled, OrderExpired, RechargeOrderPlaced
from domain.recharge.observing import observe_payment
from domain.recharge.offers import Offers, TaxQuote
from domain.recharge.order import Order, existing, order_stream
from domain.recharge.placing import CHECKOUT_US, TRANSFER_US, cancel, expire, open_session, place
from domain.recharge.reference import reference_of
from domain.recharge.settling import settle
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.domain.recharge.orders import (
    ACCOUNT,
    ANNA,
    AT,
    NOW_US,
    OFFERS,
    ORDER,
    OTHER,
    folded,
    new_order,
    placed,
    seen,
)

LATE = Stamp(now_us=NOW_US + TRANSFER_US, actor="system")


def test_an_order_fixes_everything_that_a_payment_must_match() -> None:
    """And the terms, whatever becomes of the offer."""
    assert placed() == [
        RechargeOrderPlaced(
            order_id=ORDER,
            account_id=ACCOUNT,
            provider="manual",
            mode="live",
            amount_minor=11_900,
            currency="EUR",
            exponent=2,
            credits_nano=105_000_000_000,
            bonus_nano=5_000_000_000,
            rate_num=10_000_000,
            rate_den=1,
            tax=TaxQuote(country="DE", rate_ppm=190_000, net_minor=10_000, tax_minor=1_900),
            reference=reference_of(ORDER),
            approval_minor=500_000,
            expires_us=NOW_US + TRANSFER_US,
            occurred_us=NOW_US,
            actor="system",
        )
    ]


def test_a_checkout_waits_less_long_than_a_transfer() -> None:
    """Pages at a provider live for a day, transfers take some."""
    assert new_order(provider="stripe").placed.expires_us == NOW_US + CHECKOUT_US


def _again(order: Order, offers: Offers = OFFERS, **changes: object) -> list[object]:
    same = {
        "order_id": ORDER,
        "account_id": ACCOUNT,
        "provider": "manual",
        "mode": "live",
        "currency": "EUR",
        "amount_minor": 10_000,
        "country": "DE",
        "stamp": AT,
    }
    return [*place(order, offers, **(same | changes))]  # type: ignore[arg-type]  # of many kinds


def test_placing_again_does_nothing() -> None:
    """Also when the offer is gone meanwhile: the answer of a repeated command is its order."""
    assert _again(new_order()) == []
    assert _again(new_order(), Offers()) == []


@pytest.mark.parametrize(
    "change", [{"account_id": OTHER}, {"provider": "stripe"}, {"mode": "test"}, {"country": "FR"}]
)
def test_an_id_is_of_one_order(change: dict[str, object]) -> None:
    """Of another account, provider, mode or country it is refused."""
    with pytest.raises(AlreadyExists):
        _again(new_order(), **change)


def test_a_country_is_two_letters() -> None:
    """So that a misspelt one does not go without tax."""
    with pytest.raises(BadField):
        placed(country="Germany")


def test_sessions_are_noted_once_while_somebody_waits() -> None:
    """A cancelled order gets no page."""
    order = new_order(provider="stripe")
    opened = open_session(order, session_ref="cs_1", idempotency_key="k", expires_us=NOW_US + 5, stamp=AT)
    assert [type(event) for event in opened] == [CheckoutSessionOpened]
    after = folded(*placed(provider="stripe"), *opened)
    assert after.status == "session_open"
    assert not open_session(after, session_ref="cs_1", idempotency_key="k", expires_us=NOW_US + 5, stamp=AT)
    ended = folded(*placed(provider="stripe"), *cancel(order, reason="no", stamp=AT))
    with pytest.raises(WrongState):
        open_session(ended, session_ref="cs_2", idempotency_key="k", expires_us=NOW_US + 5, stamp=AT)


def test_an_order_is_cancelled_once() -> None:
    """With a reason that can be shown."""
    order = new_order()
    assert cancel(order, reason=" mistake ", stamp=ANNA) == [
        OrderCancelled(order_id=ORDER, reason="mistake", occurred_us=NOW_US, actor="operator:anna")
    ]
    after = folded(*placed(), *cancel(order, reason="mistake", stamp=ANNA))
    assert after.status == "cancelled"
    assert cancel(after, reason="again", stamp=ANNA) == []
    with pytest.raises(BadField):
        cancel(order, reason=" ", stamp=ANNA)


def test_what_is_paid_or_on_its_way_is_not_cancelled() -> None:
    """Nor what waits for a second operator."""
    begun = placed(provider="stripe")
    for status in ("processing", "captured"):
        order = folded(*begun, *observe_payment(folded(*begun), seen(status=status), stamp=AT))
        with pytest.raises(WrongState):
            cancel(order, reason="too late", stamp=AT)
        assert expire(order, stamp=LATE) == []
    large = placed(amount_minor=600_000)
    proposed = settle(
        folded(*large), payment_ref="B1", amount_minor=714_000, currency="EUR", evidence="s1", stamp=ANNA
    )
    waiting = folded(*large, *proposed)
    with pytest.raises(WrongState):
        cancel(waiting, reason="too late", stamp=AT)
    assert expire(waiting, stamp=LATE) == []


def test_an_order_expires_when_its_time_is_over() -> None:
    """Not a microsecond before, and once."""
    order = new_order()
    assert expire(order, stamp=replace(LATE, now_us=LATE.now_us - 1)) == []
    ended = expire(order, stamp=LATE)
    assert ended == [OrderExpired(order_id=ORDER, occurred_us=LATE.now_us, actor="system")]
    after = folded(*placed(), *ended)
    assert after.status == "expired"
    assert expire(after, stamp=LATE) == []


def test_what_was_never_placed_is_not_found() -> None:
    """And the stream of an order is its own, whatever else has the same id."""
    with pytest.raises(NotFound):
        existing(None, ORDER)
    assert order_stream(ORDER) != ORDER
