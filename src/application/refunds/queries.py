"""What surfaces may ask about refunds that customers ask for: the queue of operators. As last projected."""

from typing import Protocol
from uuid import UUID

import msgspec

from application.reports.reviews import ReviewQueue
from domain.recharge.request_events import RequestReason
from domain.recharge.returns import RequestState


class RefundRequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Money is minor units of the currency; times are Unix microseconds."""

    refund_id: UUID  #: of the refund, if it is accepted
    order_id: UUID
    account_id: UUID
    state: RequestState
    reason: RequestReason
    unspent_minor: int  #: what could go back when it was filed
    currency: str
    filed_us: int
    filed_by: str
    position: int  #: of the filing
    decided_us: int | None = None
    decided_by: str | None = None
    declined_because: str | None = None


class RefundRequestFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which to list; an unset field allows all."""

    state: RequestState | None = None
    account_id: UUID | None = None
    order_id: UUID | None = None


class RefundRequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, oldest first: who waits longest comes first. `next_after` is the `after_position` of the next page."""

    items: tuple[RefundRequestRow, ...]
    queue: ReviewQueue  #: of all that are open, whatever was asked for
    next_after: int | None


class RefundRequestQueries(Protocol):
    """Blocking; safe to use from threads."""

    def requests(
        self, wanted: RefundRequestFilter, *, now_us: int, after_position: int = 0, limit: int = 100
    ) -> RefundRequestPage:
        """One page; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...
