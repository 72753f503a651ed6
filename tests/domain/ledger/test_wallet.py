"""What a wallet lends, takes back and refuses."""

from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from domain.ledger import credit, lending
from domain.ledger import wallet as rules
from domain.ledger.credit import LotAlreadyGranted
from domain.ledger.events import AMOUNT_NANO_MAX, CreditLotGranted, LeaseRecallRequested, WalletEvent
from domain.ledger.lending import LeaseAlreadyGranted
from domain.ledger.lots import Slice
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit, LeaseEnded
from domain.ledger.wallet import Wallet
from tests.domain.ledger.facts import (
    ACCOUNT,
    LEASE,
    NEW,
    NOW,
    OLD,
    OTHER_LEASE,
    OWNER,
    WALLET_SPEC,
    extended,
    granted,
    lot,
    opened,
    reduced,
    settled,
    slices,
)

Decide = Callable[[Wallet], Sequence[WalletEvent]]


def grant_credit(amount_nano: int, lot_id: UUID = OLD) -> Decide:
    return lambda wallet: credit.grant_credit(
        wallet,
        account_id=ACCOUNT,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source="paid",
        reason="recharge",
        granted_by="system",
        now_us=NOW,
    )


def lend(amount_nano: int, lease_id: UUID = LEASE) -> Decide:
    return lambda wallet: lending.grant_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=lease_id,
        owner=OWNER,
        mode="bulk",
        amount_nano=amount_nano,
        now_us=NOW,
    )


def lend_more(amount_nano: int) -> Decide:
    return lambda wallet: lending.extend_lease(
        wallet, account_id=ACCOUNT, lease_id=LEASE, amount_nano=amount_nano, now_us=NOW
    )


def take_back(amount_nano: int) -> Decide:
    return lambda wallet: lending.reduce_lease(
        wallet, account_id=ACCOUNT, lease_id=LEASE, amount_nano=amount_nano, now_us=NOW
    )


def settle(charged_nano: int, charges: int = 0) -> Decide:
    return lambda wallet: lending.settle_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="closed",
        charged_nano=charged_nano,
        charges=charges,
        last_version=5,
        now_us=NOW,
    )


# --- credit comes in


def test_granted_credit_is_available() -> None:
    """A lot is a fact, and all of it can be lent."""
    WALLET_SPEC.given().when(grant_credit(100)).then(lot(100))
    wallet = WALLET_SPEC.fold(lot(100), lot(30, NEW))
    assert (wallet.available_nano, wallet.granted_nano, wallet.posted_nano) == (130, 130, 130)
    assert wallet.lots == {OLD: 100, NEW: 30}


def test_a_lot_is_granted_once() -> None:
    """A repeated command adds nothing, also when the lot is lent and spent to the last bit."""
    WALLET_SPEC.given(lot(100)).when(grant_credit(100)).then_refused(LotAlreadyGranted)
    spent = (lot(100), granted((OLD, 100)), settled(charged_nano=100, charges=1))
    WALLET_SPEC.given(*spent).when(grant_credit(100)).then_refused(LotAlreadyGranted)


@pytest.mark.parametrize("amount_nano", [0, -1, AMOUNT_NANO_MAX + 1])
def test_a_lot_is_a_positive_64_bit_amount(amount_nano: int) -> None:
    """Nothing else is credit."""
    WALLET_SPEC.given().when(grant_credit(amount_nano)).then_refused(AmountOutOfRange)


def test_all_credit_ever_granted_fits_64_bits() -> None:
    """Totals of read models do not overflow, however much of it is spent."""
    given = WALLET_SPEC.given(lot(AMOUNT_NANO_MAX - 5))
    given.when(grant_credit(6, NEW)).then_refused(AmountOutOfRange)
    given.when(grant_credit(5, NEW)).then(lot(5, NEW))


# --- lending


def test_the_oldest_lot_is_lent_first() -> None:
    """A lease is drawn from lots in the order in which they were granted."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW))
    given.when(lend(70)).then(granted((OLD, 70)))
    given.when(lend(120)).then(granted((OLD, 100), (NEW, 20)))


def test_an_empty_lot_lends_nothing() -> None:
    """What is lent out already is passed over."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 100), lease_id=OTHER_LEASE))
    given.when(lend(50)).then(granted((NEW, 50)))


def test_no_more_is_lent_than_is_available() -> None:
    """The refusal tells both numbers; what another lease has is not available."""
    given = WALLET_SPEC.given(lot(100), granted((OLD, 40), lease_id=OTHER_LEASE))
    given.when(lend(61)).then_refused(InsufficientCredit, required_nano=61, available_nano=60)
    given.when(lend(60)).then(granted((OLD, 60)))


