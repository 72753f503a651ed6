"""What a customer may say about automatic recharges, and the way to pay that they leave."""

from typing import Any

import pytest

from application.accounts.close_account import CloseAccount
from application.accounts.close_account import handle as close
from application.accounts.erase_account import EraseAccount
from application.accounts.erase_account import handle as erase
from application.auto_recharge.forget_method import ForgetMethod
from application.auto_recharge.forget_method import handle as forget
from application.auto_recharge.save_method import SaveMethod
from application.auto_recharge.save_method import handle as save_method
from application.auto_recharge.stop import StopAutoRecharge
from application.auto_recharge.stop import handle as stop
from application.invoicing.set_billing import SetBilling
from application.invoicing.set_billing import handle as set_billing
from domain.fact import SYSTEM
from domain.recharge.offers import AmountNotOffered
from domain.refusal import BadField, NotFound, Refusal, WrongState
from tests.application.auto_recharge.automatic import automatic, blank, with_method
from tests.application.checkout.provider import deliver, message, work
from tests.domain.auto_recharge.autos import METHOD, left
from tests.domain.recharge.orders import ACCOUNT, OTHER

SAVE = SaveMethod(account_id=ACCOUNT, provider="stripe")


def test_a_way_to_pay_is_saved_by_what_the_provider_says() -> None:
    """The page leads back to the recharges of the account; its message, twice, saves one."""
    world = with_method()
    (page,) = world.provider.saved.pages
    assert page.back_url == f"https://shop.example/app/{ACCOUNT}/recharge"
    assert world.auto.method == METHOD
    deliver(world.ports, message(event_ref="evt_again", object_ref="cs_m1"))
    work(world.ports)
    assert [one.state for one in world.ports.inbox.page().items] == ["handled", "handled"]
    assert [one.topic for one in world.store.log].count("auto-recharge.method-saved.v1") == 1


def test_what_was_left_on_no_page_of_the_accounts_is_nothing() -> None:
    """A genuine message of another page, or one that names another account."""
    world = blank()
    save_method(SAVE, actor=SYSTEM, ports=world.ports)
    world.provider.objects["cs_x"] = (left(session_ref="cs_x"),)
    world.provider.objects["cs_m1"] = (left(session_ref="cs_m1", account_id=OTHER),)
    for number, page in enumerate(("cs_x", "cs_m1")):
        deliver(world.ports, message(event_ref=f"evt_{number}", object_ref=page))
    work(world.ports)
    assert world.auto.method is None
    assert {one.state for one in world.ports.inbox.page().items} == {"handled"}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"account_id": OTHER}, NotFound),
        ({"currency": "USD"}, NotFound),
        ({"amount_minor": 499}, AmountNotOffered),
        ({"cap_minor": 11_899}, BadField),
        ({"threshold_nano": 0}, BadField),
        ({"zone": "Nowhere"}, BadField),
        ({"country": "Germany", "amount_minor": -1}, AmountNotOffered),
    ],
)
def test_a_rule_must_be_one_that_can_work(changes: dict[str, Any], refusal: type[Refusal]) -> None:
    """The cap counts tax: 100.00 cost 119.00 in Germany."""
    world = with_method()
    with pytest.raises(refusal):
        world.set(**changes)
    assert world.auto.rule is None


def test_the_buyer_of_the_documents_decides_on_tax() -> None:
    """Whatever the rule says of the country."""
    world = with_method()
    set_billing(
        SetBilling(account_id=ACCOUNT, buyer_name="Acme", address=("x",), country="FR"),
        actor=SYSTEM,
        ports=world.ports,
    )
    world.set(cap_minor=10_000, country="DE")
    world.round()
    assert (world.order().placed.amount_minor, world.order().placed.tax.country) == (10_000, "FR")


def test_a_provider_that_does_not_take_the_currency_is_told_at_once() -> None:
    """Not by the first order."""
    world = with_method()
    world.provider.currencies = frozenset({"CNY"})  # type: ignore[misc]  # of this one only
    with pytest.raises(BadField, match="takes"):
        world.set()


def test_a_closed_account_saves_nothing() -> None:
    """Neither a way to pay nor a rule."""
    world = with_method()
    close(CloseAccount(account_id=ACCOUNT, reason="x"), actor=SYSTEM, ports=world.ports)
    with pytest.raises(WrongState):
        world.set()
    with pytest.raises(WrongState):
        save_method(SAVE, actor=SYSTEM, ports=world.ports)


def test_where_nothing_can_be_left_it_is_said() -> None:
    """A provider that is not set up, and one that keeps no ways to pay."""
    world = blank()
    with pytest.raises(NotFound):
        save_method(SaveMethod(account_id=ACCOUNT, provider="paypal"), actor=SYSTEM, ports=world.ports)
    world.provider.methods = None
    with pytest.raises(BadField, match="none is set up"):
        save_method(SAVE, actor=SYSTEM, ports=world.ports)


def test_stopping_keeps_rule_and_way_to_pay() -> None:
    """Again does nothing; a low balance does nothing either."""
    world = automatic()
    for events in (1, 0):
        done = stop(StopAutoRecharge(account_id=ACCOUNT), actor=SYSTEM, ports=world.ports)
        assert len(done.events) == events
    assert world.round() == 0
    assert (world.auto.is_on, world.auto.method) == (False, METHOD)
    assert world.set().events


@pytest.mark.parametrize("is_down", [False, True])
def test_a_way_to_pay_is_forgotten(*, is_down: bool) -> None:
    """There too if the provider answers, and here in any case; once is enough."""
    world = automatic()
    world.provider.is_down = is_down
    for _ in range(2):
        forget(ForgetMethod(account_id=ACCOUNT), actor=SYSTEM, ports=world.ports)
    assert world.provider.saved.forgotten == ([] if is_down else ["pm_1"])
    assert (world.auto.method, world.auto.is_on) == (None, False)


def test_a_way_to_pay_that_is_forgotten_while_an_order_is_placed_pays_nothing() -> None:
    """The order comes to nothing."""
    world = automatic()
    world.provider.is_down = True
    world.round()
    world.provider.is_down = False
    forget(ForgetMethod(account_id=ACCOUNT), actor=SYSTEM, ports=world.ports)
    world.round()
    assert world.order().status == "cancelled"
    assert world.provider.saved.charges == {}


def test_who_is_erased_leaves_no_way_to_pay() -> None:
    """Here and at the provider; erasing again does no more."""
    world = automatic()
    for _ in range(2):
        erase(EraseAccount(account_id=ACCOUNT, reason="asked for"), actor=SYSTEM, ports=world.ports)
    assert world.provider.saved.forgotten == ["pm_1"]
    assert (world.auto.method, world.auto.is_on) == (None, False)
