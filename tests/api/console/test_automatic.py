"""Buying credit without a click, on the console's pages: a card is left, a rule is set, and its order is paid by a worker's rounds."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from application.accounts.suspend_account import SuspendAccount
from application.accounts.suspend_account import handle as suspend
from application.auto_recharge.follow import FollowTools
from application.auto_recharge.rounds import AutoRecharging
from application.auto_recharge.stream import load_auto
from application.recharge.change_order import load_order
from domain.fact import SYSTEM
from projections.auto_recharges import AutoRechargeReader
from projections.orders import OrderReader
from tests.adapters.checkout.sides import SIDES, StripeSide
from tests.adapters.checkout.stripe_stub import StripeStub
from tests.api.console.conftest import ACCOUNT, OTHER, make_world
from tests.api.console.test_recharge import HOME, Shop, opened
from tests.cli_runner import project

PAGE = f"{HOME}/recharge"
RULE = {"currency": "EUR", "threshold": "10", "package": "10000", "cap": "500", "country": "DE"}
_REFRESH = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with SIDES["stripe"]() as side, make_world(database_url, payments=side.settings) as world:
        yield opened(world, side)


def stub_of(shop: Shop) -> StripeStub:
    assert isinstance(shop.side, StripeSide)
    return shop.side.stub


def leave_card(shop: Shop) -> None:
    """On the provider's page, to which the console leads; the provider tells of it."""
    leaving = shop.world.post(f"{PAGE}/card", provider="stripe")
    assert leaving.status_code == 200, leaving.text
    (session_ref,) = load_auto(shop.ports.store, ACCOUNT).pages
    assert _REFRESH.findall(leaving.text) == [f"https://checkout.example/{session_ref}"]
    assert "shows here in a moment" in shop.world.get(PAGE).text
    stub_of(shop).leave_card(session_ref)
    shop.world.get(PAGE)
    assert load_auto(shop.ports.store, ACCOUNT).method is None  # coming back saves nothing
    shop.hear(session_ref)


def rounds(shop: Shop, database_url: str, *, times: int = 2) -> None:
    """Of a worker, with read models that are up to date."""
    ports, pool = shop.ports, shop.world.process.pool
    recharging = AutoRecharging(
        accounts=AutoRechargeReader(pool),
        orders=OrderReader(pool),
        follow=FollowTools(checkouts=ports.checkouts, store=ports.store, clock=ports.clock),
    )
    for _ in range(times):
        project(database_url)
        recharging.round()
    project(database_url)


def latest_order(shop: Shop) -> UUID:
    latest = load_auto(shop.ports.store, ACCOUNT).latest
    assert latest is not None
    return latest.order_id


def test_from_the_card_to_the_credit(shop: Shop, database_url: str) -> None:
    """Each step is said on the page; the month's use of the limit is told, tax included."""
    world = shop.world
    shown = world.get(PAGE).text
    assert "Save a card" in shown
    assert f'action="{PAGE}/automatic"' not in shown
    leave_card(shop)
    shown = world.get(PAGE).text
    assert "Visa" in shown
    assert "4242" not in shown
    assert f'action="{PAGE}/automatic"' in shown
    answer = world.post(f"{PAGE}/automatic", **RULE)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    rule = load_auto(shop.ports.store, ACCOUNT).rule
    assert rule is not None
    assert (rule.threshold_nano, rule.amount_minor, rule.cap_minor) == (10_000_000_000, 10_000, 50_000)
    rounds(shop, database_url)
    assert shop.granted_nano() == 105_000_000_000
    assert len(stub_of(shop).taken) == 1
    shown = world.get(PAGE).text
    assert "€119.00 of €500.00" in shown
    assert f"{HOME}/orders/{latest_order(shop)}" in shown
    rounds(shop, database_url)
    assert len(stub_of(shop).taken) == 1
    for target in ("stop", "forget"):
        assert world.post(f"{HOME}/do/auto-recharges/{target}").headers["location"] == PAGE
    assert load_auto(shop.ports.store, ACCOUNT).method is None
    assert "None saved" in world.get(PAGE).text