@pytest.mark.parametrize("amount_nano", [0, -1])
def test_nothing_is_not_lent(amount_nano: int) -> None:
    """A lease and an extension have a positive amount."""
    WALLET_SPEC.given(lot(100)).when(lend(amount_nano)).then_refused(AmountOutOfRange)
    WALLET_SPEC.given(lot(100), granted((OLD, 40))).when(lend_more(amount_nano)).then_refused(
        AmountOutOfRange
    )


def test_a_live_lease_is_not_granted_again() -> None:
    """A repeated command must not forget what was lent before."""
    WALLET_SPEC.given(lot(100), granted((OLD, 40))).when(lend(40)).then_refused(LeaseAlreadyGranted)


def test_a_lease_is_extended_out_of_what_is_available() -> None:
    """The slices are drawn as for a new lease, and the refusal is the same."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 90)))
    given.when(lend_more(30)).then(extended((OLD, 10), (NEW, 20)))
    given.when(lend_more(61)).then_refused(InsufficientCredit, required_nano=61, available_nano=60)


def test_a_settled_lease_is_not_extended() -> None:
    """Nothing can be lent to a lease that has ended, or that never was."""
    over = (lot(100), granted((OLD, 40)), settled((OLD, 40)))
    WALLET_SPEC.given(*over).when(lend_more(1)).then_refused(LeaseEnded, lease_id=LEASE)
    WALLET_SPEC.given(lot(100)).when(lend_more(1)).then_refused(LeaseEnded, lease_id=LEASE)


# --- taking back


def test_the_latest_lot_comes_back_first() -> None:
    """What is given back is the end of what would have been spent."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 100), (NEW, 50)))
    given.when(take_back(20)).then(reduced((NEW, 20)))
    given.when(take_back(70)).then(reduced((NEW, 50), (OLD, 20)))


def test_what_came_back_can_be_lent_again() -> None:
    """Available, leased and the lots move together."""
    wallet = WALLET_SPEC.fold(
        lot(100), lot(50, NEW), granted((OLD, 100), (NEW, 50)), reduced((NEW, 50), (OLD, 20))
    )
    assert (wallet.available_nano, wallet.leased_nano) == (70, 80)
    assert wallet.lots == {OLD: 20, NEW: 50}
    assert wallet.leases[LEASE].slices == [Slice(OLD, 80)]
    assert wallet.leases[LEASE].amount_nano == 80


@pytest.mark.parametrize("amount_nano", [0, -1, 41])
def test_no_more_comes_back_than_was_lent(amount_nano: int) -> None:
    """Nor nothing, nor less."""
    WALLET_SPEC.given(lot(100), granted((OLD, 40))).when(take_back(amount_nano)).then_refused(
        AmountOutOfRange
    )


def test_a_settled_lease_gives_nothing_back() -> None:
    """Its settlement has returned everything."""
    over = (lot(100), granted((OLD, 40)), settled((OLD, 40)))
    WALLET_SPEC.given(*over).when(take_back(1)).then_refused(LeaseEnded, lease_id=LEASE)


def test_an_extension_from_an_older_lot_is_spent_first() -> None:
    """P14: credit that came back to the old lot and is lent again goes before the new lot's, which comes back whole."""
    facts = (
        lot(10),
        lot(10, NEW),
        granted((OLD, 10), lease_id=OTHER_LEASE),
        granted((NEW, 10)),
        reduced((OLD, 10), lease_id=OTHER_LEASE),
        extended((OLD, 10)),
    )
    assert WALLET_SPEC.fold(*facts).leases[LEASE].slices == [Slice(OLD, 10), Slice(NEW, 10)]
    WALLET_SPEC.given(*facts).when(settle(10, charges=1)).then(settled((NEW, 10), charged_nano=10, charges=1))


def test_the_fold_follows_the_slices_of_the_fact() -> None:
    """What an event says came back is believed, whatever today's rule would choose."""
    facts = (lot(100), lot(50, NEW), granted((OLD, 100), (NEW, 50)), reduced((OLD, 30)))
    wallet = WALLET_SPEC.fold(*facts)
    assert wallet.lots == {OLD: 30, NEW: 0}
    assert wallet.leases[LEASE].slices == [Slice(OLD, 70), Slice(NEW, 50)]


# --- recall


