"""The lease's side of budgets: what it may charge to which bucket of which, and what it did.

A lease has a share of each hard budget that its requests count in. A hold takes of the share what it takes of the credit,
so no charge in the lease is beyond it. Soft budgets are named by admissions, and have no shares.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec


class BudgetBucket(msgspec.Struct, frozen=True, array_like=True):
    """One bucket of one budget, stored as `[budget_id, start_us]`."""

    budget_id: UUID
    start_us: int


Drawn = tuple[BudgetBucket, ...]


class LeaseShare(msgspec.Struct):
    """What a lease may charge to a bucket, and has charged or holds."""

    amount_nano: int = 0
    charged_nano: int = 0
    held_nano: int = 0

    @property
    def free_nano(self) -> int:
        return self.amount_nano - self.charged_nano - self.held_nano


class Draw(msgspec.Struct, frozen=True):
    """A bucket that a request counts in; if it is hard, the lease must have a share of it."""

    bucket: BudgetBucket
    is_hard: bool


Shares = dict[BudgetBucket, LeaseShare]


def free_nano(shares: Mapping[BudgetBucket, LeaseShare], bucket: BudgetBucket) -> int:
    """What a new request may hold of a bucket."""
    share = shares.get(bucket)
    return 0 if share is None else share.free_nano


def lacking(
    shares: Mapping[BudgetBucket, LeaseShare], draws: tuple[Draw, ...], hold_nano: int
) -> list[BudgetBucket]:
    """The hard buckets of which the lease has too little for a hold."""
    return [one.bucket for one in draws if one.is_hard and free_nano(shares, one.bucket) < hold_nano]


def hold(shares: Shares, drawn: Drawn, hold_nano: int) -> Drawn:
    """Set a hold aside in the shares; those of `drawn` that there are."""
    of_shares = tuple(bucket for bucket in drawn if bucket in shares)
    for bucket in of_shares:
        shares[bucket].held_nano += hold_nano
    return of_shares


def end_hold(shares: Shares, drawn: Drawn, *, hold_nano: int, charge_nano: int) -> None:
    """A hold ended with a charge, or none."""
    for bucket in drawn:
        share = shares[bucket]
        share.held_nano -= hold_nano
        share.charged_nano += charge_nano


def change(shares: Shares, bucket: BudgetBucket, amount_nano: int) -> None:
    """The share is greater by so much, or smaller."""
    share = shares.get(bucket)
    if share is None:
        share = shares[bucket] = LeaseShare()
    share.amount_nano += amount_nano
