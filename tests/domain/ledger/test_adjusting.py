"""What an adjustment does to a wallet."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from domain.ledger.adjusting import NotEnoughToTake, left_of, post
from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.credit import LotAlreadyGranted
from domain.ledger.events import AMOUNT_NANO_MAX, AdjustmentPosted, CreditLotVoided, WalletEvent
from domain.ledger.lending import reduce_lease, settle_lease
from domain.ledger.lots import VoidedSlice
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.ledger.refusals import AmountOutOfRange
from domain.ledger.wallet import Wallet, evolve
from domain.refusal import NotFound, WrongState
from tests.domain.ledger.facts import (
    ACCOUNT,
    LEASE,
    NEW,
    NOW,
    OLD,
    WALLET_SPEC,
    granted,
    lot,
    slices,
)

ADJUSTMENT, REQUEST = UUID(int=50), UUID(int=51)
RULES = load_rules()
BY, OTHER = "operator:1", "operator:2"


def asked(kind: str, amount_nano: int = 0, **more: Any) -> AdjustmentRequested:
    fact = AdjustmentRequested(
        adjustment_id=ADJUSTMENT,
        account_id=ACCOUNT,
        kind="credit",
        amount_nano=amount_nano,
        reason="charged twice by mistake",
        waits=False,
        occurred_us=NOW,
        actor=BY,
    )
    return msgspec.structs.replace(fact, kind=kind, **more)


def posted(direction: str, amount_nano: int, **more: Any) -> AdjustmentPosted:
    fact = AdjustmentPosted(
        account_id=ACCOUNT,
        adjustment_id=ADJUSTMENT,
        direction="credit",
        amount_nano=amount_nano,
        reason="charged twice by mistake",
        requested_by=BY,
        occurred_us=NOW,
    )
    return msgspec.structs.replace(fact, direction=direction, **more)


def voided(lot_id: UUID, amount_nano: int, **more: Any) -> CreditLotVoided:
    fact = CreditLotVoided(
        account_id=ACCOUNT,
        lot_id=lot_id,
        source="paid",
        amount_nano=amount_nano,
        adjustment_id=ADJUSTMENT,
        reason="charged twice by mistake",
        requested_by=BY,
        occurred_us=NOW,
    )
    return msgspec.structs.replace(fact, **more)


def when(wanted: AdjustmentRequested, *, approved_by: str | None = None, now_us: int = NOW) -> Any:
    return lambda wallet: post(wallet, wanted, approved_by=approved_by, now_us=now_us)


def test_a_credit_becomes_a_lot_of_goodwill() -> None:
    """Its id is the adjustment's, and it may be spent as any other lot; who asked, who agreed and what it is about stay."""
    fact = posted("credit", 30, added=slices((ADJUSTMENT, 30)), approved_by=OTHER, ref=REQUEST)
    WALLET_SPEC.given(lot(100)).when(when(asked("credit", 30, ref=REQUEST), approved_by=OTHER)).then(fact)
    wallet = WALLET_SPEC.fold(lot(100), fact)
    assert wallet.lots == {ADJUSTMENT: 30, OLD: 100}  # promotional before paid
    assert wallet.terms[ADJUSTMENT].source == "goodwill"
    assert wallet.available_for_nano("any", NOW) == 130
    assert (wallet.granted_nano, wallet.posted_nano) == (130, 130)
    assert not wallet.limited


def test_a_credit_is_within_64_bits_and_positive() -> None:
    """What a bigint cannot hold is refused before it is stored."""
    for amount_nano in (0, -1, AMOUNT_NANO_MAX - 99):
        WALLET_SPEC.given(lot(100)).when(when(asked("credit", amount_nano))).then_refused(AmountOutOfRange)


def test_a_credit_cannot_take_the_place_of_a_lot() -> None:
    """Ids are chosen by clients: one of a lot would overwrite what is in it."""
    WALLET_SPEC.given(lot(100, ADJUSTMENT)).when(when(asked("credit", 5))).then_refused(LotAlreadyGranted)


def test_a_debit_takes_lots_in_the_order_of_spending() -> None:
    """What would be lost first is taken first."""
    fact = posted("debit", 70, taken=slices((NEW, 60), (OLD, 10)))
    given = (lot(100), lot(60, NEW, expires_us=NOW + 1))
    WALLET_SPEC.given(*given).when(when(asked("debit", 70))).then(fact)
    wallet = WALLET_SPEC.fold(*given, fact)
    assert wallet.lots == {NEW: 0, OLD: 90}
    assert (wallet.available_nano, wallet.taken_nano, wallet.expired_nano) == (90, 70, 0)
    assert wallet.posted_nano == 90


def test_a_debit_beyond_what_is_available_is_refused_with_the_numbers() -> None:
    """Never below zero, and what is lent to gateways is not there to take; nor is a lot that is over or has not begun."""
    over, later = lot(7, UUID(int=60), expires_us=NOW), lot(8, UUID(int=61), effective_us=NOW + 1)
    WALLET_SPEC.given(lot(100), over, later, granted((OLD, 60))).when(when(asked("debit", 41))).then_refused(
        NotEnoughToTake, required_nano=41, available_nano=40, lent_nano=60
    )


