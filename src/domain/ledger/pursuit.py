"""What debts and disputes take of credit that a decision brings.

Whatever credit an account has or gets pays what it owes first, of any lot and in the order of spending; then open disputes
get what they miss of their lots. So an account that owes something has nothing that could be lent.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from domain.ledger.claim_events import (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    TakenCreditRestored,
)
from domain.ledger.events import WalletEvent
from domain.ledger.lots import Slice, sum_nano
from domain.ledger.slices import first_of
from domain.ledger.wallet import Claim, Wallet, copy_of, evolve

#: After these there may be a debt or a free lot that there was not before.
_ENDINGS: Final = CreditUnfrozen | FrozenCreditTaken | TakenCreditRestored


def pursue(
    wallet: Wallet, events: Sequence[WalletEvent], *, account_id: UUID, now_us: int
) -> list[WalletEvent]:
    """`events`, which `wallet` does not have yet, and what is to be stored behind them in the same append."""
    decided = list(events)
    is_ending = any(isinstance(event, _ENDINGS) for event in decided)
    if not (is_ending or wallet.owed_nano or any(map(_missing_nano, wallet.claims.values()))):
        return decided
    after = copy_of(wallet)
    for event in decided:
        evolve(after, event)
    for event in _pursuits(after, account_id=account_id, now_us=now_us):
        evolve(after, event)
        decided.append(event)
    return decided


def _pursuits(wallet: Wallet, *, account_id: UUID, now_us: int) -> Iterator[WalletEvent]:
    """The caller folds each before the next is made."""
    free = [
        Slice(lot_id, lot_nano)
        for lot_id, lot_nano in wallet.lots.items()
        if not wallet.is_over(lot_id, now_us)
    ]
    if slices := first_of(free, wallet.owed_nano):
        yield ReceivableSettled(
            account_id=account_id, slices=slices, amount_nano=sum_nano(slices), occurred_us=now_us
        )
    for claim_id, claim in list(wallet.claims.items()):
        free_nano = 0 if wallet.is_over(claim.lot_id, now_us) else wallet.lots[claim.lot_id]
        if more_nano := min(_missing_nano(claim), free_nano):
            yield CreditFrozen(
                account_id=account_id,
                lot_id=claim.lot_id,
                claim_id=claim_id,
                cause=claim.cause,
                wanted_nano=claim.wanted_nano,
                amount_nano=more_nano,
                occurred_us=now_us,
            )


def _missing_nano(claim: Claim) -> int:
    """What a dispute would freeze were it there; a refund has all that it wants from the beginning."""
    return claim.wanted_nano - claim.frozen_nano if claim.cause == "dispute" else 0
