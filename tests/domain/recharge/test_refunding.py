"""Refunds that operators ask for."""

from typing import Any
from uuid import UUID

import pytest

from domain.fact import SYSTEM, Actor, Stamp
from domain.ledger.claims import NotEnoughUnspent
from domain.recharge.events import (
    RefundApproved,
    RefundFailed,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
)
from domain.recharge.observing_refunds import refund_trouble
from domain.recharge.order import Order, evolve
from domain.recharge.refunding import (
    Asked,
    RefundTooLarge,
    approve,
    confirm,
    deny,
    give_up,
    idempotency_key,
    refused,
    request,
)
from domain.recharge.settling import settle
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from tests.domain.recharge.orders import AT, NOW_US, ORDER, folded, placed, seen
from tests.domain.recharge.returns import PAID, Till, dispute, refund

ID, OTHER_ID = UUID(int=81), UUID(int=82)
ANNA, BERT = Actor("operator", UUID(int=71)), Actor("operator", UUID(int=72))
BY_ANNA, BY_BERT = (Stamp(now_us=NOW_US, actor=one.label) for one in (ANNA, BERT))
CREDIT = 1_000_000_000
BOUGHT = 105 * CREDIT


def asked(amount_minor: int | None = 3_570, **changes: Any) -> Asked:
    given: dict[str, Any] = {
        "refund_id": ID,
        "unspent_nano": BOUGHT,
        "reason": "asked for by the customer",
        "approval_nano": 10**15,
    }
    return Asked(amount_minor=amount_minor, **(given | changes))


def paid() -> Till:
    return Till().see(PAID)


def by_transfer() -> Order:
    begun = placed()
    return folded(
        *begun,
        *settle(
            folded(*begun), payment_ref="B", amount_minor=11_900, currency="EUR", evidence="s", stamp=BY_ANNA
        ),
    )


