"""Ask for a refund of what is unspent of an order, as its customer."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Created, Ports, stamp
from application.eventlog import EventStore
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import change_order, load_order
from domain.fact import Actor
from domain.ledger.claims import unspent
from domain.operators import Permission
from domain.recharge import refund_requests, refunding
from domain.recharge.events import OrderEvent
from domain.recharge.order import Order, existing, lot_of
from domain.recharge.request_events import RequestReason
from domain.recharge.shares import credited


class FileRefundRequest(Command, frozen=True, kw_only=True):
    """An operator decides. Until then nothing is set aside, and the credit may be spent."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    reason: RequestReason
    refund_id: UUID | None = None


def handle(command: FileRefundRequest, *, actor: Actor, ports: Ports) -> Created:
    """File it; raises as `refund_requests.file`, and `NotFound`."""
    at, refund_id = stamp(ports, actor), command.refund_id or ports.ids.new()

    def decide(order: Order | None) -> list[OrderEvent]:
        known = existing(order, command.order_id)
        return refund_requests.file(
            known, refund_id, reason=command.reason, unspent_nano=_unspent_nano(ports.store, known), stamp=at
        )

    return Created(id=refund_id, done=change_order(ports.store, command.order_id, decide))


def askable_minor(store: EventStore, order_id: UUID) -> int:
    """What a customer may ask for now, tax included: nothing while a request is open or no money has come.

    Raises:
        NotFound: there is no such order.
    """
    order = load_order(store, order_id)
    if order.credited is None or order.open_request is not None:
        return 0
    if len(order.requests) >= refund_requests.REQUESTS_MAX:
        return 0
    return refunding.refundable_minor(order, _unspent_nano(store, order))


def _unspent_nano(store: EventStore, order: Order) -> int:
    """With what gateways have of it, which they are asked for when the request is accepted."""
    credited(order)
    there = unspent(load_wallet(store, order.account_id).wallet, lot_of(order.order_id))
    return there.available_nano + there.lent_nano
