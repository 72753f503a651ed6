"""Confirm that the bank transfer for an order has come in."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order, load_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import OrderStatus, existing
from domain.recharge.settling import settle


class SettleOrder(Command, frozen=True, kw_only=True):
    """What the bank's statement says. The same `payment_ref`, the bank's own id of the transfer, pays for one order."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    payment_ref: str
    amount_minor: int
    currency: str
    evidence: str


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the order is credited now, or waits for a second operator."""

    status: OrderStatus
    waits_for_approval: bool
    done: Done


def handle(command: SettleOrder, *, actor: Actor, ports: Ports) -> Settled:
    """Credit it, or propose it to a second operator.

    Raises:
        NotFound: there is no such order.
        PaymentTaken: the transfer has paid for another order.
        Others as `settling.settle`.
    """
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: settle(
            existing(order, command.order_id),
            payment_ref=command.payment_ref,
            amount_minor=command.amount_minor,
            currency=command.currency,
            evidence=command.evidence,
            stamp=at,
        ),
    )
    order = load_order(ports.store, command.order_id)
    return Settled(status=order.status, waits_for_approval=order.proposal is not None, done=done)
