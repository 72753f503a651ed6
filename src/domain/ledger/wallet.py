"""The wallet: an account's credit by lot, and what of it is lent to which process.

Available credit is what no lease has. Lots are lent, and spent inside a lease, in the order in which they
were granted; what a lease gives back goes to the lots it was drawn from, latest lot first.
"""

from typing import assert_never
from uuid import UUID

import msgspec

from domain.ledger.events import (
    AMOUNT_NANO_MAX,
    CreditLotGranted,
    LeaseExtended,
    LeaseGranted,
    LeaseMode,
    LeaseOutcome,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    LotSource,
    Owner,
    Slice,
    WalletEvent,
)
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit, LeaseEnded, LedgerRefusal


class LotAlreadyGranted(LedgerRefusal):
    """This lot was granted before; a repeated command must not add credit twice."""

    code = "lot_already_granted"


class LeaseAlreadyGranted(LedgerRefusal):
    """This lease is live; a repeated command must not forget what was lent to it."""

    code = "lease_already_granted"


class OpenLease(msgspec.Struct):
    """What the wallet knows of a live lease: its owner and the credit lent to it, charged or not."""

    lease_id: UUID
    owner: Owner
    mode: LeaseMode
    slices: list[Slice]  #: one for each lot, in the order of spending
    amount_nano: int
    granted_us: int


class Wallet(msgspec.Struct):
    """The fold of a wallet stream. `evolve` changes it in place."""

    lots: dict[UUID, int] = {}  #: nano-credits that no lease has, by lot, in the order of granting
    leases: dict[UUID, OpenLease] = {}
    available_nano: int = 0  #: the sum over `lots`
    leased_nano: int = 0  #: the sum over `leases`
    granted_nano: int = 0  #: all credit ever granted
    charged_nano: int = 0  #: what settled leases have charged
    version: int = 0

    @property
    def posted_nano(self) -> int:
        """Credit granted less what settled leases charged: an upper bound of the balance."""
        return self.granted_nano - self.charged_nano


def grant_credit(
    wallet: Wallet,
    *,
    account_id: UUID,
    lot_id: UUID,
    amount_nano: int,
    source: LotSource,
    reason: str,
    granted_by: str,
    now_us: int,
) -> list[WalletEvent]:
    """Add a lot of credit.

    Raises:
        AmountOutOfRange: the amount is not positive, or the wallet would leave the 64-bit range.
        LotAlreadyGranted: the lot id was used before; nothing is added.
    """
    if not 0 < amount_nano <= AMOUNT_NANO_MAX - wallet.granted_nano:
        raise AmountOutOfRange(str(amount_nano))
    if lot_id in wallet.lots:
        raise LotAlreadyGranted(str(lot_id))
    return [
        CreditLotGranted(
            account_id=account_id,
            lot_id=lot_id,
            amount_nano=amount_nano,
            source=source,
            reason=reason,
            granted_by=granted_by,
            occurred_us=now_us,
        )
    ]


def grant_lease(
    wallet: Wallet,
    *,
    account_id: UUID,
    lease_id: UUID,
    owner: Owner,
    mode: LeaseMode,
    amount_nano: int,
    now_us: int,
) -> list[WalletEvent]:
    """Lend `amount_nano` of the available credit to one gateway process.

    Raises:
        LeaseAlreadyGranted: a lease of this id is live.
        AmountOutOfRange: the amount is not positive.
        InsufficientCredit: less than `amount_nano` is available; the wallet is unchanged.
    """
    if lease_id in wallet.leases:
        raise LeaseAlreadyGranted(str(lease_id))
    return [
        LeaseGranted(
            account_id=account_id,
            lease_id=lease_id,
            owner=owner,
            mode=mode,
            slices=_draw(wallet, amount_nano),
            amount_nano=amount_nano,
            occurred_us=now_us,
        )
    ]


def extend_lease(
    wallet: Wallet, *, account_id: UUID, lease_id: UUID, amount_nano: int, now_us: int
) -> list[WalletEvent]:
    """Lend more to a live lease.

    Raises:
        LeaseEnded: the lease is settled, or was never granted.
        AmountOutOfRange: the amount is not positive.
        InsufficientCredit: less than `amount_nano` is available; the wallet is unchanged.
    """
    if lease_id not in wallet.leases:
        raise LeaseEnded(lease_id)
    return [
        LeaseExtended(
            account_id=account_id,
            lease_id=lease_id,
            slices=_draw(wallet, amount_nano),
            amount_nano=amount_nano,
            occurred_us=now_us,
        )
    ]


