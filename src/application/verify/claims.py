"""P32: credit of payments that go back is frozen, taken and owed as far as it is there, and who owes is lent nothing."""

from collections.abc import Iterator
from typing import assert_never

from application.verify.lots import Fault
from domain.ledger.claim_events import (
    ClaimEvent,
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.events import LeaseExtended, LeaseGranted
from domain.ledger.lots import sum_nano
from domain.ledger.wallet import Claim, Wallet


def can_be_folded(wallet: Wallet, event: ClaimEvent) -> bool:
    """Whether the lots and the claim that it names are the wallet's."""
    match event:
        case CreditUnfrozen():
            claim = wallet.claims.get(event.claim_id)
            return claim is not None and claim.lot_id == event.lot_id
        case CreditFrozen() | FrozenCreditTaken() | TakenCreditRestored():
            claim = wallet.claims.get(event.claim_id)
            return event.lot_id in wallet.lots and (claim is None or claim.lot_id == event.lot_id)
        case ReceivableSettled():
            return all(part.lot_id in wallet.lots for part in event.slices)
        case ReceivableWrittenOff():
            return True
        case _:
            assert_never(event)


def lending_faults(wallet: Wallet, _event: LeaseGranted | LeaseExtended) -> Iterator[Fault]:
    """Nothing is lent to an account that owes."""
    if wallet.owed_nano:
        yield "P32", f"lent to an account that owes {wallet.owed_nano}"


def claim_faults(wallet: Wallet, event: ClaimEvent) -> Iterator[Fault]:
    """What the event says, against the wallet before it."""
    match event:
        case CreditFrozen():
            yield from _freezing_faults(wallet, event)
        case CreditUnfrozen():
            yield from _unfreezing_faults(wallet, event)
        case FrozenCreditTaken():
            yield from _taking_faults(wallet, event)
        case TakenCreditRestored():
            if event.source != wallet.terms[event.lot_id].source:
                yield "P30", "a lot was restored from where it did not come from"
        case ReceivableSettled():
            yield from _paying_faults(wallet, event)
        case ReceivableWrittenOff():
            if event.amount_nano > wallet.owed_nano:
                yield "P32", f"gave up {event.amount_nano} of a debt of {wallet.owed_nano}"
        case _:
            assert_never(event)


def _freezing_faults(wallet: Wallet, event: CreditFrozen) -> Iterator[Fault]:
    claim = wallet.claims.get(event.claim_id, Claim(event.lot_id, event.cause, event.wanted_nano))
    if claim.frozen_nano + event.amount_nano > max(event.wanted_nano, claim.wanted_nano):
        yield "P32", f"more is frozen for {event.claim_id} than it wants"
    if event.amount_nano > wallet.lots[event.lot_id]:
        yield "P02", "more was frozen of a lot than it has"


def _paying_faults(wallet: Wallet, event: ReceivableSettled) -> Iterator[Fault]:
    if sum_nano(event.slices) != event.amount_nano:
        yield "P01", "slices do not add up to the amount"
    if event.amount_nano > wallet.owed_nano:
        yield "P32", f"paid {event.amount_nano} of a debt of {wallet.owed_nano}"
    if any(part.amount_nano > wallet.lots[part.lot_id] for part in event.slices):
        yield "P02", "more was taken of a lot than it has"


def _unfreezing_faults(wallet: Wallet, event: CreditUnfrozen) -> Iterator[Fault]:
    frozen_nano = wallet.claims[event.claim_id].frozen_nano
    lost_nano = (event.expired_nano or 0) + (event.voided_nano or 0)
    freed_nano = event.amount_nano + lost_nano
    if freed_nano > frozen_nano or (event.ends and freed_nano != frozen_nano):
        yield "P32", f"let go of {freed_nano} of {frozen_nano} for {event.claim_id}"
    is_over = wallet.is_over(event.lot_id, event.occurred_us)
    if event.ends and (event.amount_nano if is_over else lost_nano):
        yield "P15", f"lot {event.lot_id} is {'' if is_over else 'not '}over, and that was not heeded"
    if event.source != wallet.terms[event.lot_id].source:
        yield "P30", "a lot went back to where it did not come from"


def _taking_faults(wallet: Wallet, event: FrozenCreditTaken) -> Iterator[Fault]:
    claim = wallet.claims.get(event.claim_id)
    frozen_nano = 0 if claim is None else claim.frozen_nano
    if event.amount_nano != frozen_nano:
        yield "P32", f"took {event.amount_nano} for {event.claim_id}, which had {frozen_nano} frozen"
    passed_over_nano = event.wanted_nano - event.amount_nano - event.owed_nano
    if not 0 <= passed_over_nano <= wallet.gone.get(event.lot_id, 0):
        yield "P32", f"{event.owed_nano} is owed, should be {event.owed_nano + passed_over_nano}"
    if event.owed_nano and wallet.lots[event.lot_id]:
        yield "P32", f"{event.owed_nano} is owed, and the lot has {wallet.lots[event.lot_id]} left"
    if event.source != wallet.terms[event.lot_id].source:
        yield "P30", "a lot went back to where it did not come from"
