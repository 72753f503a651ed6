"""Which lots a wallet lends, to which model and when, and where credit goes that comes back too late."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.ledger import lending
from domain.ledger.events import LeaseMode, WalletEvent
from domain.ledger.lots import Slice
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit
from domain.ledger.wallet import Wallet
from tests.domain.ledger.facts import (
    ACCOUNT,
    LEASE,
    NEW,
    NOW,
    OLD,
    OWNER,
    WALLET_SPEC,
    extended,
    granted,
    lot,
    lot_expired,
    reduced,
    settled,
    slices,
)

Decide = Callable[[Wallet], Sequence[WalletEvent]]
END = NOW + 1_000
THIRD = UUID(int=22)


def lend(
    amount_nano: int, alias: str | None = "big", *, mode: LeaseMode = "bulk", at_us: int = NOW
) -> Decide:
    return lambda wallet: lending.grant_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        owner=OWNER,
        mode=mode,
        amount_nano=amount_nano,
        now_us=at_us,
        alias=alias,
    )


def lend_more(amount_nano: int, alias: str = "big", *, mode: LeaseMode = "bulk") -> Decide:
    return lambda wallet: lending.extend_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        amount_nano=amount_nano,
        now_us=NOW,
        alias=alias,
        mode=mode,
    )


def take_back(*parts: tuple[UUID, int], at_us: int = NOW) -> Decide:
    return lambda wallet: lending.reduce_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        amount_nano=sum(part_nano for _, part_nano in parts),
        now_us=at_us,
        slices=slices(*parts),
    )


def settle(charged_nano: int, *, at_us: int = NOW, spent: dict[UUID, int] | None = None) -> Decide:
    return lambda wallet: lending.settle_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=LEASE,
        outcome="closed",
        charged_nano=charged_nano,
        charges=1,
        last_version=5,
        now_us=at_us,
        spent=spent,
    )


def changed(fact: WalletEvent, **changes: Any) -> WalletEvent:
    return msgspec.structs.replace(fact, **changes)


# --- lending


def test_lots_are_lent_in_the_order_of_their_terms() -> None:
    """Not in that of their granting."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW, source="promo"), lot(5, THIRD, priority=0))
    given.when(lend(60)).then(granted((THIRD, 5), (NEW, 50), (OLD, 5)))


def test_a_lot_that_is_over_or_has_not_begun_is_lent_to_nobody() -> None:
    """Nor counted: the refusal tells what is available now."""
    given = WALLET_SPEC.given(lot(100, expires_us=END), lot(50, NEW, effective_us=NOW + 9), lot(5, THIRD))
    given.when(lend(55, at_us=END)).then(changed(granted((THIRD, 5), (NEW, 50)), occurred_us=END))
    given.when(lend(56, at_us=END)).then_refused(InsufficientCredit, required_nano=56, available_nano=55)
    given.when(lend(106, at_us=NOW)).then_refused(InsufficientCredit, available_nano=105)


def test_a_lot_is_lent_for_its_models_only() -> None:
    """The refusal tells what is available for the model that was asked for."""
    given = WALLET_SPEC.given(lot(100, aliases=("small",)), lot(50, NEW))
    given.when(lend(51)).then_refused(InsufficientCredit, required_nano=51, available_nano=50)
    given.when(lend(150, "small")).then(granted((OLD, 100), (NEW, 50)))


def test_in_bulk_an_earlier_lot_for_other_models_comes_along() -> None:
    """Else this model's share of the general credit would be spent on the other model first."""
    given = WALLET_SPEC.given(lot(100, aliases=("small",), priority=0), lot(50, NEW))
    given.when(lend(30)).then(granted((OLD, 30), (NEW, 30)))
    given.when(lend(30, mode="micro")).then(changed(granted((NEW, 30)), mode="micro"))
    given = WALLET_SPEC.given(lot(100, aliases=("small",), priority=99), lot(50, NEW))
    given.when(lend(50)).then(granted((NEW, 50)))


def test_an_extension_is_drawn_as_a_lease_is() -> None:
    """By the model's lots, in their order."""
    given = WALLET_SPEC.given(lot(100, aliases=("small",), priority=0), lot(50, NEW), granted((NEW, 1)))
    given.when(lend_more(5)).then(extended((OLD, 5), (NEW, 5)))
    given.when(lend_more(5, mode="micro")).then(extended((NEW, 5)))
    given.when(lend_more(50)).then_refused(InsufficientCredit, available_nano=49)


