"""Order credit for an account."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order, load_order
from application.recharge.list_offers import load_offers
from application.recharge.on_account import due_us_of
from application.recharge.taxing import Taxed, require_taxed
from domain.fact import Actor, Stamp
from domain.operators import Permission
from domain.recharge.events import Mode, OrderEvent
from domain.recharge.offers import Offers
from domain.recharge.on_account import buy_on_account
from domain.recharge.order import INVOICE, MANUAL, Order, OrderStatus
from domain.recharge.placing import place
from domain.refusal import BadField, WrongState


class PlaceOrder(Command, frozen=True, kw_only=True):
    """So much money for credit at the present offer. With an `order_id` of the caller's choice it may be repeated.

    The billing details say where the buyer is; `country` does where there are none.
    """

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    currency: str
    amount_minor: int
    provider: str = MANUAL
    country: str | None = None
    order_id: UUID | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid, and for what."""

    order_id: UUID
    status: OrderStatus
    amount_minor: int  #: tax included
    tax_minor: int
    currency: str
    exponent: int
    credits_nano: int
    reference: str  #: to be written on a transfer
    expires_us: int  #: of an order on account: from then on it is overdue
    done: Done


def handle(command: PlaceOrder, *, actor: Actor, ports: Ports) -> Placed:
    """Place it; on account it is credited at once.

    Raises:
        NotFound: no such account, no offer for the currency, or no such way to pay.
        BadField: the payment provider does not take the currency; or as `require_taxed`.
        WrongState: the account is closed.
        NotOnAccount, PostpaidLimitReached, PaymentOverdue, NoInvoicePossible, AccountInDebt: it cannot be bought on account.
        Others as `placing.place`.
    """
    if load_account(ports.store, command.account_id).status == "closed":
        raise WrongState("account", "closed")
    order_id = command.order_id or ports.ids.new()
    decide = _on_account if command.provider == INVOICE else _to_be_paid
    done = change_order(ports.store, order_id, decide(command, order_id, stamp(ports, actor), ports))
    order = load_order(ports.store, order_id)
    placed = order.placed
    return Placed(
        order_id=order_id,
        status=order.status,
        amount_minor=placed.amount_minor,
        tax_minor=placed.tax.tax_minor,
        currency=placed.currency,
        exponent=placed.exponent,
        credits_nano=placed.credits_nano,
        reference=placed.reference,
        expires_us=placed.expires_us,
        done=done,
    )


Decide = Callable[[Order | None], list[OrderEvent]]


def _to_be_paid(command: PlaceOrder, order_id: UUID, at: Stamp, ports: Ports) -> Decide:
    mode, current = _mode(command, ports), load_offers(ports.store)

    def decide(order: Order | None) -> list[OrderEvent]:
        buyer = _buyer(command, order, current, ports)
        return place(
            order,
            current,
            order_id=order_id,
            account_id=command.account_id,
            provider=command.provider,
            mode=mode,
            currency=command.currency,
            amount_minor=command.amount_minor,
            country=buyer.country,
            reverse_charge=buyer.reverse_charge,
            stamp=at,
        )

    return decide


def _on_account(command: PlaceOrder, order_id: UUID, at: Stamp, ports: Ports) -> Decide:
    current = load_offers(ports.store)

    def decide(order: Order | None) -> list[OrderEvent]:
        due_us = at.now_us if order else due_us_of(command.account_id, command.currency, at, ports.store)
        buyer = _buyer(command, order, current, ports)
        return buy_on_account(
            order,
            current,
            order_id=order_id,
            account_id=command.account_id,
            currency=command.currency,
            amount_minor=command.amount_minor,
            country=buyer.country,
            reverse_charge=buyer.reverse_charge,
            due_us=due_us,
            stamp=at,
        )

    return decide


def _buyer(command: PlaceOrder, order: Order | None, current: Offers, ports: Ports) -> Taxed:
    """An order that is there keeps its terms, whatever the billing details have become."""
    if order is not None:
        return Taxed(country=command.country)
    offer = current.by_currency.get(command.currency)
    return require_taxed(ports.store, command.account_id, told=command.country, offer=offer)


def _mode(command: PlaceOrder, ports: Ports) -> Mode:
    """Of the payment provider's keys; a bank transfer is always meant."""
    if command.provider == MANUAL:
        return "live"
    checkout = ports.checkouts.get(command.provider)
    if command.provider not in ports.checkouts.taking(command.currency):
        raise BadField("currency", f"is none that {command.provider} takes")
    return checkout.mode
