"""Buying credit on the console's pages, with each kind of payment provider behind them."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from adapters.checkout.inbox import PostgresWebhookQueue
from application.checkout.handle import WebhookTools, handle_due
from application.checkout.receive import receive
from application.invoicing import set_billing
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from application.recharge.place_order import PlaceOrder
from application.recharge.place_order import handle as place
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from application.recharge.show_order import show_order
from application.refunds import decline_request
from domain.fact import SYSTEM
from domain.recharge.offers import Package, TaxRate
from projections.generations import install
from projections.registry import all_projections
from tests.adapters.checkout.sides import SIDES, Side
from tests.api.console.conftest import ACCOUNT, OTHER, World, make_world

HOME = f"/app/{ACCOUNT}"
_ORDER = re.compile(r"/orders/([0-9a-f-]{36})$")
_REFRESH = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


class Shop:
    """A world whose console has a payment provider, as an owner of the account."""

    def __init__(self, world: World, side: Side) -> None:
        self.world, self.side, self.ports = world, side, world.process.ports

    def buy(self, **fields: str) -> str:
        """Place an order by the form; the path of its page."""
        form = {
            "currency": self.side.currency,
            "package": "10000",
            "provider": self.side.name,
            "country": "DE",
        }
        then = {
            "then": f"{HOME}/orders/{{id}}",
            "_once": f"{len(self.world.client.cookies)}a{self.side.name}",
        }
        answer = self.world.post(f"{HOME}/recharge", **(form | then | fields))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def order_of(self, path: str) -> UUID:
        found = _ORDER.search(path)
        assert found is not None, path
        return UUID(found[1])

    def hear(self, session_ref: str) -> None:
        """The provider's message comes in at the gateway, and a worker handles it."""
        raw, headers = self.side.message(session_ref)
        ports = self.ports
        receive(
            self.side.name,
            raw,
            headers,
            checkouts=ports.checkouts,
            inbox=ports.inbox,
            store=ports.store,
            clock=ports.clock,
        )
        queue = PostgresWebhookQueue(self.world.process.pool)
        handle_due(WebhookTools(checkouts=ports.checkouts, queue=queue, store=ports.store, clock=ports.clock))

    def granted_nano(self) -> int:
        return load_wallet(self.ports.store, ACCOUNT).wallet.granted_nano


def opened(world: World, side: Side) -> Shop:
    ports = world.process.ports
    for currency in ("EUR", "CNY"):
        offer = SetRechargeOffer(
            currency=currency,
            rate_num=10_000_000,
            packages=(Package(amount_minor=10_000, bonus_nano=5_000_000_000), Package(amount_minor=50_000)),
            min_minor=500,
            max_minor=100_000,
            taxes=(TaxRate(country="DE", rate_ppm=190_000),),
        )
        set_offer(offer, actor=SYSTEM, ports=ports)
    with world.process.pool.connection() as connection:
        install(connection, all_projections())
    world.as_member("owner")
    return Shop(world, side)


@pytest.fixture(params=["stripe", "wechat"])
def shop(request: pytest.FixtureRequest, database_url: str) -> Iterator[Shop]:
    """With a provider that has a page, and with one that has a code."""
    with SIDES[request.param]() as side, make_world(database_url, payments=side.settings) as world:
        yield opened(world, side)


@pytest.fixture
def stripe(database_url: str) -> Iterator[Shop]:
    with SIDES["stripe"]() as side, make_world(database_url, payments=side.settings) as world:
        yield opened(world, side)


