"""Order credit for an account."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order, load_order
from application.recharge.list_offers import load_offers
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.events import Mode
from domain.recharge.order import MANUAL, OrderStatus
from domain.recharge.placing import place
from domain.refusal import BadField, WrongState


class PlaceOrder(Command, frozen=True, kw_only=True):
    """So much money for credit at the present offer. With an `order_id` of the caller's choice it may be repeated."""

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
    expires_us: int
    done: Done


def handle(command: PlaceOrder, *, actor: Actor, ports: Ports) -> Placed:
    """Place it.

    Raises:
        NotFound: no such account, no offer for the currency, or no such way to pay.
        BadField: the payment provider does not take the currency.
        WrongState: the account is closed.
        Others as `placing.place`.
    """
    if load_account(ports.store, command.account_id).status == "closed":
        raise WrongState("account", "closed")
    mode = _mode(command, ports)
    current = load_offers(ports.store)
    order_id = command.order_id or ports.ids.new()
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        order_id,
        lambda order: place(
            order,
            current,
            order_id=order_id,
            account_id=command.account_id,
            provider=command.provider,
            mode=mode,
            currency=command.currency,
            amount_minor=command.amount_minor,
            country=command.country,
            stamp=at,
        ),
    )
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


def _mode(command: PlaceOrder, ports: Ports) -> Mode:
    """Of the payment provider's keys; a bank transfer is always meant."""
    if command.provider == MANUAL:
        return "live"
    checkout = ports.checkouts.get(command.provider)
    if command.provider not in ports.checkouts.taking(command.currency):
        raise BadField("currency", f"is none that {command.provider} takes")
    return checkout.mode
