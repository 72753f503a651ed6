"""The wallet: an account's credit by lot, and what of it is lent to which process.

Available credit is what no lease has and no claim froze. A lot that is over lends nothing more, and what comes back to it
is gone. Time is what callers say it is: the fold of the events knows no clock. What may be decided stands in `credit`,
`lending`, `adjusting` and `claims`.
"""

from collections.abc import Collection
from typing import assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.ledger.claim_events import (
    ClaimCause,
    ClaimEvent,
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.events import (
    AdjustmentPosted,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseExtended,
    LeaseGranted,
    LeaseMode,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    Owner,
    WalletEvent,
)
from domain.ledger.lots import LentSlice, LotTerms, Slice, Slices, VoidedSlice, sum_nano
from domain.ledger.slices import by_lot, without


class OpenLease(msgspec.Struct):
    """What the wallet knows of a live lease: its owner and the credit lent to it, charged or not."""

    lease_id: UUID
    owner: Owner
    mode: LeaseMode
    slices: list[Slice]  #: one for each lot, in the order of spending
    amount_nano: int
    granted_us: int


class Claim(msgspec.Struct):
    """A refund or a dispute that is open: what it wants of a lot, and what of it is frozen."""

    lot_id: UUID
    cause: ClaimCause
    wanted_nano: int
    frozen_nano: int = 0


class Wallet(msgspec.Struct):
    """The fold of a wallet stream. `evolve` changes it in place."""

    lots: dict[UUID, int] = {}  #: nano-credits that no lease has, by lot, in the order of spending
    terms: dict[UUID, LotTerms] = {}  #: of every lot
    limited: list[UUID] = []  #: lots that are not good for everything at every time, and not known to be over
    over: set[UUID] = set()  #: lots whose end is stored: what comes back to them is gone
    voided: set[UUID] = set()  #: those of them that were taken back
    leases: dict[UUID, OpenLease] = {}
    claims: dict[UUID, Claim] = {}
    gone: dict[
        UUID, int
    ] = {}  #: of lots that are over: what left them unspent, less what claims have counted of it
    available_nano: int = 0  #: the sum over `lots`, whatever they may be spent on
    leased_nano: int = 0  #: the sum over `leases`
    frozen_nano: int = 0  #: the sum over `claims`
    owed_nano: int = 0  #: spent of payments that went back; while there is any, nothing is lent
    written_off_nano: int = 0  #: given up of what was owed
    granted_nano: int = 0  #: all credit ever granted, and what was given back after it was taken
    charged_nano: int = 0  #: what settled leases have charged
    expired_nano: int = 0  #: what is gone because its time was over
    taken_nano: int = 0  #: debits, lots taken back, what went back with its payment, and what paid a debt
    version: int = 0

    @property
    def posted_nano(self) -> int:
        """Credit granted less what settled leases charged and what is gone: an upper bound of the balance."""
        return self.granted_nano - self.charged_nano - self.withdrawn_nano

    @property
    def withdrawn_nano(self) -> int:
        """What is gone without having been charged."""
        return self.expired_nano + self.taken_nano

    def available_for_nano(self, alias: str | None, now_us: int) -> int:
        """What may be lent now for requests of this model; for those of any model without one."""
        barred_nano = sum(
            self.lots[lot_id] for lot_id in self.limited if not self.terms[lot_id].serves(alias, now_us)
        )
        return self.available_nano - barred_nano

    def is_over(self, lot_id: UUID, now_us: int) -> bool:
        """Nothing of the lot can be spent any more."""
        return lot_id in self.over or self.terms[lot_id].has_expired(now_us)

    def lent(self, slices: Slices) -> tuple[LentSlice, ...]:
        """`slices` as their lease gets to know them."""
        return tuple(LentSlice(part.lot_id, part.amount_nano, self.terms[part.lot_id]) for part in slices)


def copy_of(wallet: Wallet) -> Wallet:
    """The same wallet, to be folded on for itself."""
    return replace(
        wallet,
        lots=dict(wallet.lots),
        terms=dict(wallet.terms),
        limited=list(wallet.limited),
        over=set(wallet.over),
        voided=set(wallet.voided),
        leases={lease_id: replace(lease) for lease_id, lease in wallet.leases.items()},
        claims={claim_id: replace(claim) for claim_id, claim in wallet.claims.items()},
        gone=dict(wallet.gone),
    )


def evolve(wallet: Wallet, event: WalletEvent) -> Wallet:
    """Fold one stored event into `wallet`, in place."""
    match event:
        case CreditLotGranted() | CreditLotExpired() | AdjustmentPosted() | CreditLotVoided():
            _change_lots(wallet, event)
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
            back: list[Slice | VoidedSlice] = [*event.slices, *(event.expired or ()), *(event.voided or ())]
            lease.slices = without(lease.slices, by_lot(back))
            lease.amount_nano -= event.amount_nano
            _take_back(wallet, event.slices, event.expired or (), event.voided or ())
        case LeaseSettled():
            del wallet.leases[event.lease_id]
            wallet.leased_nano -= event.charged_nano
            wallet.charged_nano += event.charged_nano
            _take_back(wallet, event.slices, event.expired or (), event.voided or ())
        case LeaseRecallRequested():
            pass
        case _:
            _claim(wallet, event)
    wallet.version += 1
    return wallet


def _change_lots(
    wallet: Wallet, event: CreditLotGranted | CreditLotExpired | AdjustmentPosted | CreditLotVoided
) -> None:
    """Credit comes in, or leaves without having been lent."""
    match event:
        case CreditLotGranted():
            _add(wallet, event.lot_id, event.amount_nano, event.terms)
        case CreditLotExpired():
            wallet.lots[event.lot_id] -= event.amount_nano
            wallet.available_nano -= event.amount_nano
            wallet.expired_nano += event.amount_nano
            wallet.over.add(event.lot_id)
            _count_gone(wallet, event.lot_id, event.amount_nano)
            wallet.limited.remove(event.lot_id)
        case AdjustmentPosted():
            for part in event.added or ():
                _add(wallet, part.lot_id, part.amount_nano, event.terms)
            _take(wallet, event.taken or ())
        case CreditLotVoided():
            _take(wallet, (Slice(event.lot_id, event.amount_nano),))
            wallet.over.add(event.lot_id)
            wallet.voided.add(event.lot_id)
            _count_gone(wallet, event.lot_id, event.amount_nano)
            if event.lot_id in wallet.limited:
                wallet.limited.remove(event.lot_id)
        case _:
            assert_never(event)


def _claim(wallet: Wallet, event: ClaimEvent) -> None:
    """Credit is frozen, let go, taken or owed."""
    match event:
        case CreditFrozen():
            claim = wallet.claims.setdefault(
                event.claim_id, Claim(event.lot_id, event.cause, event.wanted_nano)
            )
            claim.frozen_nano += event.amount_nano
            wallet.frozen_nano += event.amount_nano
            _put(wallet, event.lot_id, -event.amount_nano)
        case CreditUnfrozen():
            _unfreeze(wallet, event)
        case FrozenCreditTaken():
            wallet.claims.pop(event.claim_id, None)
            wallet.frozen_nano -= event.amount_nano
            wallet.taken_nano += event.amount_nano
            wallet.owed_nano += event.owed_nano
            _count_gone(wallet, event.lot_id, event.amount_nano + event.owed_nano - event.wanted_nano)
        case TakenCreditRestored():
            wallet.granted_nano += event.amount_nano
            _put(wallet, event.lot_id, event.amount_nano)
        case ReceivableSettled():
            _take(wallet, event.slices)
            wallet.owed_nano -= event.amount_nano
        case ReceivableWrittenOff():
            wallet.owed_nano -= event.amount_nano
            wallet.written_off_nano += event.amount_nano
        case _:
            assert_never(event)


def _unfreeze(wallet: Wallet, event: CreditUnfrozen) -> None:
    expired_nano, voided_nano = event.expired_nano or 0, event.voided_nano or 0
    freed_nano = event.amount_nano + expired_nano + voided_nano
    wallet.claims[event.claim_id].frozen_nano -= freed_nano
    wallet.frozen_nano -= freed_nano
    wallet.expired_nano += expired_nano
    wallet.taken_nano += voided_nano
    _count_gone(wallet, event.lot_id, expired_nano + voided_nano)
    _put(wallet, event.lot_id, event.amount_nano)
    if event.ends:
        del wallet.claims[event.claim_id]


def _put(wallet: Wallet, lot_id: UUID, amount_nano: int) -> None:
    wallet.lots[lot_id] += amount_nano
    wallet.available_nano += amount_nano


def _count_gone(wallet: Wallet, lot_id: UUID, amount_nano: int) -> None:
    if amount_nano:
        wallet.gone[lot_id] = wallet.gone.get(lot_id, 0) + amount_nano


def _add(wallet: Wallet, lot_id: UUID, amount_nano: int, terms: LotTerms) -> None:
    last = next(reversed(wallet.lots), None)
    wallet.lots[lot_id] = amount_nano
    wallet.terms[lot_id] = terms
    if last is not None and terms.order(lot_id) < wallet.terms[last].order(last):
        wallet.lots = {one: wallet.lots[one] for one in _ordered(wallet, wallet.lots)}
    if not terms.is_plain or terms.effective_us > terms.granted_us:
        wallet.limited.append(lot_id)
    wallet.granted_nano += amount_nano
    wallet.available_nano += amount_nano


def _lend(wallet: Wallet, lease_id: UUID, slices: Slices, amount_nano: int) -> None:
    for part in slices:
        wallet.lots[part.lot_id] -= part.amount_nano
    lease = wallet.leases[lease_id]
    lent = by_lot([*lease.slices, *slices])
    lease.slices = [Slice(lot_id, lent[lot_id]) for lot_id in _ordered(wallet, lent)]
    lease.amount_nano += amount_nano
    wallet.available_nano -= amount_nano
    wallet.leased_nano += amount_nano


def _take(wallet: Wallet, slices: Slices) -> None:
    """It leaves the account."""
    for part in slices:
        _put(wallet, part.lot_id, -part.amount_nano)
        wallet.taken_nano += part.amount_nano


def _take_back(wallet: Wallet, slices: Slices, expired: Slices, voided: tuple[VoidedSlice, ...]) -> None:
    for part in slices:
        wallet.lots[part.lot_id] += part.amount_nano
    for lot_id, gone_nano in by_lot([*expired, *voided]).items():
        _count_gone(wallet, lot_id, gone_nano)
    kept_nano, expired_nano, voided_nano = sum_nano(slices), sum_nano(expired), sum_nano(voided)
    wallet.available_nano += kept_nano
    wallet.leased_nano -= kept_nano + expired_nano + voided_nano
    wallet.expired_nano += expired_nano
    wallet.taken_nano += voided_nano


def _ordered(wallet: Wallet, lot_ids: Collection[UUID]) -> Collection[UUID]:
    """The lots in the order of spending."""
    if len(lot_ids) == 1:
        return lot_ids
    return sorted(lot_ids, key=lambda lot_id: wallet.terms[lot_id].order(lot_id))
