"""Refunds that customers ask for: of what is unspent of an order of theirs, one request at a time, decided by an operator.

Credit that was not bought has no order, so it cannot be asked for. A request sets nothing aside: what is spent before it is
accepted is gone.
"""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.fact import Stamp
from domain.recharge import refunding
from domain.recharge.events import OrderEvent
from domain.recharge.order import Order
from domain.recharge.refunding import Asked
from domain.recharge.request_events import (
    RefundRequestAccepted,
    RefundRequestDeclined,
    RefundRequestFiled,
    RefundRequestWithdrawn,
    RequestReason,
)
from domain.recharge.returns import RefundRequest
from domain.recharge.shares import credited
from domain.refusal import AlreadyExists, NotFound, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

REQUESTS_MAX: Final = 10
"""So often a refund of one order may be asked for."""


class RefundRequestOpen(Refusal):
    """An earlier request for the same order has not been decided yet; nothing was filed."""

    code: ClassVar[str] = "refund_request_open"

    def __init__(self, refund_id: UUID) -> None:
        super().__init__(f"a refund is asked for already: {refund_id}")
        self.refund_id = refund_id


def file(
    order: Order, refund_id: UUID, *, reason: RequestReason, unspent_nano: int, stamp: Stamp
) -> list[OrderEvent]:
    """Ask for the refund. The same again, by its id, does nothing.

    Raises:
        WrongState: the order was not credited, nothing of it is unspent, or it was asked for too often.
        RefundRequestOpen: see there.
        AlreadyExists: the id is of a refund that nobody had asked for so.
    """
    bought = credited(order)
    if refund_id in order.requests:
        return []
    if refund_id in order.refunds:
        raise AlreadyExists("refund", refund_id)
    if (is_open := order.open_request) is not None:
        raise RefundRequestOpen(is_open)
    if len(order.requests) >= REQUESTS_MAX:
        raise WrongState("order", f"one that was asked for {REQUESTS_MAX} times")
    unspent_minor = refunding.refundable_minor(order, unspent_nano)
    if not unspent_minor:
        raise WrongState("order", "used up")
    filed = RefundRequestFiled(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        reason=reason,
        unspent_minor=unspent_minor,
        currency=bought.currency,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return [filed]


def withdraw(order: Order, refund_id: UUID, *, stamp: Stamp) -> list[OrderEvent]:
    """Ask no more. Doing it again does nothing.

    Raises:
        NotFound: there is no such request.
        WrongState: it was decided.
    """
    if _is(order, refund_id, "withdrawn"):
        return []
    withdrawn = RefundRequestWithdrawn(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return [withdrawn]


def accept(order: Order, asked: Asked, *, stamp: Stamp) -> list[OrderEvent]:
    """Agree, and ask for the refund. Doing it again does nothing.

    Raises:
        NotFound: there is no such request.
        WrongState: it was declined or withdrawn; or as `refunding.request`, which raises others, too.
    """
    if _is(order, asked.refund_id, "accepted"):
        return []
    accepted = _accepted(order, asked.refund_id, made_as=asked.refund_id, stamp=stamp)
    return [accepted, *refunding.request(order, asked, stamp=stamp)]


def request(order: Order, asked: Asked, *, stamp: Stamp) -> list[OrderEvent]:
    """Refund without a request of the customer's. If one is open, this is the answer to it; for the rest they may ask again.

    Raises as `refunding.request`.
    """
    requested = refunding.request(order, asked, stamp=stamp)
    answered = order.open_request
    if not requested or answered is None:
        return requested
    return [_accepted(order, answered, made_as=asked.refund_id, stamp=stamp), *requested]


def decline(order: Order, refund_id: UUID, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """Do not agree. Doing it again does nothing.

    Raises:
        NotFound: there is no such request.
        WrongState: it was accepted or withdrawn.
        BadField: the reason cannot be shown.
    """
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if _is(order, refund_id, "declined"):
        return []
    declined = RefundRequestDeclined(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        reason=shown,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return [declined]


def _accepted(order: Order, refund_id: UUID, *, made_as: UUID, stamp: Stamp) -> RefundRequestAccepted:
    return RefundRequestAccepted(
        order_id=order.order_id,
        refund_id=refund_id,
        account_id=order.account_id,
        made_as=made_as if made_as != refund_id else msgspec.UNSET,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def _is(order: Order, refund_id: UUID, state: str) -> bool:
    """Whether it has been decided so.

    Raises:
        NotFound: there is no such request.
        WrongState: it was decided in another way.
    """
    request: RefundRequest | None = order.requests.get(refund_id)
    if request is None:
        raise NotFound("refund request", refund_id)
    if request.state not in {"open", state}:
        raise WrongState("refund request", request.state)
    return request.state == state