def test_a_refund_sets_its_credit_aside_and_is_approved() -> None:
    """In one append, with the tax of what goes back; asked again, by its id, nothing more happens."""
    till = paid()
    requested, approved = till.store(request(till.order, asked(), stamp=BY_ANNA))
    assert isinstance(requested, RefundRequested)
    assert (requested.amount_minor, requested.credits_nano) == (3_570, BOUGHT * 30 // 100)
    assert isinstance(approved, RefundApproved)
    assert (approved.tax.net_minor, approved.tax.tax_minor, approved.provider) == (3_000, 570, "stripe")
    assert (till.left_nano, till.wallet.frozen_nano) == (BOUGHT * 70 // 100, BOUGHT * 30 // 100)
    for amount_minor in (3_570, None):
        assert request(till.order, asked(amount_minor), stamp=BY_BERT) == []
    with pytest.raises(AlreadyExists):
        request(till.order, asked(3_571), stamp=BY_ANNA)


def test_all_that_is_unspent_goes_back() -> None:
    """In whole minor units of what it cost; what is less than one stays on the account."""
    till = paid().spend(35 * CREDIT)
    (requested, _) = till.store(request(till.order, asked(None, unspent_nano=till.left_nano), stamp=BY_ANNA))
    assert isinstance(requested, RefundRequested)
    assert requested.amount_minor == 11_900 * 70 // 105
    assert 0 <= till.left_nano < BOUGHT // 11_900 + 1


def test_the_bonus_goes_back_in_proportion() -> None:
    """Half the money takes half the credit, of which part was a gift."""
    till = paid()
    (requested, _) = till.store(request(till.order, asked(5_950), stamp=BY_ANNA))
    assert isinstance(requested, RefundRequested)
    assert requested.credits_nano == BOUGHT // 2


def test_no_more_is_refunded_than_is_left_of_the_payment() -> None:
    """After refunds, ours and others, and disputes that are not won."""
    till = paid().see(refund(amount_minor=1_000), dispute(amount_minor=2_000))
    till.store(request(till.order, asked(3_000, refund_id=OTHER_ID), stamp=BY_ANNA))
    with pytest.raises(RefundTooLarge) as no:
        request(till.order, asked(5_901), stamp=BY_ANNA)
    assert (no.value.required_minor, no.value.left_minor, no.value.currency) == (5_901, 5_900, "EUR")
    assert request(till.order, asked(5_900), stamp=BY_ANNA)
    won = till.see(dispute(status="won", amount_minor=2_000))
    assert request(won.order, asked(7_900), stamp=BY_ANNA)


def test_what_is_spent_is_not_refunded() -> None:
    """The wallet refuses the append, with the numbers; nothing is stored."""
    till = paid().spend(100 * CREDIT)
    with pytest.raises(NotEnoughUnspent) as no:
        till.store(request(till.order, asked(), stamp=BY_ANNA))
    assert (no.value.required_nano, no.value.available_nano) == (BOUGHT * 30 // 100, 5 * CREDIT)


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (asked(0), BadField),
        (asked(-1), BadField),
        (asked(reason=" "), BadField),
        (asked(None, unspent_nano=0), WrongState),
        (asked(None, unspent_nano=1), WrongState),
    ],
)
def test_what_cannot_be_meant_is_refused(wanted: Asked, refusal: type[Exception]) -> None:
    """Nothing is asked for."""
    with pytest.raises(refusal):
        request(paid().order, wanted, stamp=BY_ANNA)


def test_an_order_that_is_not_credited_has_nothing_to_refund() -> None:
    """Nobody has paid for it."""
    with pytest.raises(WrongState):
        request(Till().order, asked(), stamp=BY_ANNA)


def test_much_is_agreed_to_by_a_second_operator() -> None:
    """Who has not asked, and has a name; then the money may go back."""
    till = paid()
    (requested,) = till.store(request(till.order, asked(approval_nano=CREDIT), stamp=BY_ANNA))
    assert isinstance(requested, RefundRequested)
    assert till.order.waits_for_second
    with pytest.raises(SecondOperatorNeeded):
        approve(till.order, ID, by=ANNA, stamp=BY_ANNA)
    with pytest.raises(NotPermitted):
        approve(till.order, ID, by=SYSTEM, stamp=AT)
    with pytest.raises(NotFound):
        approve(till.order, OTHER_ID, by=BERT, stamp=BY_BERT)
    (approved,) = till.store(approve(till.order, ID, by=BERT, stamp=BY_BERT))
    assert isinstance(approved, RefundApproved)
    assert approve(till.order, ID, by=BERT, stamp=BY_BERT) == []
    with pytest.raises(WrongState):
        deny(till.order, ID, reason="x", stamp=BY_ANNA)


def test_from_the_offers_threshold_on_it_is_much() -> None:
    """The same as for a transfer that comes in."""
    till = Till(amount_minor=1_000_000).see(seen(amount_minor=1_190_000))
    assert len(request(till.order, asked(499_999), stamp=BY_ANNA)) == 2
    assert len(request(till.order, asked(500_000), stamp=BY_ANNA)) == 1


def test_a_refund_that_is_denied_gives_its_credit_back() -> None:
    """To the lot that it is of; it cannot be approved any more."""
    till = paid()
    till.store(request(till.order, asked(approval_nano=CREDIT), stamp=BY_ANNA))
    (failed,) = till.store(deny(till.order, ID, reason="no", stamp=BY_BERT))
    assert isinstance(failed, RefundFailed)
    assert (failed.approved, failed.tax.tax_minor) == (False, 0)
    assert (till.left_nano, till.wallet.frozen_nano) == (BOUGHT, 0)
    assert deny(till.order, ID, reason="no", stamp=BY_BERT) == []
    with pytest.raises(WrongState):
        approve(till.order, ID, by=BERT, stamp=BY_BERT)


def test_a_transfer_is_paid_back_when_an_operator_says_so() -> None:
    """With the bank's id of it and where the proof is kept."""
    order = by_transfer()
    with pytest.raises(NotFound):
        confirm(order, ID, refund_ref="R", evidence="p. 3", stamp=BY_ANNA)
    facts = request(order, asked(), stamp=BY_ANNA)
    for fact in facts:
        order = evolve(order, fact)
    submitted, succeeded = confirm(order, ID, refund_ref="R", evidence="p. 3", stamp=BY_BERT)
    assert isinstance(submitted, RefundSubmitted)
    assert submitted.idempotency_key == idempotency_key(ORDER, ID)
    assert isinstance(succeeded, RefundSucceeded)
    assert (succeeded.refund_ref, succeeded.evidence, succeeded.provider) == ("R", "p. 3", "manual")
    assert (succeeded.tax.gross_minor, succeeded.tax.tax_minor) == (3_570, 570)
    for fact in (submitted, succeeded):
        order = evolve(order, fact)
    assert confirm(order, ID, refund_ref="R", evidence="p. 3", stamp=BY_BERT) == []
    with pytest.raises(WrongState):
        confirm(order, ID, refund_ref="S", evidence="p. 3", stamp=BY_BERT)
    (came_back,) = give_up(order, ID, reason="account closed", stamp=BY_BERT)
    assert isinstance(came_back, RefundFailed)
    assert came_back.succeeded is True
    assert give_up(evolve(order, came_back), ID, reason="x", stamp=BY_BERT) == []


def test_what_goes_back_through_a_provider_is_confirmed_by_it_alone() -> None:
    """No operator may say that it was made, or was not."""
    till = paid()
    till.store(request(till.order, asked(), stamp=BY_ANNA))
    with pytest.raises(WrongState):
        confirm(till.order, ID, refund_ref="R", evidence="x", stamp=BY_ANNA)
    with pytest.raises(WrongState):
        give_up(till.order, ID, reason="x", stamp=BY_ANNA)


OURS = refund(refund_id=ID)


def test_a_refund_of_ours_goes_its_way() -> None:
    """Taken up, made, and each word of the provider counts once."""
    till = paid()
    till.store(request(till.order, asked(), stamp=BY_ANNA))
    till.see(refund(refund_id=ID, status="pending"))
    assert till.order.refunds[ID].state == "submitted"
    till.see(OURS, OURS, refund(refund_id=ID, status="pending"))
    assert till.order.refunds[ID].state == "succeeded"
    assert (till.left_nano, till.wallet.frozen_nano, till.wallet.owed_nano) == (BOUGHT * 70 // 100, 0, 0)
    assert sum(isinstance(fact, RefundSucceeded) for fact in till.facts) == 1
    till.see(refund(refund_id=ID, status="failed"), OURS)
    assert till.order.refunds[ID].state == "failed"
    assert till.left_nano == BOUGHT
    assert till.facts[-1].succeeded is True  # type: ignore[union-attr]  # it is the failure


def test_a_refund_that_the_provider_refuses_gives_its_credit_back() -> None:
    """Once; what it has taken up already is what it says later."""
    till = paid()
    till.store(request(till.order, asked(), stamp=BY_ANNA))
    (failed,) = till.store(refused(till.order, ID, reason="charge_disputed", stamp=AT))
    assert isinstance(failed, RefundFailed)
    assert failed.approved
    assert till.left_nano == BOUGHT
    assert refused(till.order, ID, reason="x", stamp=AT) == []


def test_a_refund_that_names_ours_and_is_another_is_for_somebody() -> None:
    """Of another amount, made before it was agreed to, or after it was denied: nothing is concluded from it."""
    till = paid()
    till.store(request(till.order, asked(approval_nano=CREDIT), stamp=BY_ANNA))
    for other in (OURS, refund(refund_id=ID, amount_minor=5)):
        assert refund_trouble(till.order, other)
        till.see(other)
    till.store(deny(till.order, ID, reason="no", stamp=BY_BERT))
    assert refund_trouble(till.order, OURS)
    till.see(OURS)
    assert till.order.refunds[ID].state == "failed"
    assert refund_trouble(till.order, refund()) is None
