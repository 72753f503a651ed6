"""Which buckets of which budgets a request counts in now; worked out once for each bucket."""

from uuid import UUID

import msgspec

from domain.budgets.budget import Budget
from domain.budgets.window import Bucket, bucket_at
from domain.ledger.shares import BudgetBucket, Draw


class Current(msgspec.Struct, frozen=True):
    """A budget, its present bucket, and what an admission says of it."""

    budget: Budget
    bucket: Bucket
    draw: Draw


class CurrentBuckets:
    """Belongs to the event loop; knows the budgets of one account."""

    def __init__(self) -> None:
        self.lowered: set[UUID] = (
            set()
        )  #: budgets whose amount went down: what was lent of them is too much now
        self._known: dict[UUID, Current] = {}

    def draws(self, budgets: tuple[Budget, ...], now_us: int) -> tuple[Draw, ...]:
        return tuple(self.current(budget, now_us).draw for budget in budgets)

    def current(self, budget: Budget, now_us: int) -> Current:
        known = self._known.get(budget.budget_id)
        if known is not None and known.budget is budget and known.bucket.has(now_us):
            return known
        if known is not None and budget.amount_nano < known.budget.amount_nano:
            self.lowered.add(budget.budget_id)
        bucket = bucket_at(budget.window, now_us)
        draw = Draw(BudgetBucket(budget.budget_id, bucket.start_us), budget.is_hard)
        current = self._known[budget.budget_id] = Current(budget, bucket, draw)
        return current

    def is_lowered(self, budgets: tuple[Budget, ...]) -> bool:
        return bool(self.lowered) and any(one.budget_id in self.lowered for one in budgets)

    def is_current(self, bucket: BudgetBucket, now_us: int) -> bool:
        """Requests may count in it now, as far as is known."""
        known = self._known.get(bucket.budget_id)
        return known is not None and known.draw.bucket == bucket and known.bucket.has(now_us)