def reduce_lease(
    wallet: Wallet, *, account_id: UUID, lease_id: UUID, amount_nano: int, now_us: int
) -> list[WalletEvent]:
    """Take back what a live lease neither charged nor holds; the caller is its owner and knows how much.

    Raises:
        LeaseEnded: the lease is settled, or was never granted.
        AmountOutOfRange: the amount is not positive or more than was lent.
    """
    lease = wallet.leases.get(lease_id)
    if lease is None:
        raise LeaseEnded(lease_id)
    if not 0 < amount_nano <= lease.amount_nano:
        raise AmountOutOfRange(str(amount_nano))
    return [
        LeaseReduced(
            account_id=account_id,
            lease_id=lease_id,
            slices=_take_last(lease.slices, amount_nano),
            amount_nano=amount_nano,
            occurred_us=now_us,
        )
    ]


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
) -> list[WalletEvent]:
    """Account for an ended lease; must be stored in one append with the lease's closing event.

    Raises:
        LeaseEnded: the lease is settled already, or was never granted.
        AmountOutOfRange: the lease claims to have charged more than it was lent.
    """
    lease = wallet.leases.get(lease_id)
    if lease is None:
        raise LeaseEnded(lease_id)
    returned_nano = lease.amount_nano - charged_nano
    if charged_nano < 0 or returned_nano < 0:
        raise AmountOutOfRange(str(charged_nano))
    return [
        LeaseSettled(
            account_id=account_id,
            lease_id=lease_id,
            outcome=outcome,
            charged_nano=charged_nano,
            charges=charges,
            last_version=last_version,
            slices=_take_last(lease.slices, returned_nano),
            returned_nano=returned_nano,
            occurred_us=now_us,
        )
    ]


def evolve(wallet: Wallet, event: WalletEvent) -> Wallet:
    """Fold one stored event into `wallet`, in place."""
    match event:
        case CreditLotGranted():
            wallet.lots[event.lot_id] = event.amount_nano
            wallet.granted_nano += event.amount_nano
            wallet.available_nano += event.amount_nano
        case LeaseGranted():
            wallet.leases[event.lease_id] = OpenLease(
                lease_id=event.lease_id,
                owner=event.owner,
                mode=event.mode,
                slices=[],
                amount_nano=0,
                granted_us=event.occurred_us,
            )
            _lend(wallet, event.lease_id, event.slices, event.amount_nano)
        case LeaseExtended():
            _lend(wallet, event.lease_id, event.slices, event.amount_nano)
        case LeaseReduced():
            lease = wallet.leases[event.lease_id]
            lease.slices = _without(lease.slices, event.slices)
            lease.amount_nano -= event.amount_nano
            _take_back(wallet, event.slices, event.amount_nano)
        case LeaseSettled():
            lease = wallet.leases.pop(event.lease_id)
            wallet.leased_nano -= event.charged_nano
            wallet.charged_nano += event.charged_nano
            _take_back(wallet, event.slices, event.returned_nano)
        case LeaseRecallRequested():
            pass
        case _:
            assert_never(event)
    wallet.version += 1
    return wallet


def _lend(wallet: Wallet, lease_id: UUID, slices: tuple[Slice, ...], amount_nano: int) -> None:
    for part in slices:
        wallet.lots[part.lot_id] -= part.amount_nano
    lease = wallet.leases[lease_id]
    lease.slices = _merged(wallet, [*lease.slices, *slices])
    lease.amount_nano += amount_nano
    wallet.available_nano -= amount_nano
    wallet.leased_nano += amount_nano


def _take_back(wallet: Wallet, slices: tuple[Slice, ...], amount_nano: int) -> None:
    for part in slices:
        wallet.lots[part.lot_id] += part.amount_nano
    wallet.available_nano += amount_nano
    wallet.leased_nano -= amount_nano


def _draw(wallet: Wallet, amount_nano: int) -> tuple[Slice, ...]:
    """The slices that make up `amount_nano`, oldest lot first."""
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    if amount_nano > wallet.available_nano:
        raise InsufficientCredit(required_nano=amount_nano, available_nano=wallet.available_nano)
    slices = []
    missing_nano = amount_nano
    for lot_id, free_nano in wallet.lots.items():
        if not missing_nano:
            break
        part_nano = min(free_nano, missing_nano)
        if part_nano:
            slices.append(Slice(lot_id, part_nano))
            missing_nano -= part_nano
    return tuple(slices)


def _take_last(slices: list[Slice], amount_nano: int) -> tuple[Slice, ...]:
    """The last `amount_nano` of `slices`, latest lot first."""
    taken = []
    missing_nano = amount_nano
    for part in reversed(slices):
        if not missing_nano:
            break
        part_nano = min(part.amount_nano, missing_nano)
        taken.append(Slice(part.lot_id, part_nano))
        missing_nano -= part_nano
    return tuple(taken)


def _merged(wallet: Wallet, slices: list[Slice]) -> list[Slice]:
    """`slices` with one for each lot, oldest lot first, so that an extension from an older lot is spent first."""
    lent: dict[UUID, int] = {}
    for part in slices:
        lent[part.lot_id] = lent.get(part.lot_id, 0) + part.amount_nano
    if len(lent) == 1:
        return [Slice(lot_id, amount_nano) for lot_id, amount_nano in lent.items()]
    return [Slice(lot_id, lent[lot_id]) for lot_id in wallet.lots if lot_id in lent]


def _without(slices: list[Slice], taken: tuple[Slice, ...]) -> list[Slice]:
    """`slices` less what the stored event says was taken from each lot."""
    gone = {part.lot_id: part.amount_nano for part in taken}
    left = [Slice(part.lot_id, part.amount_nano - gone.get(part.lot_id, 0)) for part in slices]
    return [part for part in left if part.amount_nano]
