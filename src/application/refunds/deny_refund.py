"""Refuse a refund that waits for a second operator, or take one's own back."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.recharge.change_order import change_order
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refunding
from domain.recharge.order import existing


class DenyRefund(Command, frozen=True, kw_only=True):
    """Its credit is the customer's again."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID
    reason: str


def handle(command: DenyRefund, *, actor: Actor, ports: Ports) -> Refunded:
    """Deny it; raises as `refunding.deny`, and `NotFound`."""
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: refunding.deny(
            existing(order, command.order_id), command.refund_id, reason=command.reason, stamp=at
        ),
    )
    return refunded(ports, command.order_id, command.refund_id, done)
