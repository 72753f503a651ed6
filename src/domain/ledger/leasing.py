"""The lease's side of lending: it opens, grows, gives back and ends. The wallet's side stands in `lending`."""

from uuid import UUID

import msgspec

from domain.ledger import parts, shares
from domain.ledger.events import (
    LeaseClosed,
    LeaseEvent,
    LeaseFenced,
    LeaseGaveBack,
    LeaseOpened,
    LeaseShareRaised,
    LeaseShareReturned,
    LeaseToppedUp,
    Owner,
    RequestAbandoned,
)
from domain.ledger.lease import Lease, require_live
from domain.ledger.lots import LentSlice
from domain.ledger.refusals import AmountOutOfRange, LeaseBusy, LeaseEnded
from domain.ledger.shares import BudgetBucket


def open_lease(
    lease: Lease,
    *,
    account_id: UUID,
    owner: Owner,
    amount_nano: int,
    valid_ms: int,
    now_us: int,
    slices: tuple[LentSlice, ...] = (),
) -> list[LeaseEvent]:
    """The lease's side of a grant; must be stored in one append with the wallet's. `slices` are those of the grant.

    Raises:
        LeaseEnded: the lease was opened before; a lease is opened once.
        AmountOutOfRange: the amount is not positive, or not that of its slices.
    """
    if lease.version:
        raise LeaseEnded(lease.lease_id)
    if amount_nano <= 0 or (slices and sum(lent.amount_nano for lent in slices) != amount_nano):
        raise AmountOutOfRange(str(amount_nano))
    return [
        LeaseOpened(
            account_id=account_id,
            owner=owner,
            amount_nano=amount_nano,
            valid_ms=valid_ms,
            occurred_us=now_us,
            slices=slices or msgspec.UNSET,
        )
    ]


def top_up(lease: Lease, *, amount_nano: int, slices: tuple[LentSlice, ...] = ()) -> list[LeaseEvent]:
    """The lease's side of an extension that the wallet has stored. `slices` are those of the extension.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: the amount is not positive, or not that of its slices.
    """
    require_live(lease)
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    if lease.plain and parts.is_known(lease.parts, slices):
        return [LeaseToppedUp(amount_nano=amount_nano)]
    if sum(lent.amount_nano for lent in slices) != amount_nano:
        raise AmountOutOfRange(str(amount_nano))
    return [LeaseToppedUp(amount_nano=amount_nano, slices=slices)]


def give_back(lease: Lease, *, amount_nano: int) -> list[LeaseGaveBack]:
    """Return what no request holds; the wallet takes it back once this is stored.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: not positive, or more than is free in the lease.
    """
    require_live(lease)
    if not 0 < amount_nano <= lease.free_nano:
        raise AmountOutOfRange(str(amount_nano))
    if lease.plain:
        return [LeaseGaveBack(amount_nano=amount_nano)]
    return [LeaseGaveBack(amount_nano=amount_nano, slices=parts.last_free(lease.parts, amount_nano))]


def raise_share(lease: Lease, *, bucket: BudgetBucket, amount_nano: int) -> list[LeaseEvent]:
    """The lease's side of a share of a budget that the budget's stream has stored.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: the amount is not positive.
    """
    require_live(lease)
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    return [LeaseShareRaised(bucket=bucket, amount_nano=amount_nano)]


def return_share(lease: Lease, *, bucket: BudgetBucket, amount_nano: int) -> list[LeaseEvent]:
    """Return what no request holds of a share; the budget has it back once this is stored.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: not positive, or more than is free of the share.
    """
    require_live(lease)
    if not 0 < amount_nano <= shares.free_nano(lease.shares, bucket):
        raise AmountOutOfRange(str(amount_nano))
    return [LeaseShareReturned(bucket=bucket, amount_nano=amount_nano)]


def close(lease: Lease, *, now_us: int) -> list[LeaseEvent]:
    """End the lease; must be stored in one append with the wallet's `LeaseSettled`.

    Raises:
        LeaseEnded: the lease is closed or fenced already.
        LeaseBusy: requests still hold credit in it.
    """
    require_live(lease)
    if lease.holds:
        raise LeaseBusy(str(lease.lease_id))
    return [LeaseClosed(charged_nano=lease.charged_nano, charges=lease.charges, occurred_us=now_us)]


def fence(lease: Lease, *, by: Owner, reason: str, now_us: int) -> list[LeaseEvent]:
    """End the lease of an owner that is dead or silent; its open requests are abandoned, charged nothing.

    Must be stored in one append with the wallet's `LeaseSettled`.

    Raises:
        LeaseEnded: the lease is closed or fenced already.
    """
    account_id = require_live(lease)
    abandoned: list[LeaseEvent] = [
        RequestAbandoned(
            request_id=request_id, account_id=account_id, hold_nano=hold_nano, occurred_us=now_us
        )
        for request_id, hold_nano in lease.holds.items()
    ]
    fenced = LeaseFenced(
        by=by,
        reason=reason,
        charged_nano=lease.charged_nano,
        charges=lease.charges,
        occurred_us=now_us,
    )
    return [*abandoned, fenced]
