"""Ask no more for a refund that nobody has decided about."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refund_requests
from domain.recharge.order import existing


class WithdrawRefundRequest(Command, frozen=True, kw_only=True):
    """Who wants it after all asks again."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID


def handle(command: WithdrawRefundRequest, *, actor: Actor, ports: Ports) -> Done:
    """Withdraw it; raises as `refund_requests.withdraw`, and `NotFound`."""
    at = stamp(ports, actor)
    return change_order(
        ports.store,
        command.order_id,
        lambda order: refund_requests.withdraw(
            existing(order, command.order_id), command.refund_id, stamp=at
        ),
    )
