"""Agree to a refund that a customer asked for."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.recharge.change_order import change_order, load_order
from application.refunds.request_refund import call_back, wanted
from application.refunds.result import Refunded, refunded
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import refund_requests
from domain.recharge.events import OrderEvent
from domain.recharge.order import Order, existing


class AcceptRefundRequest(Command, frozen=True, kw_only=True):
    """Without an amount, all that is unspent of the order by now goes back."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    refund_id: UUID
    amount_minor: int | None = None


def handle(command: AcceptRefundRequest, *, actor: Actor, ports: Ports) -> Refunded:
    """Agree, set the credit aside, and have the provider pay it back, unless a second operator is to agree first.

    Raises as `refund_requests.accept` and `request_refund.handle`.
    """
    at, refund_id = stamp(ports, actor), command.refund_id

    def decide(order: Order | None) -> list[OrderEvent]:
        known = existing(order, command.order_id)
        asked = wanted(
            ports, known, refund_id, amount_minor=command.amount_minor, reason=_reason(known, refund_id)
        )
        return refund_requests.accept(known, asked, stamp=at)

    order = load_order(ports.store, command.order_id)
    if order.open_request == refund_id:
        call_back(ports, order, command.amount_minor)
    done = change_order(ports.store, command.order_id, decide)
    return refunded(ports, command.order_id, refund_id, done)


def _reason(order: Order, refund_id: UUID) -> str:
    """What the refund says of itself; of a request that is not there nothing is decided."""
    request = order.requests.get(refund_id)
    return f"the customer asked for it: {request.reason}" if request is not None else ""
