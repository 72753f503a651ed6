"""A wallet lends to gateway processes, takes back, and accounts for leases that ended.

Lots are lent, and spent inside a lease, in the order of their terms; what a lease gives back goes to the lots it was
drawn from, latest lot first.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from domain.ledger.events import (
    LeaseExtended,
    LeaseGranted,
    LeaseMode,
    LeaseOutcome,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    Owner,
    WalletEvent,
)
from domain.ledger.lots import Slice, Slices, VoidedSlice, sum_nano
from domain.ledger.pursuit import pursue
from domain.ledger.refusals import (
    AccountInDebt,
    AmountOutOfRange,
    InsufficientCredit,
    LeaseEnded,
    LedgerRefusal,
)
from domain.ledger.slices import by_lot, last_of, without
from domain.ledger.wallet import OpenLease, Wallet


class LeaseAlreadyGranted(LedgerRefusal):
    """This lease is live; a repeated command must not forget what was lent to it."""

    code = "lease_already_granted"


def grant_lease(
    wallet: Wallet,
    *,
    account_id: UUID,
    lease_id: UUID,
    owner: Owner,
    mode: LeaseMode,
    amount_nano: int,
    now_us: int,
    alias: str | None = None,
) -> list[LeaseGranted]:
    """Lend `amount_nano` of the credit that is available for a model to one gateway process.

    In bulk, lots that come earlier and are for other models come along on top, up to the same amount each: else what is
    lent for one model would be spent on another one before the credit that is meant for it.

    Raises:
        LeaseAlreadyGranted: a lease of this id is live.
        AmountOutOfRange: the amount is not positive.
        AccountInDebt: the account owes something; the wallet is unchanged.
        InsufficientCredit: less than `amount_nano` is available for the model; the wallet is unchanged.
    """
    if lease_id in wallet.leases:
        raise LeaseAlreadyGranted(str(lease_id))
    slices = draw(wallet, amount_nano, alias=alias, now_us=now_us, mode=mode)
    return [
        LeaseGranted(
            account_id=account_id,
            lease_id=lease_id,
            owner=owner,
            mode=mode,
            slices=slices,
            amount_nano=sum_nano(slices),
            occurred_us=now_us,
        )
    ]


def extend_lease(
    wallet: Wallet,
    *,
    account_id: UUID,
    lease_id: UUID,
    amount_nano: int,
    now_us: int,
    alias: str | None = None,
    mode: LeaseMode = "bulk",
) -> list[LeaseExtended]:
    """Lend more to a live lease, as to a new one.

    Raises:
        LeaseEnded: the lease is settled, or was never granted.
        AmountOutOfRange: the amount is not positive.
        AccountInDebt: the account owes something; the wallet is unchanged.
        InsufficientCredit: less than `amount_nano` is available for the model; the wallet is unchanged.
    """
    if lease_id not in wallet.leases:
        raise LeaseEnded(lease_id)
    slices = draw(wallet, amount_nano, alias=alias, now_us=now_us, mode=mode)
    return [
        LeaseExtended(
            account_id=account_id,
            lease_id=lease_id,
            slices=slices,
            amount_nano=sum_nano(slices),
            occurred_us=now_us,
        )
    ]


def reduce_lease(
    wallet: Wallet,
    *,
    account_id: UUID,
    lease_id: UUID,
    amount_nano: int,
    now_us: int,
    slices: Slices | None = None,
) -> list[WalletEvent]:
    """Take back what a live lease neither charged nor holds; the caller is its owner and knows how much.

    Debts and open disputes get theirs of it at once.

    `slices` says of which lots; without it, of the latest that the lease has.

    Raises:
        LeaseEnded: the lease is settled, or was never granted.
        AmountOutOfRange: the amount is not positive, more than was lent, or not of the lots that were lent.
    """
    lease = wallet.leases.get(lease_id)
    if lease is None:
        raise LeaseEnded(lease_id)
    if not 0 < amount_nano <= lease.amount_nano:
        raise AmountOutOfRange(str(amount_nano))
    back = last_of(lease.slices, amount_nano) if slices is None else slices
    _require_lent(lease, by_lot(back), amount_nano)
    kept, expired, voided = _judged(wallet, back, now_us)
    reduced = LeaseReduced(
        account_id=account_id,
        lease_id=lease_id,
        slices=kept,
        amount_nano=amount_nano,
        occurred_us=now_us,
        expired=expired or msgspec.UNSET,
        voided=voided or msgspec.UNSET,
    )
    return pursue(wallet, [reduced], account_id=account_id, now_us=now_us)


def request_recall(
    _wallet: Wallet, *, account_id: UUID, by: Owner, wanted_nano: int, now_us: int
) -> list[WalletEvent]:
    """Ask the other owners for what they do not hold."""
    return [LeaseRecallRequested(account_id=account_id, by=by, wanted_nano=wanted_nano, occurred_us=now_us)]


def settle_lease(
    wallet: Wallet,
    *,
    account_id: UUID,
    lease_id: UUID,
    outcome: LeaseOutcome,
    charged_nano: int,
    charges: int,
    last_version: int,
    now_us: int,
    spent: Mapping[UUID, int] | None = None,
) -> list[WalletEvent]:
    """Account for an ended lease; must be stored in one append with the lease's closing event.

    `spent` says what was charged of each lot; without it, the lots were spent in their order.

    Raises:
        LeaseEnded: the lease is settled already, or was never granted.
        AmountOutOfRange: the lease claims to have charged more than it was lent.
    """
    lease = wallet.leases.get(lease_id)
    if lease is None:
        raise LeaseEnded(lease_id)
    left_nano = lease.amount_nano - charged_nano
    if charged_nano < 0 or left_nano < 0:
        raise AmountOutOfRange(str(charged_nano))
    if spent is None:
        left = last_of(lease.slices, left_nano)
    else:
        _require_lent(lease, spent, charged_nano)
        left = tuple(reversed(without(lease.slices, spent)))
    kept, expired, voided = _judged(wallet, left, now_us)
    settled = LeaseSettled(
        account_id=account_id,
        lease_id=lease_id,
        outcome=outcome,
        charged_nano=charged_nano,
        charges=charges,
        last_version=last_version,
        slices=kept,
        returned_nano=sum_nano(kept),
        occurred_us=now_us,
        expired=expired or msgspec.UNSET,
        voided=voided or msgspec.UNSET,
    )
    return pursue(wallet, [settled], account_id=account_id, now_us=now_us)


def draw(wallet: Wallet, amount_nano: int, *, alias: str | None, now_us: int, mode: LeaseMode) -> Slices:
    """The slices that make up `amount_nano` for a model, and those that come along, in the order of spending.

    Raises:
        AmountOutOfRange: the amount is not positive.
        AccountInDebt: the account owes something.
        InsufficientCredit: less is available for the model.
    """
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    if wallet.owed_nano:
        raise AccountInDebt(owed_nano=wallet.owed_nano)
    available_nano = wallet.available_for_nano(alias, now_us)
    if amount_nano > available_nano:
        raise InsufficientCredit(required_nano=amount_nano, available_nano=available_nano)
    slices = []
    missing_nano = amount_nano
    for lot_id, free_nano in wallet.lots.items():
        if not missing_nano:
            break
        if not free_nano:
            continue
        terms = wallet.terms[lot_id]
        if terms.serves(alias, now_us):
            part_nano = min(free_nano, missing_nano)
            missing_nano -= part_nano
        elif mode == "bulk" and terms.is_open(now_us):
            part_nano = min(free_nano, amount_nano)
        else:
            continue
        slices.append(Slice(lot_id, part_nano))
    return tuple(slices)


def _require_lent(lease: OpenLease, parts: Mapping[UUID, int], amount_nano: int) -> None:
    """The parts add up, and each is within what the lease has of its lot."""
    lent = by_lot(lease.slices)
    fits = all(0 <= part_nano <= lent.get(lot_id, 0) for lot_id, part_nano in parts.items())
    if not fits or sum(parts.values()) != amount_nano:
        raise AmountOutOfRange(str(amount_nano))


def _judged(wallet: Wallet, slices: Slices, now_us: int) -> tuple[Slices, Slices, tuple[VoidedSlice, ...]]:
    """What is available again, what is gone because its lot's time is over, and what because it was taken back."""
    if not (wallet.limited or wallet.over):
        return slices, (), ()
    gone = {part.lot_id for part in slices if wallet.is_over(part.lot_id, now_us)}
    kept = tuple(part for part in slices if part.lot_id not in gone)
    expired = tuple(part for part in slices if part.lot_id in gone - wallet.voided)
    voided = tuple(
        VoidedSlice(part.lot_id, part.amount_nano, wallet.terms[part.lot_id].source)
        for part in slices
        if part.lot_id in wallet.voided
    )
    return kept, expired, voided
