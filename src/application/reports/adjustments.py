"""Adjustments of credit as they stand: what waits for a second operator, and what became of the others."""

from typing import Protocol
from uuid import UUID

import msgspec

from domain.ledger.adjustments import AdjustmentKind, AdjustmentState


class AdjustmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One adjustment. `decided_by` is empty for one that did not have to wait, or still does."""

    adjustment_id: UUID
    account_id: UUID
    kind: AdjustmentKind
    amount_nano: int  #: of a void, what was left of the lot when it was asked for
    reason: str
    ref: UUID | None
    lot_id: UUID | None
    state: AdjustmentState
    requested_by: str
    requested_us: int
    decided_by: str | None
    decided_us: int | None
    denied_because: str | None
    position: int  #: of the request


class AdjustmentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which adjustments to list; an unset field allows all."""

    state: AdjustmentState | None = None
    account_id: UUID | None = None
    ref: UUID | None = None


class AdjustmentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Adjustments, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[AdjustmentRow, ...]
    next_before: int | None


class AdjustmentQueries(Protocol):
    """Adjustments as last projected."""

    def adjustments(
        self, wanted: AdjustmentFilter, *, before_position: int | None = None, limit: int = 100
    ) -> AdjustmentPage:
        """One page, newest first; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...
