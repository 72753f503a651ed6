"""Pay back money of an order whose credit is unspent."""

from threading import Event
from typing import ClassVar, Final
from uuid import UUID

from application.command import Command, Ports, stamp
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import change_order, load_order
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.ledger.claims import Unspent, unspent
from domain.operators import Permission
from domain.recharge import refund_requests
from domain.recharge.events import OrderEvent
from domain.recharge.order import Order, existing, lot_of
from domain.recharge.refunding import Asked
from domain.recharge.shares import credited, credits_of

_LOOKS: Final = 15
_LOOK_S: Final = 0.1
"""So long gateways may take to give back what no request needs; what they hold then is not unspent."""


class RequestRefund(Command, frozen=True, kw_only=True):
    """Without an amount, all that is unspent of the order goes back. The same `refund_id` is refunded once. A refund that the customer
    asks for is accepted by it.
    """

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    reason: str
    amount_minor: int | None = None
    refund_id: UUID | None = None


def handle(command: RequestRefund, *, actor: Actor, ports: Ports) -> Refunded:
    """Set its credit aside, and have the provider pay it back, unless a second operator is to agree first.

    Raises:
        NotFound: there is no such order.
        NotEnoughUnspent: less of its credit is unspent; gateways were asked for what they have of it.
        Others as `refund_requests.request`.
    """
    at, refund_id = stamp(ports, actor), command.refund_id or ports.ids.new()

    def decide(order: Order | None) -> list[OrderEvent]:
        known = existing(order, command.order_id)
        asked = wanted(ports, known, refund_id, amount_minor=command.amount_minor, reason=command.reason)
        return refund_requests.request(known, asked, stamp=at)

    order = load_order(ports.store, command.order_id)
    if refund_id not in order.refunds:
        call_back(ports, order, command.amount_minor)
    done = change_order(ports.store, command.order_id, decide)
    return refunded(ports, command.order_id, refund_id, done)


def wanted(ports: Ports, order: Order, refund_id: UUID, *, amount_minor: int | None, reason: str) -> Asked:
    """What is asked for, with what is unspent of the order's lot at this moment.

    Raises:
        WrongState: the order was not credited.
    """
    return Asked(
        refund_id=refund_id,
        amount_minor=amount_minor,
        unspent_nano=_there(ports, order).available_nano,
        reason=reason,
        approval_nano=ports.approval_nano,
    )


def _there(ports: Ports, order: Order) -> Unspent:
    credited(order)
    return unspent(load_wallet(ports.store, order.account_id).wallet, lot_of(order.order_id))


def call_back(ports: Ports, order: Order, amount_minor: int | None) -> None:
    """Have gateways give back what no request needs, if it is wanted; and wait a moment for it."""
    wanted_nano = None if amount_minor is None else credits_of(order, amount_minor)
    pause = Event()
    for look in range(_LOOKS):
        there = _there(ports, order)
        is_there = wanted_nano is not None and there.available_nano >= wanted_nano
        if is_there or not there.lent_nano or (look == 0 and not ports.call_back(order.account_id)):
            return
        pause.wait(_LOOK_S)
