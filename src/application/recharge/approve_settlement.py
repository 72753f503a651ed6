"""The second operator agrees to a large transfer."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import existing
from domain.recharge.settling import approve


class ApproveSettlement(Command, frozen=True, kw_only=True):
    """Credit an order whose transfer another operator has proposed."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID


def handle(command: ApproveSettlement, *, actor: Actor, ports: Ports) -> Done:
    """Credit it; raises as `settling.approve`, `NotFound`, and `PaymentTaken`."""
    at = stamp(ports, actor)
    return change_order(
        ports.store, command.order_id, lambda order: approve(existing(order, command.order_id), stamp=at)
    )
