"""Pages on which orders are paid."""

import pytest
from msgspec.structs import replace

from application.checkout.open_checkout import CheckoutOpened, OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import Checkouts, ProviderUnavailable
from application.checkout.sweep import ask_for
from application.command import Ports
from application.recharge.change_order import load_order
from domain.fact import SYSTEM
from domain.recharge.observing import ObservedSession
from domain.recharge.placing import CHECKOUT_US
from domain.refusal import NotFound, WrongState
from tests.application.checkout.provider import FakeProvider, world
from tests.application.recharge.world import ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import ManualClock


def opened(ports: Ports) -> CheckoutOpened:
    return open_checkout(OpenCheckout(order_id=ORDER), actor=SYSTEM, ports=ports)


def test_a_page_is_asked_for_with_everything_that_its_payment_must_match() -> None:
    """Sum, currency, order and account; the key is the order's and the step's. The way back is a page of ours."""
    provider = FakeProvider()
    ports = world(provider)
    ordered(ports, provider="stripe")
    assert opened(ports).url == "https://pay.example/1"
    (request,) = provider.sessions.values()
    assert (request.amount_minor, request.currency) == (11_900, "EUR")
    assert (request.order_id, request.account_id) == (ORDER, ACCOUNT)
    assert request.idempotency_key == f"order/{ORDER}/session/1"
    assert request.success_url == request.cancel_url == f"https://shop.example/orders/{ORDER}"
    assert load_order(ports.store, ORDER).status == "session_open"


def test_asking_again_gives_the_same_page_and_after_its_end_another() -> None:
    """A customer may close the browser and come back."""
    provider = FakeProvider()
    ports = world(provider)
    ordered(ports, provider="stripe")
    first = opened(ports)
    again = opened(ports)
    assert (again.url, again.done.events) == (first.url, ())
    provider.objects["cs_1"] = (
        ObservedSession(provider="stripe", mode="live", order_id=ORDER, session_ref="cs_1", status="expired"),
    )
    ask_for(ORDER, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    assert opened(ports).session_ref == "cs_2"


def test_orders_are_of_the_providers_mode() -> None:
    """An order of test mode is not paid for with a live key, nor the other way round."""
    provider = FakeProvider(mode="test")
    ports = world(provider)
    ordered(ports, provider="stripe")
    assert load_order(ports.store, ORDER).placed.mode == "test"
    with pytest.raises(WrongState):
        opened(replace(ports, checkouts=Checkouts([FakeProvider(mode="live")])))


def test_no_page_for_what_is_not_to_be_paid_there() -> None:
    """A transfer, an order that is about to expire, and one that was never placed."""
    ports = world(FakeProvider())
    with pytest.raises(NotFound):
        opened(ports)
    ordered(ports)
    with pytest.raises(NotFound):
        opened(ports)
    late = world(FakeProvider())
    ordered(late, provider="stripe")
    assert isinstance(late.clock, ManualClock)
    late.clock.us += CHECKOUT_US - 1
    with pytest.raises(WrongState):
        opened(late)


def test_a_provider_that_is_away_opens_nothing() -> None:
    """And the order waits as before."""
    provider = FakeProvider()
    ports = world(provider)
    ordered(ports, provider="stripe")
    provider.is_down = True
    with pytest.raises(ProviderUnavailable):
        opened(ports)
    assert load_order(ports.store, ORDER).status == "placed"
