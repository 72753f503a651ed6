"""The wallet: an account's credit by lot, and what of it is lent to which process.

Available credit is what no lease has. A lot that is over lends nothing more, and what comes back to it is gone. Time is
what callers say it is: the fold of the events knows no clock. What may be decided stands in `credit` and `lending`.
"""

from collections.abc import Collection
from typing import assert_never
from uuid import UUID

import msgspec

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


class Wallet(msgspec.Struct):
    """The fold of a wallet stream. `evolve` changes it in place."""

    lots: dict[UUID, int] = {}  #: nano-credits that no lease has, by lot, in the order of spending
    terms: dict[UUID, LotTerms] = {}  #: of every lot
    limited: list[UUID] = []  #: lots that are not good for everything at every time, and not known to be over
    over: set[UUID] = set()  #: lots whose end is stored: what comes back to them is gone
    voided: set[UUID] = set()  #: those of them that were taken back
    leases: dict[UUID, OpenLease] = {}
    available_nano: int = 0  #: the sum over `lots`, whatever they may be spent on
    leased_nano: int = 0  #: the sum over `leases`
    granted_nano: int = 0  #: all credit ever granted
    charged_nano: int = 0  #: what settled leases have charged
    expired_nano: int = 0  #: what is gone because its time was over
    taken_nano: int = 0  #: what operators took: debits, and lots taken back
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
            assert_never(event)
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
            wallet.limited.remove(event.lot_id)
        case AdjustmentPosted():
            for part in event.added or ():
                _add(wallet, part.lot_id, part.amount_nano, event.terms)
            _take(wallet, event.taken or ())
        case CreditLotVoided():
            _take(wallet, (Slice(event.lot_id, event.amount_nano),))
            wallet.over.add(event.lot_id)
            wallet.voided.add(event.lot_id)
            if event.lot_id in wallet.limited:
                wallet.limited.remove(event.lot_id)
        case _:
            assert_never(event)


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
    """An operator takes it."""
    for part in slices:
        wallet.lots[part.lot_id] -= part.amount_nano
        wallet.available_nano -= part.amount_nano
        wallet.taken_nano += part.amount_nano


def _take_back(wallet: Wallet, slices: Slices, expired: Slices, voided: tuple[VoidedSlice, ...]) -> None:
    for part in slices:
        wallet.lots[part.lot_id] += part.amount_nano
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
