"""Credit whose payment goes back: frozen for a refund or a dispute, taken when the money is gone, given back if it is not.

A refund promises no more than the lot has in the wallet. A dispute freezes what there is, and what comes back later. What
was spent of money that is gone is owed. Each of these is stored in one append with the order's fact that it follows from.
"""

from collections.abc import Iterator
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.ledger.claim_events import (
    ClaimCause,
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    TakenCreditRestored,
)
from domain.ledger.events import WalletEvent
from domain.ledger.pursuit import pursue
from domain.ledger.refusals import LedgerRefusal
from domain.ledger.wallet import Claim, Wallet
from domain.refusal import NotFound, WrongState


class NotEnoughUnspent(LedgerRefusal):
    """The lot has less left than the refund wants; nothing was set aside.

    What is lent to gateways cannot be refunded: they give it back within seconds once no request needs it.
    """

    code: ClassVar[str] = "not_enough_unspent"

    def __init__(self, *, required_nano: int, there: "Unspent") -> None:
        super().__init__(
            f"required {required_nano} nano-credits of the lot, unspent {there.available_nano}, "
            f"lent to gateways {there.lent_nano}, set aside for refunds and disputes {there.frozen_nano}"
        )
        self.required_nano = required_nano
        self.available_nano = there.available_nano
        self.lent_nano = there.lent_nano
        self.frozen_nano = there.frozen_nano


