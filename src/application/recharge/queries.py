"""What surfaces may ask about orders: the answers' shapes and the port that gives them. As last projected."""

from typing import Protocol
from uuid import UUID

import msgspec

from domain.recharge.offers import Offer
from domain.recharge.order import OrderStatus


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Money is minor units of the currency, tax included; times are Unix microseconds."""

    order_id: UUID
    account_id: UUID
    provider: str
    mode: str
    status: OrderStatus
    amount_minor: int
    currency: str
    exponent: int  #: decimals of the minor unit
    credits_nano: int
    credited_nano: int  #: what was bought, once it is paid; 0 before
    credited_us: int | None
    refunded_minor: int  #: what went back, or will unless it fails
    disputed_minor: int  #: under disputes that are not won
    owed_minor: (
        int  #: of an order on account, which is credited before it is paid; overdue from `expires_us` on
    )
    reference: str  #: what the customer writes on a transfer
    waits_for_approval: bool  #: a second operator is asked about a transfer or a refund
    mismatched: bool  #: a payment came that does not match; somebody must look
    refunds_under_way: bool  #: approved, and not known to have come to an end
    disputes_open: bool  #: the customer's bank has not decided yet
    refund_wanted: bool  #: the customer asked for a refund, and nobody has decided yet
    placed_us: int
    expires_us: int
    placed_position: int
    updated_position: int


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders to list; an unset field allows all."""

    account_id: UUID | None = None
    status: OrderStatus | None = None
    provider: str | None = None
    reference: str | None = None
    needs_somebody: bool | None = (
        None  #: waits for approval or a word on a refund, is disputed, or has a payment that does not match
    )


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[OrderRow, ...]
    next_before: int | None


class OfferPage(msgspec.Struct, frozen=True, kw_only=True):
    """What credit costs, by currency."""

    items: tuple[Offer, ...]
    next_after: str | None


class OrderQueries(Protocol):
    """Blocking; safe to use from threads."""

    def orders(
        self, wanted: OrderFilter, *, before_position: int | None = None, limit: int = 100
    ) -> OrderPage:
        """One page, newest first; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...

    def order(self, order_id: UUID) -> OrderRow | None:
        """One order."""
        ...
