"""Say that a bank transfer was paid back."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.recharge.change_order import change_order
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refunding
from domain.recharge.order import existing


class ConfirmRefund(Command, frozen=True, kw_only=True):
    """What the bank's statement says; `refund_ref` is the bank's own id of the transfer back."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID
    refund_ref: str
    evidence: str


def handle(command: ConfirmRefund, *, actor: Actor, ports: Ports) -> Refunded:
    """Take the credit for good; raises as `refunding.confirm`, and `NotFound`."""
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: refunding.confirm(
            existing(order, command.order_id),
            command.refund_id,
            refund_ref=command.refund_ref,
            evidence=command.evidence,
            stamp=at,
        ),
    )
    return refunded(ports, command.order_id, command.refund_id, done)
