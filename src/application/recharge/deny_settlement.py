"""Take back the proposal to credit an order."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import existing
from domain.recharge.settling import deny


class DenySettlement(Command, frozen=True, kw_only=True):
    """The proposed transfer is not the order's; the order waits for another one."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    reason: str


def handle(command: DenySettlement, *, actor: Actor, ports: Ports) -> Done:
    """Deny it; raises as `settling.deny`, and `NotFound`."""
    at = stamp(ports, actor)
    return change_order(
        ports.store,
        command.order_id,
        lambda order: deny(existing(order, command.order_id), reason=command.reason, stamp=at),
    )
