"""What providers say of money that goes back, in every order and number: refunds made there, and disputes."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.recharge.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeLost,
    DisputeOpened,
    ExternalRefundObserved,
    ExternalRefundReversed,
    PaymentCaptured,
    RechargeCredited,
)
from domain.recharge.observing import Movement, Observation
from domain.recharge.observing_disputes import dispute_trouble
from tests.domain.recharge.orders import OTHER, seen
from tests.domain.recharge.returns import PAID, REFUND, Till, dispute, refund

CREDIT = 1_000_000_000
BOUGHT = 105 * CREDIT
TOOK = Movement(transaction_ref="txn_1", amount_minor=-5_950, fee_minor=1_500, currency="EUR")
GAVE = Movement(transaction_ref="txn_2", amount_minor=5_950, fee_minor=0, currency="EUR")


def test_a_refund_made_at_the_provider_takes_its_credit() -> None:
    """In proportion, bonus included; seen again it takes nothing more."""
    till = Till().see(PAID, REFUND, REFUND)
    (fact,) = [one for one in till.facts if isinstance(one, ExternalRefundObserved)]
    assert (fact.amount_minor, fact.tax.tax_minor, fact.credits_nano) == (3_570, 570, BOUGHT * 30 // 100)
    assert till.left_nano == BOUGHT * 70 // 100
    assert (till.order.status, till.order.refunded_minor) == ("partly_refunded", 3_570)


def test_what_was_spent_of_a_refund_is_owed() -> None:
    """The rest of the order's credit is taken, and the account owes what is missing."""
    till = Till().see(PAID).spend(90 * CREDIT).see(refund(amount_minor=11_900))
    assert (till.left_nano, till.wallet.available_nano, till.wallet.owed_nano) == (0, 0, 90 * CREDIT)
    assert till.order.status == "refunded"


def test_a_refund_is_seen_before_its_payment() -> None:
    """The provider shows both: the order is credited first, in the same append."""
    till = Till().see(REFUND)
    assert [type(fact) for fact in till.facts] == [PaymentCaptured, RechargeCredited, ExternalRefundObserved]
    assert till.left_nano == BOUGHT * 70 // 100


@pytest.mark.parametrize(
    "changes",
    [
        {"payment_ref": "pi_2"},
        {"currency": "USD"},
        {"mode": "test"},
        {"provider": "alipay"},
        {"payment": seen(amount_minor=1), "payment_ref": "pi_9"},
    ],
)
def test_money_of_another_payment_takes_no_credit(changes: dict[str, Any]) -> None:
    """Somebody paid twice and gets one of the two back: that was never credited."""
    till = Till().see(PAID, refund(**changes), dispute(**changes))
    assert till.left_nano == BOUGHT
    assert not till.order.external
    assert not till.order.disputes


def test_a_refund_that_fails_gives_its_credit_back() -> None:
    """An older word of its success changes nothing any more, and where it is all that is seen there was nothing to give."""
    failed = refund(status="failed")
    till = Till().see(PAID, REFUND, failed, failed, REFUND)
    assert till.left_nano == BOUGHT
    assert till.order.status == "credited"
    late = Till().see(PAID, failed, REFUND)
    (fact,) = [one for one in late.facts if isinstance(one, ExternalRefundReversed)]
    assert (fact.amount_minor, fact.credits_nano, fact.tax.gross_minor) == (0, 0, 0)
    assert late.left_nano == BOUGHT


def test_all_parts_together_are_the_whole() -> None:
    """Whatever is lost in rounding is no more than a nano-credit a part; the tax adds up to the minor unit."""
    till = Till()
    for number, amount_minor in enumerate((1, 33, 3_333, 8_000, 533)):
        till.see(refund(refund_ref=f"re_{number}", amount_minor=amount_minor))
    taken = [one for one in till.facts if isinstance(one, ExternalRefundObserved)]
    assert sum(one.tax.tax_minor for one in taken) == 1_900
    assert all(0 <= one.tax.tax_minor <= one.amount_minor for one in taken)
    assert 0 <= till.left_nano < len(taken)
    assert till.order.status == "refunded"


def test_more_than_was_paid_takes_no_more_than_was_bought() -> None:
    """Whatever a provider says, nobody owes more than they got."""
    till = Till().see(PAID).spend(40 * CREDIT)
    till.see(refund(amount_minor=11_900), refund(refund_ref="re_2"), dispute(status="lost"))
    assert (till.wallet.owed_nano, till.wallet.available_nano) == (40 * CREDIT, 0)


def test_an_inquiry_freezes_nothing() -> None:
    """A bank that only asks has taken nothing."""
    till = Till().see(PAID, dispute(status="inquiry"))
    assert not till.order.disputes
    assert till.left_nano == BOUGHT


def test_a_dispute_freezes_what_is_unspent_of_it() -> None:
    """And the order waits for its end."""
    till = Till().see(PAID).spend(80 * CREDIT).see(dispute(), dispute())
    assert (till.left_nano, till.wallet.frozen_nano, till.wallet.owed_nano) == (0, 25 * CREDIT, 0)
    assert till.order.status == "disputed"
    assert sum(isinstance(fact, DisputeOpened) for fact in till.facts) == 1


