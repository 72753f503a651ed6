"""Facts of what customers ask for: that the unspent part of an order goes back. They stand in the order's stream.

They move nothing. A `refund_id` is that of the refund that a request becomes if it is accepted, in the same append; an operator who refunds the order
without it accepts it by that.
A customer's reason is one of a few, for their own words may name people.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.fact import Fact

RequestReason = Literal["not_needed", "by_mistake", "not_satisfied", "other"]


class RefundRequestFiled(Fact, frozen=True, kw_only=True):
    """A customer wants back what is unspent of the order; an operator is to decide."""

    TOPIC: ClassVar[str] = "order.refund-request-filed.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    reason: RequestReason
    unspent_minor: int  #: what could go back then, with all that gateways had of it
    currency: str


class RefundRequestWithdrawn(Fact, frozen=True, kw_only=True):
    """The customer does not want it any more."""

    TOPIC: ClassVar[str] = "order.refund-request-withdrawn.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID


class RefundRequestAccepted(Fact, frozen=True, kw_only=True):
    """An operator agreed. Stored in one append with the `RefundRequested` that it becomes, of the same id or of `made_as`."""

    TOPIC: ClassVar[str] = "order.refund-request-accepted.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    made_as: UUID | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: the refund, where an operator made it without the request


class RefundRequestDeclined(Fact, frozen=True, kw_only=True):
    """An operator did not agree. The customer reads the reason."""

    TOPIC: ClassVar[str] = "order.refund-request-declined.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    reason: str


RefundRequestEvent = (
    RefundRequestFiled | RefundRequestWithdrawn | RefundRequestAccepted | RefundRequestDeclined
)
REFUND_REQUEST_EVENTS: tuple[type[Fact], ...] = (
    RefundRequestFiled,
    RefundRequestWithdrawn,
    RefundRequestAccepted,
    RefundRequestDeclined,
)