def test_a_decline_is_told_and_a_bank_that_asks_for_the_customer_gets_them(
    shop: Shop, database_url: str
) -> None:
    """The order of the second waits on its own page, where it is paid as any other."""
    leave_card(shop)
    shop.world.post(f"{PAGE}/automatic", **RULE)
    stub = stub_of(shop)
    stub.declines, stub.decline_code = "card_declined", "insufficient_funds"
    rounds(shop, database_url, times=1)
    shown = shop.world.get(PAGE).text
    assert "There is not enough money on the card." in shown
    assert "Not tried again before" in shown
    shop.world.post(f"{HOME}/do/auto-recharges/stop")
    shop.world.post(f"{PAGE}/automatic", **RULE)
    stub.declines, stub.decline_code = "authentication_required", None
    rounds(shop, database_url, times=1)
    assert "Your bank asks you to confirm a payment" in shop.world.get(PAGE).text
    order_id = latest_order(shop)
    assert shop.world.post(f"{HOME}/orders/{order_id}/pay").status_code == 200
    (session_ref,) = load_order(shop.ports.store, order_id).sessions
    shop.side.pay(session_ref)
    shop.hear(session_ref)
    assert shop.granted_nano() == 105_000_000_000
    rounds(shop, database_url)
    latest = load_auto(shop.ports.store, ACCOUNT).latest
    assert latest is not None
    assert latest.state == "paid"


def test_an_operator_sees_the_rule_and_may_stop_it(shop: Shop) -> None:
    """On the customer's page; support looks, finance stops."""
    leave_card(shop)
    shop.world.post(f"{PAGE}/automatic", **RULE)
    shop.world.as_staff("support")
    page = f"/console/customers/{ACCOUNT}"
    shown = shop.world.get(page).text
    assert "€0.00 of €500.00" in shown
    assert "/console/do/auto-recharges/stop" not in shown
    shop.world.as_staff("finance")
    assert "/console/do/auto-recharges/stop" in shop.world.get(page).text
    shop.world.post("/console/do/auto-recharges/stop", account_id=str(ACCOUNT), back=page)
    assert not load_auto(shop.ports.store, ACCOUNT).is_on


def test_what_stands_against_it_is_said(shop: Shop) -> None:
    """The rule is on, and nothing would happen."""
    leave_card(shop)
    shop.world.post(f"{PAGE}/automatic", **RULE)
    suspend(SuspendAccount(account_id=ACCOUNT, reason="x"), actor=SYSTEM, ports=shop.ports)
    assert "while the account is suspended" in shop.world.get(PAGE).text


@pytest.mark.parametrize(
    "fields",
    [
        {"cap": "50"},
        {"cap": "much"},
        {"threshold": ""},
        {"threshold": "-1"},
        {"package": "12345678"},
        {"currency": "XXX"},
        {"country": ""},
    ],
)
def test_a_rule_that_cannot_work_comes_back_to_its_page(shop: Shop, fields: dict[str, str]) -> None:
    """With the refusal, and nothing is set."""
    leave_card(shop)
    answer = shop.world.post(f"{PAGE}/automatic", **(RULE | fields))
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert 'class="flash bad"' in shop.world.get(PAGE).text
    assert not load_auto(shop.ports.store, ACCOUNT).is_on


def test_without_a_card_or_its_provider_nothing_is_set(shop: Shop) -> None:
    """Each is said on the page."""
    assert shop.world.post(f"{PAGE}/automatic", **RULE).headers["location"] == PAGE
    assert 'class="flash bad"' in shop.world.get(PAGE).text
    assert shop.world.post(f"{PAGE}/card", provider="paypal").headers["location"] == PAGE
    stub_of(shop).status = 500
    assert shop.world.post(f"{PAGE}/card", provider="stripe").headers["location"] == PAGE
    assert "does not answer" in shop.world.get(PAGE).text
    assert load_auto(shop.ports.store, ACCOUNT).pages == frozenset()


def test_whoever_may_only_look_changes_nothing(shop: Shop) -> None:
    """They see the card and the rule; another account's page is not there."""
    leave_card(shop)
    shop.world.post(f"{PAGE}/automatic", **RULE)
    shop.world.as_member("viewer")
    shown = shop.world.get(PAGE).text
    assert "Visa" in shown
    assert "Remove the card" not in shown
    for target in (f"{PAGE}/automatic", f"{PAGE}/card", f"{HOME}/do/auto-recharges/stop"):
        assert shop.world.post(target).status_code == 403
    assert shop.world.post(f"/app/{OTHER}/recharge/card", provider="stripe").status_code == 404


def test_without_a_provider_that_offers_it_the_page_says_nothing_of_it(database_url: str) -> None:
    """WeChat Pay keeps no cards for us."""
    with SIDES["wechat"]() as side, make_world(database_url, payments=side.settings) as world:
        shop = opened(world, side)
        assert 'id="automatic"' not in shop.world.get(PAGE).text
        assert shop.world.post(f"{PAGE}/card", provider="wechat").headers["location"] == PAGE
        assert 'class="flash bad"' in shop.world.get(PAGE).text