def test_a_recall_is_a_fact_that_moves_nothing() -> None:
    """Others see who asks, and for how much."""
    recalled = LeaseRecallRequested(account_id=ACCOUNT, by=OWNER, wanted_nano=7, occurred_us=NOW)
    given = WALLET_SPEC.given(lot(100))
    given.when(
        lambda wallet: lending.request_recall(wallet, account_id=ACCOUNT, by=OWNER, wanted_nano=7, now_us=NOW)
    ).then(recalled)
    before, after = WALLET_SPEC.fold(lot(100)), WALLET_SPEC.fold(lot(100), recalled)
    assert after.version == before.version + 1
    after.version = before.version
    assert after == before


# --- settling


def test_a_settlement_returns_what_was_not_charged() -> None:
    """The oldest lots pay, the latest get the rest back."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 100), (NEW, 50)))
    given.when(settle(30, charges=2)).then(settled((NEW, 50), (OLD, 70), charged_nano=30, charges=2))
    given.when(settle(120, charges=2)).then(settled((NEW, 30), charged_nano=120, charges=2))
    given.when(settle(150, charges=2)).then(settled(charged_nano=150, charges=2))


def test_charged_credit_is_gone_for_good() -> None:
    """After the settlement the charge has left the posted balance, and the lease is forgotten."""
    wallet = WALLET_SPEC.fold(lot(100), granted((OLD, 60)), settled((OLD, 50), charged_nano=10, charges=1))
    assert (wallet.posted_nano, wallet.available_nano, wallet.leased_nano) == (90, 90, 0)
    assert (wallet.lots, wallet.leases, wallet.charged_nano) == ({OLD: 90}, {}, 10)


@pytest.mark.parametrize("charged_nano", [41, -1])
def test_a_lease_charges_no_more_than_it_was_lent(charged_nano: int) -> None:
    """A settlement that does not add up is refused; credit is neither made nor lost by one."""
    given = WALLET_SPEC.given(lot(100), granted((OLD, 40)))
    given.when(settle(charged_nano)).then_refused(AmountOutOfRange)


def test_a_lease_is_settled_once() -> None:
    """The owner and the reaper cannot both return the rest."""
    over = (lot(100), granted((OLD, 40)), settled((OLD, 40)))
    WALLET_SPEC.given(*over).when(settle(0)).then_refused(LeaseEnded, lease_id=LEASE)


# --- the shape of the fold


def test_every_fact_is_one_version() -> None:
    """The fold's version is the stream's: the next append needs it."""
    facts: list[WalletEvent] = [
        lot(100),
        granted((OLD, 40)),
        extended((OLD, 5)),
        reduced((OLD, 5)),
        settled((OLD, 40)),
    ]
    for count in range(len(facts) + 1):
        assert WALLET_SPEC.fold(*facts[:count]).version == count


def test_deciders_leave_the_wallet_alone() -> None:
    """A decision is facts and nothing else; only the fold changes the state."""
    facts = (lot(100), lot(50, NEW), granted((OLD, 100), (NEW, 10)))
    wallet, untouched = WALLET_SPEC.fold(*facts), WALLET_SPEC.fold(*facts)
    for decide in (
        grant_credit(1, UUID(int=29)),
        lend(20, OTHER_LEASE),
        lend_more(20),
        take_back(20),
        settle(30),
    ):
        assert decide(wallet)
        assert wallet == untouched


def test_wallets_share_nothing() -> None:
    """A new wallet is empty, whatever happened to others."""
    rules.evolve(Wallet(), lot(100))
    assert Wallet() == Wallet(lots={}, leases={})
    assert slices() == ()


def test_a_lot_keeps_its_place_when_it_runs_empty() -> None:
    """The order of lots is the order of granting for ever, not the order of coming back."""
    facts = (lot(10), lot(10, NEW), granted((OLD, 10), (NEW, 10)), reduced((NEW, 10), (OLD, 10)))
    assert list(WALLET_SPEC.fold(*facts).lots) == [OLD, NEW]
    WALLET_SPEC.given(*facts).when(lend(15, OTHER_LEASE)).then(
        granted((OLD, 10), (NEW, 5), lease_id=OTHER_LEASE)
    )


def test_a_lot_granted_with_another_source_is_credit_all_the_same() -> None:
    """Where credit comes from does not change what can be lent."""
    promo = CreditLotGranted(
        account_id=ACCOUNT,
        lot_id=NEW,
        amount_nano=5,
        source="promo",
        reason="welcome",
        granted_by="system",
        occurred_us=NOW,
    )
    assert WALLET_SPEC.fold(lot(100), promo).available_nano == 105


def test_a_fact_of_another_kind_of_stream_is_not_folded() -> None:
    """It is a mistake of ours, not a fact to count a version for."""
    with pytest.raises(AssertionError):
        rules.evolve(Wallet(), opened(100))  # type: ignore[arg-type]  # the mistake
