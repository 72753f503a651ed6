"""Do not agree to a refund that a customer asked for."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refund_requests
from domain.recharge.order import existing


class DeclineRefundRequest(Command, frozen=True, kw_only=True):
    """The customer reads the reason, and may ask again."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID
    reason: str


def handle(command: DeclineRefundRequest, *, actor: Actor, ports: Ports) -> Done:
    """Decline it; raises as `refund_requests.decline`, and `NotFound`."""
    at = stamp(ports, actor)
    return change_order(
        ports.store,
        command.order_id,
        lambda order: refund_requests.decline(
            existing(order, command.order_id), command.refund_id, reason=command.reason, stamp=at
        ),
    )
