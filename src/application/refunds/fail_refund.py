"""Say that a bank transfer could not be paid back, or came back."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.recharge.change_order import change_order
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refunding
from domain.recharge.order import existing


class FailRefund(Command, frozen=True, kw_only=True):
    """The credit is the customer's again; who still wants to pay it back asks for a new refund."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID
    reason: str


def handle(command: FailRefund, *, actor: Actor, ports: Ports) -> Refunded:
    """Give it up; raises as `refunding.give_up`, and `NotFound`."""
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: refunding.give_up(
            existing(order, command.order_id), command.refund_id, reason=command.reason, stamp=at
        ),
    )
    return refunded(ports, command.order_id, command.refund_id, done)
