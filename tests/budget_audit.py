"""An auditor of budgets with books of its own: it knows only what events say, and none of the product's folds."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from domain.budgets.budget import Budget
from domain.budgets.events import BudgetShareGranted, BudgetShareReturned, BudgetShareSettled
from domain.event import Event
from domain.ledger.events import (
    LeaseShareRaised,
    LeaseShareReturned,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.shares import BudgetBucket
from tests.model.world import require

CODE: Final = "P31"


class BudgetAuditor:
    """Takes events in the order of the log; raises `Violation` of P31 at the first that breaks a rule."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._budgets = {one.budget_id: one for one in budgets}
        self.charged: dict[BudgetBucket, int] = defaultdict(int)
        self._open: dict[UUID, tuple[UUID, RequestAdmitted]] = {}
        self._lent: dict[tuple[UUID, BudgetBucket], int] = defaultdict(int)  #: by the budget
        self._sizes: dict[tuple[UUID, BudgetBucket], int] = defaultdict(int)  #: what leases count on
        self._shares: dict[tuple[UUID, BudgetBucket], int] = defaultdict(int)  #: less charges and holds
        self._of_lease: dict[tuple[UUID, BudgetBucket], int] = defaultdict(int)  #: charges

    def take(self, stream_id: UUID, event: Event) -> None:
        match event:
            case RequestAdmitted():
                self._open[event.request_id] = (stream_id, event)
                self._change(stream_id, event, -event.hold_nano)
            case UsageCharged():
                lease_id, admitted = self._open.pop(event.request_id)
                require(CODE, lease_id == stream_id, "a hold ends where it was made")
                self._change(lease_id, admitted, admitted.hold_nano - event.charge_nano)
                for bucket in admitted.budgets or ():
                    self.charged[bucket] += event.charge_nano
                    self._of_lease[lease_id, bucket] += event.charge_nano
                    self._check_windows(bucket.budget_id)
            case RequestReleased() | RequestAbandoned():
                lease_id, admitted = self._open.pop(event.request_id)
                self._change(lease_id, admitted, admitted.hold_nano)
            case LeaseShareRaised():
                self._shares[stream_id, event.bucket] += event.amount_nano
                self._sizes[stream_id, event.bucket] += event.amount_nano
                self._check_size(stream_id, event.bucket)
            case LeaseShareReturned():
                self._shares[stream_id, event.bucket] -= event.amount_nano
                self._sizes[stream_id, event.bucket] -= event.amount_nano
                self._check_lease(stream_id, event.bucket)
            case BudgetShareGranted():
                require(CODE, event.amount_nano > 0, event)
                self._lent[self._of(event)] += event.amount_nano
            case BudgetShareReturned():
                self._lent[self._of(event)] -= event.amount_nano
                self._check_size(*self._of(event))
            case BudgetShareSettled():
                of = self._of(event)
                charged_nano = self._of_lease.pop(
                    of, 0
                )  # of a lease that borrows again when it has ended, nothing more
                require(CODE, event.charged_nano == charged_nano, "settled by what the lease charged")
                accounted_nano = event.charged_nano + event.returned_nano
                require(CODE, accounted_nano == self._lent.pop(of), "all that was lent is accounted for")
            case _:
                pass

    def _of(
        self, event: BudgetShareGranted | BudgetShareReturned | BudgetShareSettled
    ) -> tuple[UUID, BudgetBucket]:
        return event.lease_id, BudgetBucket(event.budget_id, event.bucket_us)

    def _change(self, lease_id: UUID, admitted: RequestAdmitted, change_nano: int) -> None:
        for bucket in admitted.budgets or ():
            if self._budgets[bucket.budget_id].is_hard:
                self._shares[lease_id, bucket] += change_nano
                self._check_lease(lease_id, bucket)

    def _check_lease(self, lease_id: UUID, bucket: BudgetBucket) -> None:
        free_nano = self._shares[lease_id, bucket]
        require(CODE, free_nano >= 0, f"{lease_id} holds and charged no more than its share of {bucket}")

    def _check_size(self, lease_id: UUID, bucket: BudgetBucket) -> None:
        has_nano, lent_nano = self._sizes[lease_id, bucket], self._lent[lease_id, bucket]
        require(CODE, has_nano <= lent_nano, f"{lease_id} counts on what it was lent of {bucket}, no more")

    def _check_windows(self, budget_id: UUID) -> None:
        budget = self._budgets[budget_id]
        if budget.is_hard:
            require(CODE, self.left_nano(budget) >= 0, f"a window of {budget_id} charged more than it has")

    def left_nano(self, budget: Budget, bucket_us: int | None = None) -> int:
        """What the fullest of the windows that a bucket is in has left; of all windows without one."""
        reach_us = budget.window.reach_us
        charged = {
            one.start_us: nano for one, nano in self.charged.items() if one.budget_id == budget.budget_id
        }
        if bucket_us is not None:
            charged.setdefault(bucket_us, 0)
        windows = [
            sum(nano for at_us, nano in charged.items() if 0 <= end_us - at_us <= reach_us)
            for end_us in charged
            if bucket_us is None or 0 <= end_us - bucket_us <= reach_us
        ]
        return budget.amount_nano - max(windows, default=0)