def test_a_dispute_that_is_won_ends_as_it_began() -> None:
    """The frozen credit is the customer's; an older word of it changes nothing."""
    till = Till().see(PAID, dispute(), dispute(status="won"), dispute())
    assert (till.left_nano, till.wallet.frozen_nano) == (BOUGHT, 0)
    assert till.order.status == "credited"


def test_a_dispute_that_is_lost_takes_what_is_frozen_and_has_the_rest_owed() -> None:
    """With the tax of what is lost, for a credit note."""
    till = Till().see(PAID).spend(80 * CREDIT).see(dispute(), dispute(status="lost"))
    (fact,) = [one for one in till.facts if isinstance(one, DisputeLost)]
    assert (fact.amount_minor, fact.tax.tax_minor, fact.credits_nano) == (5_950, 950, BOUGHT // 2)
    assert (till.left_nano, till.wallet.frozen_nano) == (0, 0)
    assert till.wallet.owed_nano == BOUGHT // 2 - 25 * CREDIT


def test_a_dispute_that_is_lost_after_all_is_lost() -> None:
    """And one that was lost and is said to be won is for somebody to look at."""
    till = Till().see(PAID, dispute(status="won"), dispute(status="lost"), dispute(status="won"))
    assert till.left_nano == BOUGHT - BOUGHT // 2
    assert dispute_trouble(till.order, dispute(status="won"))
    assert dispute_trouble(till.order, dispute(status="lost")) is None


def test_each_movement_of_money_is_noted_once() -> None:
    """With the fee that the provider took, which its list books."""
    till = Till().see(dispute(movements=(TOOK,)), dispute(status="won", movements=(TOOK, GAVE)))
    moved = [one for one in till.facts if isinstance(one, DisputeFundsWithdrawn | DisputeFundsReinstated)]
    assert [(type(one), one.transaction_ref, one.amount_minor, one.fee_minor) for one in moved] == [
        (DisputeFundsWithdrawn, "txn_1", 5_950, 1_500),
        (DisputeFundsReinstated, "txn_2", 5_950, 0),
    ]


def test_an_observation_of_another_order_is_a_mistake_of_ours() -> None:
    """The caller finds the order by it."""
    for other in (refund(order_id=OTHER), dispute(order_id=OTHER)):
        with pytest.raises(AssertionError):
            Till().see(other)


def _end_of(said: Sequence[Observation], *, spent_nano: int = 0) -> tuple[object, ...]:
    """All of the order and of the wallet but how tax is divided: that follows from which part came first."""
    till = Till()
    if spent_nano:
        till.see(PAID).spend(spent_nano)
    till.see(*said)
    order, wallet = till.order, till.wallet
    external = {
        ref: None if one.reversed else replace(one, tax_minor=0) for ref, one in order.external.items()
    }
    disputes = {ref: replace(one, tax_minor=0) for ref, one in order.disputes.items()}
    frozen = {claim_id: claim.frozen_nano for claim_id, claim in wallet.claims.items()}
    return (
        order.status,
        order.payments,
        order.refunded_minor,
        external,
        disputes,
        wallet.lots,
        frozen,
        wallet.owed_nano,
        wallet.available_nano,
    )


#: Two refunds, of which one fails, and a dispute: together all that was paid.
SAID: tuple[Observation, ...] = (
    PAID,
    refund(status="pending"),
    REFUND,
    refund(refund_ref="re_2", amount_minor=2_380),
    refund(refund_ref="re_2", amount_minor=2_380, status="failed"),
    dispute(movements=(TOOK,)),
    dispute(status="lost", movements=(TOOK,)),
)
WON = (*SAID[:5], dispute(movements=(TOOK,)), dispute(status="won", movements=(TOOK, GAVE)))


@pytest.mark.parametrize("said", [SAID, WON], ids=["lost", "won"])
def test_every_order_of_what_is_said_leads_to_one_state(said: Sequence[Observation]) -> None:
    """P17: all orders of seven observations of payment, refunds and dispute."""
    expected = _end_of(said)
    for one in permutations(said):
        assert _end_of(one) == expected


@settings(max_examples=150, deadline=None)
@given(
    kept=st.sets(st.integers(0, 6), min_size=1),
    again=st.lists(st.integers(0, 6), max_size=7),
    shuffled=st.randoms(use_true_random=False),
    said=st.sampled_from([SAID, WON]),
    spent=st.sampled_from([0, 1, 60, 105]),
)
def test_any_subset_with_repetitions_converges(
    kept: set[int], again: list[int], shuffled: Any, said: Sequence[Observation], spent: int
) -> None:
    """P17: what is lost is lost, what comes again changes nothing, and the order of the rest does not matter; whatever was spent."""
    subset = [said[number] for number in sorted(kept)]
    more = [said[number] for number in again if number in kept]
    mixed = [*subset, *more]
    shuffled.shuffle(mixed)
    assert _end_of(mixed, spent_nano=spent * CREDIT) == _end_of(subset, spent_nano=spent * CREDIT)


def test_ids_of_ours_are_told_from_others() -> None:
    """A refund that names one that nobody asked for is somebody else's."""
    till = Till().see(refund(refund_id=UUID(int=5)))
    assert list(till.order.external) == ["re_1"]
