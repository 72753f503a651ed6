"""Ports with an account and an offer in them."""

from typing import Any
from uuid import UUID

from application.accounts.open_account import OpenAccount
from application.accounts.open_account import handle as open_account
from application.command import Ports
from application.recharge.place_order import Placed, PlaceOrder
from application.recharge.place_order import handle as place
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from domain.fact import SYSTEM, Actor
from domain.recharge.offers import TaxRate
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import memory_ports

ANNA, BERT = Actor("operator", UUID(int=71)), Actor("operator", UUID(int=72))


def furnish(ports: Ports) -> Ports:
    """An account, and credit on offer for euros: one credit each, from 5.00 to 10,000.00, 19 % on top in Germany."""
    open_account(OpenAccount(name="Acme", account_id=ACCOUNT), actor=SYSTEM, ports=ports)
    offer = SetRechargeOffer(
        currency="EUR",
        rate_num=10_000_000,
        min_minor=500,
        max_minor=1_000_000,
        taxes=(TaxRate(country="DE", rate_ppm=190_000),),
        approval_minor=500_000,
    )
    set_offer(offer, actor=SYSTEM, ports=ports)
    return ports


def dollars_offered(ports: Ports) -> None:
    """Credit for dollars, with the tax of Germany on top."""
    offer = SetRechargeOffer(
        currency="USD",
        rate_num=10_000_000,
        min_minor=500,
        max_minor=1_000_000,
        taxes=(TaxRate(country="DE", rate_ppm=190_000),),
    )
    set_offer(offer, actor=SYSTEM, ports=ports)


def furnished() -> Ports:
    return furnish(memory_ports())


def ordered(ports: Ports, **changes: Any) -> Placed:
    """An order for 100.00 EUR and 19 % on top, unless said otherwise."""
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "currency": "EUR",
        "amount_minor": 10_000,
        "country": "DE",
        "order_id": ORDER,
    }
    return place(PlaceOrder(**(given | changes)), actor=SYSTEM, ports=ports)
