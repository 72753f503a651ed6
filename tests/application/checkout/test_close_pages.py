"""The pages of a cancelled order are closed at the provider."""

from msgspec.structs import replace

from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import Checkouts
from application.recharge.cancel_order import CancelOrder
from application.recharge.cancel_order import handle as cancel
from application.recharge.change_order import load_order
from domain.fact import SYSTEM
from tests.application.checkout.provider import FakeProvider, world
from tests.application.recharge.world import ordered
from tests.domain.recharge.orders import ORDER

CANCEL = CancelOrder(order_id=ORDER, reason="changed my mind")


def test_a_cancelled_order_has_no_open_page() -> None:
    """Whether the provider answers or is away, or is not set up any more: the order is cancelled; again closes again."""
    provider = FakeProvider()
    ports = world(provider)
    ordered(ports, provider="stripe")
    page = open_checkout(OpenCheckout(order_id=ORDER), actor=SYSTEM, ports=ports).session_ref
    provider.is_down = True
    cancel(CANCEL, actor=SYSTEM, ports=ports)
    assert (load_order(ports.store, ORDER).status, provider.closed) == ("cancelled", [])
    provider.is_down = False
    cancel(CANCEL, actor=SYSTEM, ports=ports)
    assert provider.closed == [page]
    cancel(CANCEL, actor=SYSTEM, ports=replace(ports, checkouts=Checkouts()))


def test_an_order_without_a_page_asks_nobody() -> None:
    """A bank transfer has none."""
    provider = FakeProvider()
    ports = world(provider)
    ordered(ports)
    provider.is_down = True
    cancel(CANCEL, actor=SYSTEM, ports=ports)
    assert load_order(ports.store, ORDER).status == "cancelled"