def test_a_debit_of_nothing_is_refused() -> None:
    """It would be an entry without amounts."""
    WALLET_SPEC.given(lot(100)).when(when(asked("debit", 0))).then_refused(AmountOutOfRange)


def test_what_no_lease_has_of_a_lot_is_taken_back_at_once() -> None:
    """It goes to where it was issued from; the lot lends nothing more and never expires."""
    given = (lot(100, source="promo", expires_us=NOW + 9), lot(50, NEW), granted((OLD, 60)))
    fact = voided(OLD, 40, source="promo", approved_by=OTHER)
    WALLET_SPEC.given(*given).when(when(asked("void", 100, lot_id=OLD), approved_by=OTHER)).then(fact)
    wallet = WALLET_SPEC.fold(*given, fact)
    assert (wallet.lots, wallet.available_nano, wallet.taken_nano) == ({OLD: 0, NEW: 50}, 50, 40)
    assert wallet.is_over(OLD, NOW)
    assert not wallet.limited


@pytest.mark.parametrize(
    ("lot_id", "kind"), [(UUID(int=99), NotFound), (OLD, WrongState), (NEW, WrongState)], ids=str
)
def test_a_lot_that_is_not_there_is_not_taken_back(lot_id: UUID, kind: type[NotFound | WrongState]) -> None:
    """One that nobody granted, one that is over, one that was used up."""
    given = (lot(10, OLD, expires_us=NOW), lot(20, NEW), posted("debit", 20, taken=slices((NEW, 20))))
    WALLET_SPEC.given(*given).when(when(asked("void", lot_id=lot_id))).then_refused(kind)


def test_a_lot_is_taken_back_once() -> None:
    """The second time there is nothing to take."""
    given = (lot(10), granted((OLD, 4)), voided(OLD, 6))
    WALLET_SPEC.given(*given).when(when(asked("void", lot_id=OLD))).then_refused(WrongState)


def test_what_is_left_of_a_lot_counts_what_leases_have_of_it() -> None:
    """Whoever agrees to taking it back agrees to that amount at most."""
    wallet = WALLET_SPEC.fold(lot(100), lot(50, NEW), granted((OLD, 60), (NEW, 10)))
    assert left_of(wallet, OLD, now_us=NOW) == 100


def test_what_a_lease_gives_back_of_a_lot_taken_back_is_gone() -> None:
    """Not available, and no breakage: it goes where the lot came from."""
    given = (lot(100), lot(50, NEW), granted((OLD, 60), (NEW, 10)), voided(OLD, 40))
    (reduced,) = reduce_lease(
        WALLET_SPEC.fold(*given), account_id=ACCOUNT, lease_id=LEASE, amount_nano=30, now_us=NOW
    )
    assert reduced.slices == slices((NEW, 10))  # type: ignore[union-attr]  # it is a reduction
    assert reduced.voided == (VoidedSlice(OLD, 20, "paid"),)  # type: ignore[union-attr]  # likewise
    after = (*given, reduced)
    (settled,) = settle_lease(
        WALLET_SPEC.fold(*after),
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="closed",
        charged_nano=15,
        charges=1,
        last_version=9,
        now_us=NOW,
    )
    assert settled.voided == (VoidedSlice(OLD, 25, "paid"),)  # type: ignore[union-attr]  # it is a settlement
    wallet = WALLET_SPEC.fold(*after, settled)
    assert (wallet.available_nano, wallet.leased_nano, wallet.charged_nano) == (50, 0, 15)
    assert (wallet.taken_nano, wallet.expired_nano, wallet.withdrawn_nano) == (85, 0, 85)


@examples(
    amounts=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
    steps=st.lists(
        st.tuples(st.sampled_from(("credit", "debit", "void")), st.integers(0, 4), st.integers(1, 900))
    ),
)
def test_whatever_is_adjusted_no_lot_is_below_zero_and_the_books_are_even(
    amounts: list[int], steps: list[tuple[str, int, int]]
) -> None:
    """P01, P02, P30: every adjustment is posted whole or refused, and the accounts say what the wallet says."""
    trial, wallet = TrialBalance(RULES), Wallet()

    def store(*events: WalletEvent) -> None:
        for event in events:
            evolve(wallet, event)
            for posting in postings(RULES, event, stream_id=ACCOUNT):
                trial.post(posting)
            assert not trial.below_floor()
            assert trial.total_nano() == 0

    store(*(lot(amount, UUID(int=100 + at)) for at, amount in enumerate(amounts)))
    for number, (kind, which, amount_nano) in enumerate(steps):
        wanted = asked(kind, amount_nano, lot_id=UUID(int=100 + which), adjustment_id=UUID(int=500 + number))
        with suppress(NotEnoughToTake, NotFound, WrongState):
            store(*post(wallet, wanted, approved_by=None, now_us=NOW))
    assert min(wallet.lots.values()) >= 0
    for lot_id, free_nano in wallet.lots.items():
        assert trial.balances.get(f"wallet:{ACCOUNT}:{lot_id}", 0) == free_nano
    assert wallet.posted_nano == wallet.available_nano == sum(wallet.lots.values())
