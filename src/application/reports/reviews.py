"""Charges that were held for review or disputed: the queue of those that wait, with their age, and how the others were decided."""

from typing import Final, Protocol
from uuid import UUID

import msgspec

from application.queries import ReviewState
from domain.ledger.charges import DisputeCause

_US: Final = 1e6


class ReviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """One charge that was held or disputed. The provider's own figures are in the charge: `tokenok receipt show`."""

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    provider: str
    reasons: tuple[str, ...]  #: the flags of its usage, if it was held
    hold_nano: int
    charge_nano: int  #: what was paid for it when it came into the queue
    held_us: int  #: since when it waits, or waited
    position: int  #: of the fact that it is held, or disputed
    state: ReviewState
    right_nano: int | None = None  #: what the customer should pay in all, as it was decided
    reason: str | None = None
    decided_by: str | None = None
    decided_us: int | None = None
    adjustment_id: UUID | None = None  #: of the correction; whether it is posted, the adjustment says
    cause: DisputeCause | None = None  #: if its customer disputes it, or did
    disputed_by: str | None = None
    disputed_us: int | None = None


class ReviewFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which to list; an unset field allows all."""

    state: ReviewState | None = None
    account_id: UUID | None = None
    request_id: UUID | None = None
    cause: DisputeCause | None = None


class ReviewQueue(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait, and for how long the oldest of them does."""

    waiting: int
    oldest_s: float  #: 0 if none waits


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """Charges that were held or disputed, oldest first: what waits longest comes first. `next_after` is the `after_position` of the next page."""

    items: tuple[ReviewRow, ...]
    queue: ReviewQueue
    next_after: int | None


class ReviewQueries(Protocol):
    """As last projected."""

    def reviews(
        self, wanted: ReviewFilter, *, now_us: int, after_position: int = 0, limit: int = 100
    ) -> ReviewPage:
        """One page; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...

    def queue(self, *, now_us: int) -> ReviewQueue:
        """How many charges wait, and for how long."""
        ...


def queue_of(waiting: int, oldest_us: int | None, *, now_us: int) -> ReviewQueue:
    """The queue, by when the oldest charge in it was held."""
    age_us = 0 if oldest_us is None else max(now_us - oldest_us, 0)
    return ReviewQueue(waiting=waiting, oldest_s=age_us / _US)