def test_from_the_shelf_to_the_credit(shop: Shop) -> None:
    """Order, way to pay, back, credit: each page says what is so, and coming back does nothing."""
    world = shop.world
    shelf = world.get(f"{HOME}/recharge?currency={shop.side.currency}").text
    assert 'name="package" value="10000"' in shelf
    assert f'name="provider" value="{shop.side.name}"' in shelf
    path = shop.buy()
    order_id = shop.order_of(path)
    assert "119.00" in world.get(path).text
    paying = world.post(f"{path}/pay")
    assert paying.status_code == 200
    session_ref = next(iter(load_order(shop.ports.store, order_id).sessions))
    if shop.side.name == "wechat":
        assert 'src="data:image/svg+xml' in paying.text
    else:
        assert _REFRESH.findall(paying.text) == [f"https://checkout.example/{session_ref}"]
    back = world.get(f"/orders/{order_id}?success=1&redirect=https://evil.example&credited=true")
    assert (back.status_code, back.headers["location"]) == (303, path)
    assert shop.granted_nano() == 0
    assert 'hx-trigger="every 3s"' in world.get(path).text
    shop.side.pay(session_ref)
    world.get(path)
    assert shop.granted_nano() == 0  # looking credits nothing either
    shop.hear(session_ref)
    assert shop.granted_nano() == 105_000_000_000
    done = world.get(path).text
    assert "Thank you. The credit is yours." in done
    assert "every 3s" not in done
    assert world.post(f"{path}/pay").status_code == 303  # nothing to pay any more
    assert world.post(f"{path}/cancel").status_code == 303
    assert load_order(shop.ports.store, order_id).status == "credited"
    receipt = world.get(f"{path}/receipt")
    is_live = show_order(shop.ports.store, order_id).mode == "live"
    assert receipt.content.startswith(b"%PDF") if is_live else receipt.status_code == 303
    assert (f'href="{path}/receipt"' in done) is is_live


def test_a_form_sent_twice_orders_once(stripe: Shop) -> None:
    """Its number is its idempotency key."""
    assert stripe.buy(_once="0123456789abcdef") == stripe.buy(_once="0123456789abcdef")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"package": "12345678"}, "amount_not_offered"),
        ({"package": "", "amount": "4.99"}, "amount_not_offered"),
        ({"package": "", "amount": "1,000.01"}, "amount_not_offered"),
        ({"package": "", "amount": "12.345"}, "invalid_request"),
        ({"package": "", "amount": "much"}, "invalid_request"),
        ({"package": "", "amount": "NaN"}, "invalid_request"),
        ({"package": "", "amount": "-5"}, "invalid_request"),
        ({"package": "", "amount": "1e400000"}, "invalid_request"),
        ({"package": "", "amount": ""}, "invalid_request"),
        ({"package": "10000", "amount": "50"}, "invalid_request"),
        ({"currency": "XXX"}, "invalid_value"),
        ({"currency": ""}, "invalid_value"),
        ({"provider": "paypal"}, "not_found"),
        ({"provider": "wechat"}, "not_found"),
        ({"country": ""}, "invalid_request"),
        ({"country": "D"}, "invalid_value"),
    ],
)
def test_what_is_not_on_offer_is_not_ordered(stripe: Shop, fields: dict[str, str], code: str) -> None:
    """The refusal comes back to the page of the form."""
    assert stripe.buy(**fields) == f"{HOME}/recharge"
    shown = stripe.world.get(f"{HOME}/recharge").text
    assert 'class="flash bad"' in shown, code


def test_an_amount_of_ones_own_is_read_in_its_currency(stripe: Shop) -> None:
    """With the tax of where the account's documents go, whatever the form says."""
    command = set_billing.SetBilling(account_id=ACCOUNT, buyer_name="Acme", address=("x",), country="DE")
    set_billing.handle(command, actor=SYSTEM, ports=stripe.ports)
    path = stripe.buy(package="", amount="12.34", country="FR", provider="manual")
    placed = load_order(stripe.ports.store, stripe.order_of(path)).placed
    assert (placed.tax.net_minor, placed.tax.country, placed.provider) == (1_234, "DE", "manual")
    shown = stripe.world.get(path).text
    assert placed.reference in shown
    assert "Ask whoever looks after you for the bank account." in shown


def test_where_to_transfer_to_stands_on_an_order_that_is_paid_so(database_url: str) -> None:
    """Line by line, as the operator has said it; and on no other order."""
    told = {"bank_transfer_to": "Tokenok GmbH | IBAN DE00 1234\nBIC XXXX"}
    with SIDES["stripe"]() as side, make_world(database_url, payments={**side.settings, **told}) as world:
        shop = opened(world, side)
        shown = world.get(shop.buy(provider="manual")).text
        assert all(
            f'<code tabindex="0">{one}</code>' in shown
            for one in ("Tokenok GmbH", "IBAN DE00 1234", "BIC XXXX")
        )
        assert "IBAN" not in world.get(shop.buy()).text


