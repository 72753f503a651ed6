"""Whom an account's automatic recharges concern is told when they do not happen."""

from typing import Any

import pytest

from application.accounts import set_contact
from application.auto_recharge import forget_method, stop
from application.auto_recharge.forget_method import ForgetMethod
from application.auto_recharge.stop import StopAutoRecharge
from application.mail.letters import AutoRechargeTrouble, ReceiptSent
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from domain.auto_recharge.auto import order_of
from domain.fact import SYSTEM
from tests.application.auto_recharge.automatic import World, automatic
from tests.application.mail.test_follow import Desk
from tests.domain.recharge.orders import ACCOUNT
from tests.fakes import NOON_US

HOME = f"https://console.example.com/app/{ACCOUNT}"
HOUR_US = 3600 * 1_000_000


def trouble(**said: Any) -> AutoRechargeTrouble:
    usual = {"amount_minor": 11_900, "currency": "EUR", "exponent": 2, "recharge_link": f"{HOME}/recharge"}
    return AutoRechargeTrouble(**(usual | said))


def desk_of(world: World, **given: str) -> Desk:
    contact = set_contact.SetContact(account_id=ACCOUNT, contact_name="Bo", email="bo@example.com")
    set_contact.handle(contact, actor=SYSTEM, ports=world.ports)
    return Desk(world.ports, **given)


def letters(desk: Desk) -> list[Any]:
    return [mail.letter for mail in desk.mails()]


def test_each_decline_is_told_and_the_last_one_says_that_it_is_off() -> None:
    """When it is tried again, in the zone of the rule; each once."""
    world = automatic(zone="Asia/Tokyo")
    world.provider.saved.outcome = "failed"
    desk = desk_of(world)
    for _ in range(4):
        world.round()
        world.clock.move(24 * 3600)
    told = letters(desk)
    assert told[0] == trouble(what="declined", retry_us=NOON_US + HOUR_US, zone="Asia/Tokyo")
    assert [one.what for one in told] == ["declined", "declined", "declined", "off"]
    assert len({mail.mail_id for mail in desk.mails()}) == 4


@pytest.mark.parametrize(("console_url", "home"), [("https://console.example.com", HOME), ("", "")])
def test_whoever_must_confirm_gets_the_way_to_the_order(console_url: str, home: str) -> None:
    """Where there is a console."""
    world = automatic()
    world.provider.saved.outcome = "needs_customer"
    desk = desk_of(world, console_url=console_url)
    world.round()
    link = f"{home}/orders/{order_of(ACCOUNT, 1)}" if home else ""
    assert letters(desk) == [trouble(what="needs_customer", recharge_link=link)]


def test_a_cap_that_is_reached_is_told_once_a_month() -> None:
    """With the cap; the receipts of what was paid come as for any order."""
    world = automatic(cap_minor=12_000)
    world.balance_nano = 5
    desk = desk_of(world)
    for _ in range(3):
        world.round()
    paid, capped = letters(desk)
    assert isinstance(paid, ReceiptSent)
    assert capped == trouble(what="cap_reached", amount_minor=12_000)


def test_what_is_not_offered_any_more_is_told() -> None:
    """By its price before tax, as it was chosen."""
    world = automatic()
    desk = desk_of(world)
    set_offer(
        SetRechargeOffer(currency="EUR", rate_num=10_000_000, open=False), actor=SYSTEM, ports=world.ports
    )
    world.round()
    assert letters(desk) == [trouble(what="not_offered", amount_minor=10_000)]


def test_what_the_customer_did_themselves_is_not_told() -> None:
    """They know."""
    world = automatic()
    desk = desk_of(world)
    stop.handle(StopAutoRecharge(account_id=ACCOUNT), actor=SYSTEM, ports=world.ports)
    world.set()
    forget_method.handle(ForgetMethod(account_id=ACCOUNT), actor=SYSTEM, ports=world.ports)
    assert letters(desk) == []
