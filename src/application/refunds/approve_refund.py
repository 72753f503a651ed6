"""Agree to a refund that another operator has asked for."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.recharge.change_order import change_order
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refunding
from domain.recharge.order import existing


class ApproveRefund(Command, frozen=True, kw_only=True):
    """The money goes back; its credit was set aside when it was asked for."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID


def handle(command: ApproveRefund, *, actor: Actor, ports: Ports) -> Refunded:
    """Approve it, and have the provider pay it back; raises as `refunding.approve`, and `NotFound`."""
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: refunding.approve(
            existing(order, command.order_id), command.refund_id, by=actor, stamp=at
        ),
    )
    return refunded(ports, command.order_id, command.refund_id, done)
