"""What surfaces may ask about codes: which batches there are, and who has redeemed how many. As last projected."""

from typing import Protocol
from uuid import UUID

import msgspec


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One batch of codes."""

    batch_id: UUID
    count: int
    amount_nano: int  #: for each code
    per_account: int
    redeem_until_us: int | None
    credit_days: int | None
    note: str
    issued_by: str
    issued_us: int
    withdrawn_because: str | None
    position: int
    redeemed: int


class BatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Batches, newest first. `next_before` is the `before_position` of the next page; null on the last."""

    items: tuple[BatchRow, ...]
    next_before: int | None


class RedemptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One code that was redeemed. Which one is not known to anybody."""

    lot_id: UUID
    batch_id: UUID
    account_id: UUID
    redeemed_by: str
    redeemed_us: int
    position: int


class RedemptionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Redemptions, newest first. `next_before` is the `before_position` of the next page; null on the last."""

    items: tuple[RedemptionRow, ...]
    next_before: int | None


class CodeQueries(Protocol):
    """Blocking; safe to use from threads."""

    def batches(self, *, before_position: int | None = None, limit: int = 100) -> BatchPage: ...

    def batch(self, batch_id: UUID) -> BatchRow | None: ...

    def redemptions(
        self,
        *,
        batch_id: UUID | None = None,
        account_id: UUID | None = None,
        before_position: int | None = None,
        limit: int = 100,
    ) -> RedemptionPage:
        """Of a batch, or by an account, or all."""
        ...