def test_a_lease_gets_to_know_the_terms_of_its_lots() -> None:
    """It decides alone from then on."""
    wallet = WALLET_SPEC.fold(lot(100, expires_us=END, aliases=("big",)))
    (lent,) = wallet.lent((Slice(OLD, 7),))
    assert (lent.lot_id, lent.amount_nano) == (OLD, 7)
    assert (lent.terms.expires_us, lent.terms.aliases) == (END, ("big",))


# --- taking back


def test_the_owner_says_of_which_lots_it_gives_back() -> None:
    """It must have been lent so much of each."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 60), (NEW, 50)))
    given.when(take_back((OLD, 10), (NEW, 5))).then(reduced((OLD, 10), (NEW, 5)))
    given.when(take_back((OLD, 61))).then_refused(AmountOutOfRange)
    given.when(take_back((THIRD, 1))).then_refused(AmountOutOfRange)


def test_what_is_given_back_of_an_expired_lot_is_gone() -> None:
    """The rest is available again; both are what the lease gave back."""
    facts = (lot(100, expires_us=END), lot(50, NEW), granted((OLD, 60), (NEW, 50)))
    back = changed(reduced((NEW, 5)), amount_nano=15, expired=slices((OLD, 10)), occurred_us=END)
    WALLET_SPEC.given(*facts).when(take_back((OLD, 10), (NEW, 5), at_us=END)).then(back)
    wallet = WALLET_SPEC.fold(*facts, back)
    assert wallet.leases[LEASE].slices == [Slice(OLD, 50), Slice(NEW, 45)]
    assert (wallet.available_nano, wallet.leased_nano, wallet.withdrawn_nano) == (45, 95, 10)
    assert wallet.posted_nano == 140


def test_a_settlement_returns_what_was_not_spent_of_each_lot() -> None:
    """What the lease says was spent counts, not the order of lots: a model may not have been allowed the first."""
    given = WALLET_SPEC.given(lot(100), lot(50, NEW), granted((OLD, 60), (NEW, 50)))
    given.when(settle(40, spent={NEW: 40})).then(settled((NEW, 10), (OLD, 60), charged_nano=40, charges=1))
    given.when(settle(40, spent={NEW: 39})).then_refused(AmountOutOfRange)
    given.when(settle(51, spent={NEW: 51})).then_refused(AmountOutOfRange)
    given.when(settle(1, spent={NEW: 2, OLD: -1})).then_refused(AmountOutOfRange)


def test_what_a_settlement_leaves_of_an_expired_lot_is_gone() -> None:
    """Its charges stand: they were admitted in time."""
    facts = (lot(100, expires_us=END), lot(50, NEW), granted((OLD, 60), (NEW, 50)))
    over = changed(settled((NEW, 50), charged_nano=40, charges=1), expired=slices((OLD, 20)), occurred_us=END)
    WALLET_SPEC.given(*facts).when(settle(40, at_us=END, spent={OLD: 40, NEW: 0})).then(over)
    wallet = WALLET_SPEC.fold(*facts, over)
    assert (wallet.available_nano, wallet.leased_nano, wallet.charged_nano) == (90, 0, 40)
    assert (wallet.withdrawn_nano, wallet.posted_nano) == (20, 90)


def test_credit_of_a_lot_whose_end_is_stored_does_not_come_back_on_any_clock() -> None:
    """A process whose clock is behind must not bring an expired lot to life again."""
    facts = (lot(100, expires_us=END), granted((OLD, 60)), lot_expired(40, at_us=END))
    gone = changed(reduced(), amount_nano=10, expired=slices((OLD, 10)))
    WALLET_SPEC.given(*facts).when(take_back((OLD, 10), at_us=NOW)).then(gone)
    WALLET_SPEC.given(*facts).when(lambda wallet: lend(1)(forgetting_lease(wallet))).then_refused(
        InsufficientCredit
    )


def forgetting_lease(wallet: Wallet) -> Wallet:
    return msgspec.structs.replace(wallet, leases={})
