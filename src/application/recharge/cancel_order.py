"""Wait for no payment of an order any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import existing
from domain.recharge.placing import cancel


class CancelOrder(Command, frozen=True, kw_only=True):
    """A payment that comes in nevertheless is credited."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    reason: str


def handle(command: CancelOrder, *, actor: Actor, ports: Ports) -> Done:
    """Cancel it; raises as `placing.cancel`, and `NotFound`."""
    at = stamp(ports, actor)
    return change_order(
        ports.store,
        command.order_id,
        lambda order: cancel(existing(order, command.order_id), reason=command.reason, stamp=at),
    )
