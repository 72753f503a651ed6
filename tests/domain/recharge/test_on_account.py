"""Orders that are credited before they are paid."""

from typing import Any
from uuid import UUID

import pytest

from domain.fact import SYSTEM
from domain.recharge.events import (
    OrderEvent,
    PaymentCaptured,
    RechargeCredited,
    RechargeOrderPlaced,
    RefundApproved,
    RefundRequested,
    RefundSucceeded,
    SettlementProposed,
)
from domain.recharge.on_account import buy_on_account
from domain.recharge.order import Order
from domain.recharge.placing import cancel, expire
from domain.recharge.refunding import Asked, RefundTooLarge, approve, confirm, give_up, request
from domain.recharge.settling import SettlementMismatch, settle
from domain.recharge.settling import approve as approve_settlement
from domain.refusal import WrongState
from tests.domain.postpaid.accounts import ANNA, BERT, DUE_US, at, ordered
from tests.domain.recharge.orders import ACCOUNT, OFFERS, ORDER, folded

ID = UUID(int=81)
LARGE = 500_000


def _settle(order: Order, **changes: Any) -> list[OrderEvent]:
    given = {"payment_ref": "B-77", "amount_minor": order.owed_minor, "currency": "EUR", "evidence": "line 4"}
    return settle(order, stamp=at(), **(given | changes))


def _back(order: Order, amount_minor: int | None, **changes: Any) -> list[OrderEvent]:
    given: dict[str, Any] = {
        "refund_id": ID,
        "unspent_nano": order.placed.credits_nano,
        "reason": "not paid",
        "approval_nano": 10**15,
    }
    return request(order, Asked(amount_minor=amount_minor, **(given | changes)), stamp=at())


def test_it_is_credited_when_it_is_placed() -> None:
    """And owed until it is paid; placed again it is the same."""
    placed, credited = ordered()
    assert isinstance(placed, RechargeOrderPlaced)
    assert isinstance(credited, RechargeCredited)
    order = folded(placed, credited)
    assert (order.status, order.owed_minor, placed.expires_us) == ("credited", 11_900, DUE_US)
    assert (credited.provider, credited.payment_ref) == ("invoice", placed.reference)
    again = buy_on_account(
        order,
        OFFERS,
        order_id=ORDER,
        account_id=ACCOUNT,
        currency="EUR",
        amount_minor=10_000,
        country="DE",
        due_us=1,
        stamp=at(),
    )
    assert again == []


def test_its_transfer_pays_all_of_it_once() -> None:
    """Nothing is credited a second time; the same transfer again does nothing, and another is refused."""
    order = folded(*ordered())
    (captured,) = _settle(order)
    assert isinstance(captured, PaymentCaptured)
    paid = folded(*ordered(), captured)
    assert (paid.owed_minor, paid.paid, paid.status) == (0, captured, "credited")
    assert _settle(paid) == []
    with pytest.raises(WrongState):
        _settle(paid, payment_ref="B-78")


@pytest.mark.parametrize("change", [{"amount_minor": 11_899}, {"amount_minor": 11_901}, {"currency": "USD"}])
def test_a_part_of_it_or_more_than_it_is_refused(change: dict[str, Any]) -> None:
    """The refusal says what is owed."""
    with pytest.raises(SettlementMismatch) as refused:
        _settle(folded(*ordered()), **change)
    assert refused.value.expected_minor == 11_900


def test_a_large_transfer_for_it_needs_a_second_operator() -> None:
    """What is owed by then is what counts: it may have been taken back meanwhile."""
    begun = ordered(amount_minor=LARGE)
    (proposed,) = _settle(folded(*begun))
    assert isinstance(proposed, SettlementProposed)
    waiting = folded(*begun, proposed)
    (captured,) = approve_settlement(waiting, stamp=at(BERT))
    assert folded(*begun, proposed, captured).owed_minor == 0
    assert approve_settlement(folded(*begun, proposed, captured), stamp=at(BERT)) == []
    less = folded(*begun, proposed, *_back(waiting, 1_190))
    with pytest.raises(SettlementMismatch):
        approve_settlement(less, stamp=at(BERT))


def test_taking_back_what_is_unspent_lowers_what_is_owed() -> None:
    """In one append, with its tax, so a credit note is due; no money moves."""
    order = folded(*ordered())
    events = _back(order, 3_570)
    requested, approved, done = events
    assert isinstance(requested, RefundRequested)
    assert isinstance(approved, RefundApproved)
    assert isinstance(done, RefundSucceeded)
    assert (done.set_off, done.tax.tax_minor, done.amount_minor) == (True, 570, 3_570)
    less = folded(*ordered(), *events)
    assert (less.owed_minor, less.status) == (8_330, "partly_refunded")
    with pytest.raises(WrongState):
        give_up(less, ID, reason="x", stamp=at())
    with pytest.raises(RefundTooLarge):
        _back(less, 8_331, refund_id=UUID(int=82))
    (captured,) = _settle(less)
    assert isinstance(captured, PaymentCaptured)
    assert captured.gross_minor == 8_330


def test_when_all_of_it_is_taken_back_nothing_is_to_be_paid() -> None:
    """A transfer that comes nevertheless is none of this order."""
    begun = ordered()
    gone = folded(*begun, *_back(folded(*begun), None))
    assert (gone.owed_minor, gone.status) == (0, "refunded")
    with pytest.raises(WrongState):
        _settle(gone, amount_minor=11_900)


def test_once_it_is_paid_a_refund_is_a_transfer_back() -> None:
    """As of any order that is paid by transfer, also when it was asked for before."""
    begun = ordered()
    asked = _back(folded(*begun), 3_570, approval_nano=0)
    assert [type(one) for one in asked] == [RefundRequested]
    paid = [*begun, *asked, *_settle(folded(*begun, *asked))]
    assert folded(*paid).owed_minor == 0
    (approved,) = approve(folded(*paid), ID, by=BERT, stamp=at(BERT))
    order = folded(*paid, approved)
    *_, done = confirm(order, ID, refund_ref="R-1", evidence="line 9", stamp=at())
    assert isinstance(done, RefundSucceeded)
    assert done.set_off is not True


def test_a_second_operator_takes_back_much_of_it() -> None:
    """As with any refund; it is set off at once when they agree."""
    begun = ordered()
    asked = _back(folded(*begun), 3_570, approval_nano=0)
    approved, done = approve(folded(*begun, *asked), ID, by=BERT, stamp=at(BERT))
    assert isinstance(done, RefundSucceeded)
    assert folded(*begun, *asked, approved, done).owed_minor == 8_330


def test_it_neither_expires_nor_is_cancelled() -> None:
    """It is credited: what is overdue is owed."""
    order = folded(*ordered())
    assert expire(order, stamp=at(SYSTEM, DUE_US + 1)) == []
    with pytest.raises(WrongState):
        cancel(order, reason="x", stamp=at(ANNA))
