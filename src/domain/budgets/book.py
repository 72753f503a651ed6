"""Who may spend how much of a budget: shares of its buckets, lent to leases. Never more than the budget's amount.

What a lease gave back is free. What it did not is counted as spent until the lease has ended and its share is settled by
what the log says that it charged. So a bucket's charges never exceed what was lent of it, whoever dies.
"""

from collections.abc import Iterator
from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.budgets.budget import Budget
from domain.budgets.events import (
    BudgetShareGranted,
    BudgetShareReturned,
    BudgetShareSettled,
    ShareEvent,
)
from domain.ids import stream_of
from domain.ledger.events import Owner
from domain.ledger.refusals import AmountOutOfRange, LedgerRefusal


class ShareGone(LedgerRefusal):
    """The lease has no share of this bucket: it is settled, or was never granted."""

    code: ClassVar[str] = "share_gone"


class BudgetSpent(LedgerRefusal):
    """Less than that is left of the budget; nothing was lent."""

    code: ClassVar[str] = "budget_spent"


class Share(msgspec.Struct):
    """What a lease that has not been settled may charge to a bucket in all."""

    owner: Owner
    amount_nano: int


class BucketUse(msgspec.Struct):
    """One bucket: what settled leases charged, and what others may charge."""

    spent_nano: int = 0
    shares: dict[UUID, Share] = {}
    counted: dict[
        UUID, int
    ] = {}  #: what is spent, by lease: one that has lost its lease may borrow for it again

    @property
    def used_nano(self) -> int:
        return self.spent_nano + sum(share.amount_nano for share in self.shares.values())


class BudgetBook(msgspec.Struct):
    """The fold of a stream of shares. `evolve` changes it in place."""

    buckets: dict[int, BucketUse] = {}  #: by their begin
    version: int = 0

    def share_nano(self, bucket_us: int, lease_id: UUID) -> int:
        """What a lease may charge to a bucket in all."""
        share = self.buckets.get(bucket_us, _UNUSED).shares.get(lease_id)
        return 0 if share is None else share.amount_nano

    def open_shares(self, budget: Budget, bucket_us: int) -> Iterator[tuple[int, UUID, Share]]:
        """The shares that are not settled in the buckets that count with this one: bucket, lease and share."""
        for start_us, bucket in self.buckets.items():
            if abs(start_us - bucket_us) <= budget.window.reach_us:
                for lease_id, share in bucket.shares.items():
                    yield start_us, lease_id, share


_UNUSED = BucketUse()


def share_stream(budget: Budget, bucket_us: int) -> UUID:
    """The stream with the shares of a bucket: its own, or that of all hours of a rolling budget."""
    kind = "shares" if budget.window.kind == "rolling" else f"shares:{bucket_us}"
    return stream_of(budget.budget_id, kind)


def available_nano(book: BudgetBook, budget: Budget, bucket_us: int) -> int:
    """What may be lent of a bucket; below zero if the budget was lowered after more had been lent.

    Every window that the bucket is in must have room: also those of later buckets, which a clock ahead of ours may have
    seen already.
    """
    reach_us = budget.window.reach_us
    ends = [bucket_us, *(one for one in book.buckets if 0 < one - bucket_us <= reach_us)]
    return budget.amount_nano - max(_used_nano(book, end_us - reach_us, end_us) for end_us in ends)


def grant_share(
    book: BudgetBook,
    budget: Budget,
    *,
    bucket_us: int,
    lease_id: UUID,
    owner: Owner,
    amount_nano: int,
    now_us: int,
) -> list[ShareEvent]:
    """Lend so much more of a bucket to a lease.

    Raises:
        AmountOutOfRange: the amount is not positive.
        BudgetSpent: less is left.
    """
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    if amount_nano > available_nano(book, budget, bucket_us):
        raise BudgetSpent(str(amount_nano))
    return [
        BudgetShareGranted(
            budget_id=budget.budget_id,
            bucket_us=bucket_us,
            lease_id=lease_id,
            account_id=budget.account_id,
            owner=owner,
            amount_nano=amount_nano,
            budget_nano=budget.amount_nano,
            occurred_us=now_us,
        )
    ]


def return_share(
    book: BudgetBook, budget_id: UUID, *, bucket_us: int, lease_id: UUID, amount_nano: int, now_us: int
) -> list[ShareEvent]:
    """Take back what a live lease has returned in its own stream.

    Raises:
        ShareGone: see there.
        AmountOutOfRange: not positive, or more than the share.
    """
    _require_share(book, bucket_us, lease_id, amount_nano)
    if not amount_nano:
        raise AmountOutOfRange(str(amount_nano))
    return [
        BudgetShareReturned(
            budget_id=budget_id,
            bucket_us=bucket_us,
            lease_id=lease_id,
            amount_nano=amount_nano,
            occurred_us=now_us,
        )
    ]


def settle_share(
    book: BudgetBook, budget_id: UUID, *, bucket_us: int, lease_id: UUID, charged_nano: int, now_us: int
) -> list[ShareEvent]:
    """Account for the share of a lease that has ended, by what the lease's stream says it charged in all.

    A process that does not know yet that its lease was ended may borrow for it once more. What an earlier settlement has
    counted is not counted again then.

    Raises:
        ShareGone: see there.
        AmountOutOfRange: the lease claims to have charged more than its share.
    """
    charged_nano -= book.buckets.get(bucket_us, _UNUSED).counted.get(lease_id, 0)
    share_nano = _require_share(book, bucket_us, lease_id, charged_nano)
    return [
        BudgetShareSettled(
            budget_id=budget_id,
            bucket_us=bucket_us,
            lease_id=lease_id,
            charged_nano=charged_nano,
            returned_nano=share_nano - charged_nano,
            occurred_us=now_us,
        )
    ]


def evolve(book: BudgetBook, event: ShareEvent) -> BudgetBook:
    """Fold one stored event into `book`, in place."""
    bucket = book.buckets.setdefault(event.bucket_us, BucketUse())
    match event:
        case BudgetShareGranted():
            share = bucket.shares.setdefault(event.lease_id, Share(event.owner, 0))
            share.amount_nano += event.amount_nano
        case BudgetShareReturned():
            bucket.shares[event.lease_id].amount_nano -= event.amount_nano
        case BudgetShareSettled():
            del bucket.shares[event.lease_id]
            bucket.spent_nano += event.charged_nano
            if event.charged_nano:
                bucket.counted[event.lease_id] = bucket.counted.get(event.lease_id, 0) + event.charged_nano
        case _:
            assert_never(event)
    book.version += 1
    return book


def _used_nano(book: BudgetBook, first_us: int, last_us: int) -> int:
    return sum(one.used_nano for start_us, one in book.buckets.items() if first_us <= start_us <= last_us)


def _require_share(book: BudgetBook, bucket_us: int, lease_id: UUID, amount_nano: int) -> int:
    share = book.buckets.get(bucket_us, _UNUSED).shares.get(lease_id)
    if share is None:
        raise ShareGone(str(lease_id))
    if not 0 <= amount_nano <= share.amount_nano:
        raise AmountOutOfRange(str(amount_nano))
    return share.amount_nano