def test_a_provider_that_does_not_answer_is_said(stripe: Shop) -> None:
    """The order waits as before."""
    path = stripe.buy()
    stripe.side.down()
    answer = stripe.world.post(f"{path}/pay")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "does not answer" in stripe.world.get(path).text
    assert load_order(stripe.ports.store, stripe.order_of(path)).status == "placed"


def test_a_cancelled_order_is_not_paid(stripe: Shop) -> None:
    """And may be cancelled twice."""
    path = stripe.buy()
    for _ in range(2):
        assert stripe.world.post(f"{path}/cancel").headers["location"] == path
    assert "is cancelled" in stripe.world.get(path).text
    assert load_order(stripe.ports.store, stripe.order_of(path)).status == "cancelled"


def test_a_customer_asks_for_the_rest_back_and_sees_the_answer(stripe: Shop) -> None:
    """On the order's page, once it is paid; a viewer reads and asks for nothing."""
    world, path = stripe.world, stripe.buy()
    assert "Ask for a refund" not in world.get(path).text
    world.post(f"{path}/pay")
    order_id = stripe.order_of(path)
    (session_ref,) = load_order(stripe.ports.store, order_id).sessions
    stripe.side.pay(session_ref)
    stripe.hear(session_ref)
    page = world.get(path).text
    assert "Up to €119.00 of this order is unspent" in page
    named = {"order_id": str(order_id), "back": path}
    asked = world.post(f"{HOME}/do/refund-requests/file", reason="by_mistake", **named)
    assert (asked.status_code, asked.headers["location"]) == (303, path)
    page = world.get(path).text
    assert "You have asked for a refund." in page
    refund_id = load_order(stripe.ports.store, order_id).open_request
    assert refund_id is not None
    world.post(f"{HOME}/do/refund-requests/withdraw", refund_id=str(refund_id), **named)
    world.post(f"{HOME}/do/refund-requests/file", reason="other", **named)
    refund_id = load_order(stripe.ports.store, order_id).open_request
    assert refund_id is not None
    no = decline_request.DeclineRefundRequest(
        order_id=order_id, refund_id=refund_id, reason="<b>too late</b>"
    )
    decline_request.handle(no, actor=SYSTEM, ports=stripe.ports)
    page = world.get(path).text
    assert "We did not agree: &lt;b&gt;too late&lt;/b&gt;" in page
    assert "Ask for a refund" in page
    world.as_member("viewer")
    assert "Ask for a refund" not in world.get(path).text
    assert world.post(f"{HOME}/do/refund-requests/file", reason="other", **named).status_code == 403


def test_orders_of_others_are_not_there(stripe: Shop) -> None:
    """Neither to see, nor to pay, nor to cancel, nor to come back to; and there is no invoice before there is one."""
    world = stripe.world
    mine = stripe.buy()
    command = PlaceOrder(
        account_id=OTHER, currency="EUR", amount_minor=10_000, provider="stripe", country="US"
    )
    foreign = place(command, actor=SYSTEM, ports=stripe.ports).order_id
    assert world.get(f"{HOME}/orders/{foreign}").status_code == 404
    assert world.get(f"{HOME}/orders/{foreign}/invoice").status_code == 404
    assert world.get(f"/orders/{foreign}").status_code == 404
    assert world.get(f"/orders/{UUID(int=1)}").status_code == 404
    for verb in ("pay", "cancel"):
        assert world.post(f"{HOME}/orders/{foreign}/{verb}").status_code == 404
    assert load_order(stripe.ports.store, foreign).status == "placed"
    assert world.get(f"{mine}/invoice").status_code == 404
    assert world.get(f"{HOME}/orders/{foreign}/receipt").status_code == 404
    unpaid = world.get(f"{mine}/receipt")
    assert (unpaid.status_code, unpaid.headers["location"]) == (303, mine)
    world.client.cookies.clear()
    back = world.get(mine.replace(HOME, ""))
    assert back.headers["location"].startswith("/sign-in?target=%2Forders%2F")


def test_whoever_may_only_look_orders_nothing(stripe: Shop) -> None:
    """They see what there is."""
    path = stripe.buy()
    stripe.world.as_member("viewer")
    assert stripe.world.get(path).status_code == 200
    assert f'action="{path}/pay"' not in stripe.world.get(path).text
    for target in (f"{HOME}/recharge", f"{path}/pay", f"{path}/cancel"):
        assert stripe.world.post(target).status_code == 403