class Unspent(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet knows of one lot that may not be spent."""

    available_nano: int  #: could be refunded now
    lent_nano: int  #: to gateways: charged, held or free
    frozen_nano: int


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Which claim on which lot a decision is about."""

    account_id: UUID
    lot_id: UUID
    claim_id: UUID


def unspent(wallet: Wallet, lot_id: UUID) -> Unspent:
    """Where the credit of a lot is.

    Raises:
        NotFound: the account has no such lot.
    """
    if lot_id not in wallet.lots:
        raise NotFound("lot", lot_id)
    lent = (part for lease in wallet.leases.values() for part in lease.slices if part.lot_id == lot_id)
    return Unspent(
        available_nano=wallet.lots[lot_id],
        lent_nano=sum(part.amount_nano for part in lent),
        frozen_nano=sum(one.frozen_nano for one in wallet.claims.values() if one.lot_id == lot_id),
    )


def reserve(wallet: Wallet, on: Claimed, *, amount_nano: int, now_us: int) -> list[WalletEvent]:
    """Set credit aside for a refund, all of it or none. The same claim again does nothing.

    Raises:
        NotFound: the account has no such lot.
        WrongState: the lot is over.
        NotEnoughUnspent: see there.
    """
    if on.claim_id in wallet.claims:
        return []
    there = unspent(wallet, on.lot_id)
    if wallet.is_over(on.lot_id, now_us):
        raise WrongState("lot", "over")
    if amount_nano > there.available_nano:
        raise NotEnoughUnspent(required_nano=amount_nano, there=there)
    return [
        _frozen(on, cause="refund", wanted_nano=amount_nano, amount_nano=amount_nano, now_us=now_us),
    ]


def freeze(wallet: Wallet, on: Claimed, *, wanted_nano: int, now_us: int) -> list[WalletEvent]:
    """Set aside what the wallet has of a lot for a dispute; what comes back of it follows. The same claim again does nothing.

    Raises:
        NotFound: the account has no such lot.
    """
    if on.claim_id in wallet.claims:
        return []
    free_nano = unspent(wallet, on.lot_id).available_nano
    if wallet.is_over(on.lot_id, now_us):
        free_nano = 0
    amount_nano = min(free_nano, wanted_nano)
    return [_frozen(on, cause="dispute", wanted_nano=wanted_nano, amount_nano=amount_nano, now_us=now_us)]


def release(wallet: Wallet, on: Claimed, *, now_us: int) -> list[WalletEvent]:
    """The claim came to nothing: what was frozen is the customer's. Without such a claim there is nothing to do."""
    claim = wallet.claims.get(on.claim_id)
    if claim is None:
        return []
    freed = _unfrozen(wallet, on, amount_nano=claim.frozen_nano, now_us=now_us, ends=True)
    if claim.frozen_nano and wallet.is_over(claim.lot_id, now_us):
        lost = "voided_nano" if claim.lot_id in wallet.voided else "expired_nano"
        freed = msgspec.structs.replace(freed, **{"amount_nano": 0, lost: claim.frozen_nano})
    return pursue(wallet, [freed], account_id=on.account_id, now_us=now_us)


def take(wallet: Wallet, on: Claimed, *, amount_nano: int, now_us: int) -> list[WalletEvent]:
    """The money for `amount_nano` of a lot is gone, for good: so is the credit, and what was spent of it is owed.

    What is frozen for the claim goes first, then what the wallet has of the lot, then what open disputes have frozen of
    it: theirs is a wish, this is done.

    Raises:
        NotFound: the account has no such lot.
    """
    free_nano = unspent(wallet, on.lot_id).available_nano
    if not amount_nano:
        return release(wallet, on, now_us=now_us)
    claim = wallet.claims.get(on.claim_id) or Claim(on.lot_id, "refund", amount_nano)
    events: list[WalletEvent] = []
    if claim.frozen_nano > amount_nano:
        too_much_nano = claim.frozen_nano - amount_nano
        events.append(_unfrozen(wallet, on, amount_nano=too_much_nano, now_us=now_us))
    missing_nano = max(amount_nano - claim.frozen_nano, 0)
    more_nano = min(free_nano, missing_nano)
    for other_id, part_nano in _from_disputes(wallet, on, missing_nano - more_nano):
        other = msgspec.structs.replace(on, claim_id=other_id)
        events.append(_unfrozen(wallet, other, amount_nano=part_nano, now_us=now_us))
        more_nano += part_nano
    if more_nano:
        wanted_nano = claim.wanted_nano
        events.append(
            _frozen(on, cause=claim.cause, wanted_nano=wanted_nano, amount_nano=more_nano, now_us=now_us)
        )
    spent_nano = missing_nano - more_nano
    taken = FrozenCreditTaken(
        account_id=on.account_id,
        lot_id=on.lot_id,
        claim_id=on.claim_id,
        source=wallet.terms[on.lot_id].source,
        wanted_nano=amount_nano,
        amount_nano=amount_nano - spent_nano,
        owed_nano=max(spent_nano - wallet.gone.get(on.lot_id, 0), 0),
        occurred_us=now_us,
    )
    return pursue(wallet, [*events, taken], account_id=on.account_id, now_us=now_us)


def restore(wallet: Wallet, on: Claimed, *, amount_nano: int, now_us: int) -> list[WalletEvent]:
    """Give back what was taken for a refund that came to nothing after all. Of a lot that is over there is nothing to give."""
    if not amount_nano or wallet.is_over(on.lot_id, now_us):
        return []
    restored = TakenCreditRestored(
        account_id=on.account_id,
        lot_id=on.lot_id,
        claim_id=on.claim_id,
        source=wallet.terms[on.lot_id].source,
        amount_nano=amount_nano,
        occurred_us=now_us,
    )
    return pursue(wallet, [restored], account_id=on.account_id, now_us=now_us)


def _from_disputes(wallet: Wallet, on: Claimed, amount_nano: int) -> Iterator[tuple[UUID, int]]:
    """How much of what is missing each other open dispute of the lot gives."""
    for other_id, other in wallet.claims.items():
        part_nano = min(other.frozen_nano, amount_nano)
        is_wish = (other.lot_id, other.cause) == (on.lot_id, "dispute") and other_id != on.claim_id
        if part_nano and is_wish:
            amount_nano -= part_nano
            yield other_id, part_nano


def _frozen(
    on: Claimed, *, cause: ClaimCause, wanted_nano: int, amount_nano: int, now_us: int
) -> CreditFrozen:
    return CreditFrozen(
        account_id=on.account_id,
        lot_id=on.lot_id,
        claim_id=on.claim_id,
        cause=cause,
        wanted_nano=wanted_nano,
        amount_nano=amount_nano,
        occurred_us=now_us,
    )


def _unfrozen(
    wallet: Wallet, on: Claimed, *, amount_nano: int, now_us: int, ends: bool = False
) -> CreditUnfrozen:
    return CreditUnfrozen(
        account_id=on.account_id,
        lot_id=on.lot_id,
        claim_id=on.claim_id,
        source=wallet.terms[on.lot_id].source,
        amount_nano=amount_nano,
        ends=ends,
        occurred_us=now_us,
    )
