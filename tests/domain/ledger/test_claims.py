"""Credit whose payment goes back: what a wallet sets aside, takes, owes and gives back."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from domain.ledger.adjusting import MoreThanOwed, post
from domain.ledger.claim_events import (
    ClaimCause,
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.claims import Claimed, NotEnoughUnspent, freeze, release, reserve, restore, take
from domain.ledger.credit import LotAlreadyGranted, grant_credit
from domain.ledger.events import LeaseReduced, LeaseSettled, WalletEvent
from domain.ledger.lending import extend_lease, grant_lease, reduce_lease, settle_lease
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.ledger.refusals import AccountInDebt, InsufficientCredit, LeaseEnded
from domain.ledger.wallet import Wallet, evolve
from domain.refusal import NotFound, WrongState
from tests.domain.ledger.facts import (
    ACCOUNT,
    LEASE,
    NEW,
    NOW,
    OLD,
    OWNER,
    WALLET_SPEC,
    granted,
    lot,
    lot_voided,
    slices,
)
from tests.domain.ledger.test_adjusting import asked

RULES = load_rules()
CLAIM, OTHER = UUID(int=80), UUID(int=81)
ON = Claimed(account_id=ACCOUNT, lot_id=OLD, claim_id=CLAIM)


def frozen(
    amount_nano: int, *, wanted_nano: int, claim_id: UUID = CLAIM, cause: ClaimCause = "dispute"
) -> CreditFrozen:
    return CreditFrozen(
        account_id=ACCOUNT,
        lot_id=OLD,
        claim_id=claim_id,
        cause=cause,
        wanted_nano=wanted_nano,
        amount_nano=amount_nano,
        occurred_us=NOW,
    )


def unfrozen(amount_nano: int, *, ends: bool, claim_id: UUID = CLAIM, **more: Any) -> CreditUnfrozen:
    fact = CreditUnfrozen(
        account_id=ACCOUNT,
        lot_id=OLD,
        claim_id=claim_id,
        source="paid",
        amount_nano=amount_nano,
        ends=ends,
        occurred_us=NOW,
    )
    return msgspec.structs.replace(fact, **more)


def taken(amount_nano: int, owed_nano: int, *, gone_nano: int = 0) -> FrozenCreditTaken:
    return FrozenCreditTaken(
        account_id=ACCOUNT,
        lot_id=OLD,
        claim_id=CLAIM,
        source="paid",
        wanted_nano=amount_nano + owed_nano + gone_nano,
        amount_nano=amount_nano,
        owed_nano=owed_nano,
        occurred_us=NOW,
    )


def paid(*parts: tuple[UUID, int]) -> ReceivableSettled:
    nano = sum(part_nano for _, part_nano in parts)
    return ReceivableSettled(account_id=ACCOUNT, slices=slices(*parts), amount_nano=nano, occurred_us=NOW)


def when(decide: Callable[..., Sequence[WalletEvent]], on: Claimed = ON, **amounts: int) -> Any:
    return lambda wallet: decide(wallet, on, now_us=NOW, **amounts)


def test_a_refund_sets_all_of_its_credit_aside() -> None:
    """Nobody can spend it from then on; asked again, nothing more happens."""
    fact = frozen(60, wanted_nano=60, cause="refund")
    WALLET_SPEC.given(lot(100)).when(when(reserve, amount_nano=60)).then(fact)
    WALLET_SPEC.given(lot(100), fact).when(when(reserve, amount_nano=60)).then_nothing()
    wallet = WALLET_SPEC.fold(lot(100), fact)
    assert (wallet.available_nano, wallet.frozen_nano, wallet.posted_nano) == (40, 60, 100)


def test_a_refund_beyond_what_is_unspent_is_refused_with_the_numbers() -> None:
    """Of the lot that it is about, whatever other lots have; what is lent may be spent at any moment."""
    given = (lot(100), lot(500, NEW), granted((OLD, 30)), frozen(20, wanted_nano=20, claim_id=OTHER))
    WALLET_SPEC.given(*given).when(when(reserve, amount_nano=51)).then_refused(
        NotEnoughUnspent, required_nano=51, available_nano=50, lent_nano=30, frozen_nano=20
    )


def test_a_refund_is_of_a_lot_that_is_there() -> None:
    """One that is over has nothing to give, and one that nobody granted neither."""
    over = lot(100, expires_us=NOW)
    WALLET_SPEC.given(over).when(when(reserve, amount_nano=1)).then_refused(WrongState)
    for decide, amounts in (
        (reserve, {"amount_nano": 1}),
        (freeze, {"wanted_nano": 1}),
        (take, {"amount_nano": 1}),
    ):
        WALLET_SPEC.given(lot(9, NEW)).when(when(decide, **amounts)).then_refused(NotFound)


def test_a_dispute_freezes_what_there_is() -> None:
    """Spent or lent credit cannot be frozen; that is no reason to refuse what a bank has decided."""
    fact = frozen(40, wanted_nano=100)
    WALLET_SPEC.given(lot(100), granted((OLD, 60))).when(when(freeze, wanted_nano=100)).then(fact)
    WALLET_SPEC.given(lot(100), fact).when(when(freeze, wanted_nano=100)).then_nothing()


def test_what_comes_back_of_a_disputed_lot_is_frozen_too() -> None:
    """In the same append, so that nobody lends it again in between; not more than the dispute wants."""
    given = (lot(100), granted((OLD, 60)), frozen(40, wanted_nano=70))
    decided = reduce_lease(
        WALLET_SPEC.fold(*given), account_id=ACCOUNT, lease_id=LEASE, amount_nano=50, now_us=NOW
    )
    assert isinstance(decided[0], LeaseReduced)
    assert decided[1:] == [frozen(30, wanted_nano=70)]


def test_a_dispute_that_is_won_gives_its_credit_back() -> None:
    """All that was frozen, and the claim is over; without one there is nothing to do."""
    given = (lot(100), frozen(40, wanted_nano=70), frozen(30, wanted_nano=70))
    WALLET_SPEC.given(*given).when(when(release)).then(unfrozen(70, ends=True))
    WALLET_SPEC.given(lot(100)).when(when(release)).then_nothing()


@pytest.mark.parametrize("is_voided", [True, False])
def test_what_is_let_go_of_a_lot_that_is_over_is_gone(is_voided: bool) -> None:
    """Nothing can be spent of it any more; taken back by an operator it is no breakage."""
    given: tuple[Any, ...] = (lot(100), frozen(40, wanted_nano=40), lot_voided(60))
    if not is_voided:
        given = (lot(100, expires_us=NOW), frozen(40, wanted_nano=40))
    lost = {"voided_nano": 40} if is_voided else {"expired_nano": 40}
    WALLET_SPEC.given(*given).when(when(release)).then(unfrozen(0, ends=True, **lost))


def test_what_was_spent_when_the_money_is_gone_is_owed() -> None:
    """First what is frozen for it is taken, then what else is there of the lot; the rest is a debt."""
    given = (lot(100), granted((OLD, 50)), frozen(20, wanted_nano=100))
    WALLET_SPEC.given(*given).when(when(take, amount_nano=100)).then(
        frozen(30, wanted_nano=100), taken(50, 50)
    )
    wallet = WALLET_SPEC.fold(*given, frozen(30, wanted_nano=100), taken(50, 50))
    assert (wallet.available_nano, wallet.frozen_nano, wallet.taken_nano, wallet.owed_nano) == (0, 0, 50, 50)
    assert not wallet.claims


def test_a_lost_part_gives_the_rest_back() -> None:
    """More was frozen than is lost in the end."""
    given = (lot(100), frozen(100, wanted_nano=100))
    WALLET_SPEC.given(*given).when(when(take, amount_nano=30)).then(unfrozen(70, ends=False), taken(30, 0))


def test_what_is_gone_for_good_comes_before_what_may_be() -> None:
    """A refund that was made takes what a dispute of the same lot has only frozen, in whichever order they are seen."""
    given = (lot(100), frozen(100, wanted_nano=100, claim_id=OTHER))
    WALLET_SPEC.given(*given).when(when(take, amount_nano=30)).then(
        unfrozen(30, ends=False, claim_id=OTHER), frozen(30, wanted_nano=30, cause="refund"), taken(30, 0)
    )


def test_what_left_a_lot_unspent_is_not_owed() -> None:
    """An operator has taken back what was left of it: the customer never had that."""
    given = (lot(100), granted((OLD, 30)), lot_voided(70))
    WALLET_SPEC.given(*given).when(when(take, amount_nano=100)).then(taken(0, 30, gone_nano=70))
    both = (*given, taken(0, 0, gone_nano=50))
    WALLET_SPEC.given(*both).when(when(take, amount_nano=50)).then(taken(0, 30, gone_nano=20))


def test_a_debt_is_paid_by_what_else_the_account_has() -> None:
    """At once and in the order of spending; also of credit that is for one model only, or has not begun."""
    scoped, later = lot(30, NEW, priority=1, aliases=("fast",)), lot(50, UUID(int=60), effective_us=NOW + 9)
    given = (lot(100), granted((OLD, 100)), scoped, later)
    WALLET_SPEC.given(*given).when(when(take, amount_nano=60)).then(
        taken(0, 60), paid((NEW, 30), (UUID(int=60), 30))
    )


def test_a_debt_is_paid_by_the_next_credit() -> None:
    """A recharge, a gift, what a lease gives back: nothing of it is lent before the debt is paid."""
    given = (lot(100), granted((OLD, 100)), taken(0, 60))
    wallet = WALLET_SPEC.fold(*given)
    decided = grant_credit(
        wallet,
        account_id=ACCOUNT,
        lot_id=NEW,
        amount_nano=50,
        source="paid",
        reason="recharge",
        granted_by="system",
        now_us=NOW,
    )
    assert decided == [lot(50, NEW), paid((NEW, 50))]
    goodwill = post(wallet, asked("credit", 90), approved_by=None, now_us=NOW)
    assert goodwill[1:] == [paid((UUID(int=50), 60))]
    settled = settle_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="fenced",
        charged_nano=90,
        charges=1,
        last_version=3,
        now_us=NOW,
    )
    assert isinstance(settled[0], LeaseSettled)
    assert settled[1:] == [paid((OLD, 10))]


def test_who_owes_is_lent_nothing() -> None:
    """Not to a new lease, nor to one that is open."""
    wallet = WALLET_SPEC.fold(lot(100), granted((OLD, 100)), taken(0, 60))
    with pytest.raises(AccountInDebt) as refused:
        extend_lease(wallet, account_id=ACCOUNT, lease_id=LEASE, amount_nano=1, now_us=NOW)
    assert refused.value.owed_nano == 60
    with pytest.raises(AccountInDebt):
        grant_lease(
            wallet,
            account_id=ACCOUNT,
            lease_id=UUID(int=12),
            owner=OWNER,
            mode="bulk",
            amount_nano=1,
            now_us=NOW,
        )


def test_a_refund_that_came_to_nothing_restores_what_it_took() -> None:
    """All of it: what was owed for it is paid by that again."""
    given = (lot(100), granted((OLD, 60)), frozen(40, wanted_nano=100, cause="refund"), taken(40, 60))
    restored = TakenCreditRestored(
        account_id=ACCOUNT, lot_id=OLD, claim_id=CLAIM, source="paid", amount_nano=100, occurred_us=NOW
    )
    WALLET_SPEC.given(*given).when(when(restore, amount_nano=100)).then(restored, paid((OLD, 60)))
    WALLET_SPEC.given(lot(100), lot_voided(100)).when(when(restore, amount_nano=9)).then_nothing()


def test_a_debt_can_be_given_up() -> None:
    """And no more than there is of it."""
    given = (lot(100), granted((OLD, 100)), taken(0, 60))
    WALLET_SPEC.given(*given).when(
        lambda wallet: post(wallet, asked("write_off", 60), approved_by="operator:2", now_us=NOW)
    ).then(
        ReceivableWrittenOff(
            account_id=ACCOUNT,
            adjustment_id=UUID(int=50),
            amount_nano=60,
            reason="charged twice by mistake",
            requested_by="operator:1",
            occurred_us=NOW,
            approved_by="operator:2",
        )
    )
    WALLET_SPEC.given(*given).when(
        lambda wallet: post(wallet, asked("write_off", 61), approved_by="operator:2", now_us=NOW)
    ).then_refused(MoreThanOwed, required_nano=61, owed_nano=60)


STEPS = st.tuples(
    st.sampled_from(
        ("grant", "reserve", "freeze", "take", "release", "restore", "lend", "return", "write_off")
    ),
    st.integers(0, 3),
    st.integers(1, 120),
)


def _decided(wallet: Wallet, step: tuple[str, int, int]) -> Sequence[WalletEvent]:
    kind, which, nano = step
    on = Claimed(account_id=ACCOUNT, lot_id=UUID(int=100 + which % 2), claim_id=UUID(int=200 + which))
    claim, lease_id = wallet.claims.get(on.claim_id), UUID(int=300 + which)
    lease: dict[str, Any] = {"account_id": ACCOUNT, "lease_id": lease_id, "now_us": NOW}
    there = wallet.leases.get(lease_id)
    lost_nano, back_nano = (
        nano if claim is None else claim.wanted_nano,
        min(nano, there.amount_nano) if there else 1,
    )
    debt = asked("write_off", nano, adjustment_id=UUID(int=500 + nano))
    decide: dict[str, Callable[[], Sequence[WalletEvent]]] = {
        "grant": lambda: grant_credit(
            wallet,
            account_id=ACCOUNT,
            lot_id=UUID(int=400 + nano),
            amount_nano=nano,
            source="promo",
            reason="x",
            granted_by="x",
            now_us=NOW,
        ),
        "reserve": lambda: reserve(wallet, on, amount_nano=nano, now_us=NOW),
        "freeze": lambda: freeze(wallet, on, wanted_nano=nano, now_us=NOW),
        "take": lambda: take(wallet, on, amount_nano=lost_nano, now_us=NOW),
        "release": lambda: release(wallet, on, now_us=NOW),
        "restore": lambda: restore(wallet, on, amount_nano=nano, now_us=NOW),
        "lend": lambda: (
            [] if there else grant_lease(wallet, owner=OWNER, mode="bulk", amount_nano=nano, **lease)
        ),
        "return": lambda: reduce_lease(wallet, amount_nano=back_nano, **lease) if back_nano else [],
        "write_off": lambda: post(wallet, debt, approved_by="operator:2", now_us=NOW),
    }
    return decide[kind]()


@examples(steps=st.lists(STEPS, max_size=25))
def test_whatever_goes_back_no_account_is_below_zero_and_who_owes_has_nothing(
    steps: list[tuple[str, int, int]],
) -> None:
    """P01, P02, P30, P32: after every decision the books are even and say what the wallet says."""
    trial, wallet = TrialBalance(RULES), Wallet()

    def store(events: Sequence[WalletEvent]) -> None:
        for event in events:
            evolve(wallet, event)
            for posting in postings(RULES, event, stream_id=ACCOUNT):
                trial.post(posting)
            assert not trial.below_floor()
            assert trial.total_nano() == 0
        assert not (wallet.owed_nano and wallet.available_nano)
        for claim in wallet.claims.values():
            is_whole = claim.frozen_nano == claim.wanted_nano
            assert is_whole or claim.cause == "refund" or not wallet.lots[claim.lot_id]

    store([lot(100, UUID(int=100)), lot(100, UUID(int=101))])
    refusals = (
        NotEnoughUnspent,
        MoreThanOwed,
        AccountInDebt,
        InsufficientCredit,
        LeaseEnded,
        LotAlreadyGranted,
    )
    for step in steps:
        with suppress(*refusals):
            store(_decided(wallet, step))
    assert trial.balances.get(f"receivable:{ACCOUNT}", 0) == -wallet.owed_nano
    frozen_nano = sum(nano for name, nano in trial.balances.items() if name.startswith("frozen:"))
    assert frozen_nano == wallet.frozen_nano == sum(one.frozen_nano for one in wallet.claims.values())
    assert wallet.posted_nano == wallet.available_nano + wallet.leased_nano + wallet.frozen_nano
