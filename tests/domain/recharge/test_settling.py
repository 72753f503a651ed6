"""Bank transfers."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.fact import Stamp
from domain.recharge.events import (
    OrderEvent,
    PaymentCaptured,
    RechargeCredited,
    SettlementDenied,
    SettlementProposed,
)
from domain.recharge.order import Order
from domain.recharge.placing import cancel
from domain.recharge.settling import SettlementMismatch, approve, deny, settle
from domain.refusal import BadField, SecondOperatorNeeded, WrongState
from tests.domain.recharge.orders import ANNA, AT, BERT, folded, placed

LARGE = 600_000


def _settle(order: Order, stamp: Stamp = ANNA, **changes: Any) -> list[OrderEvent]:
    given = {
        "payment_ref": "B-77",
        "amount_minor": order.placed.amount_minor,
        "currency": "EUR",
        "evidence": "statement 118, line 4",
    }
    return settle(order, stamp=stamp, **(given | changes))


def test_a_transfer_that_matches_credits_the_order() -> None:
    """With the operator and where the proof is kept."""
    captured, credited = _settle(folded(*placed()))
    assert isinstance(captured, PaymentCaptured)
    assert (captured.actor, captured.evidence, captured.method, captured.fee_minor) == (
        "operator:anna",
        "statement 118, line 4",
        "bank_transfer",
        0,
    )
    assert isinstance(credited, RechargeCredited)


def test_confirming_again_does_nothing_and_another_transfer_is_refused() -> None:
    """An order is paid once."""
    order = folded(*placed(), *_settle(folded(*placed())))
    assert _settle(order) == []
    with pytest.raises(WrongState):
        _settle(order, payment_ref="B-78")


@pytest.mark.parametrize("change", [{"amount_minor": 11_899}, {"amount_minor": -11_900}, {"currency": "USD"}])
def test_another_sum_is_refused(change: dict[str, Any]) -> None:
    """The refusal says what the order is for."""
    with pytest.raises(SettlementMismatch) as refused:
        _settle(folded(*placed()), **change)
    assert (refused.value.expected_minor, refused.value.currency) == (11_900, "EUR")


@pytest.mark.parametrize("change", [{"payment_ref": " "}, {"evidence": ""}, {"evidence": "a\x00b"}])
def test_a_transfer_needs_an_id_and_a_proof(change: dict[str, Any]) -> None:
    """Without them nobody can check it later."""
    with pytest.raises(BadField):
        _settle(folded(*placed()), **change)


def test_a_large_transfer_needs_a_second_operator() -> None:
    """From the threshold on; the first one is refused, the second credits what the first has seen."""
    begun = placed(amount_minor=LARGE)
    (proposed,) = _settle(folded(*begun))
    assert isinstance(proposed, SettlementProposed)
    waiting = folded(*begun, proposed)
    assert waiting.credited is None
    assert _settle(waiting) == []
    with pytest.raises(WrongState):
        _settle(waiting, payment_ref="B-78")
    with pytest.raises(SecondOperatorNeeded):
        approve(waiting, stamp=ANNA)
    captured, credited = approve(waiting, stamp=BERT)
    assert isinstance(captured, PaymentCaptured)
    assert (captured.payment_ref, captured.actor) == ("B-77", "operator:bert")
    done = folded(*begun, proposed, captured, credited)
    assert (done.status, done.proposal) == ("credited", None)
    assert approve(done, stamp=BERT) == []


def test_the_threshold_is_the_orders_own() -> None:
    """Exactly at it, a second operator is needed; without one, never."""
    begun = placed()
    at = replace(begun[0], approval_minor=11_900)
    assert [type(event) for event in _settle(folded(at))] == [SettlementProposed]
    for none_needed in (replace(begun[0], approval_minor=11_901), replace(begun[0], approval_minor=None)):
        assert len(_settle(folded(none_needed))) == 2


def test_a_denied_transfer_leaves_the_order_waiting() -> None:
    """Whoever may propose may take it back; then another one may be proposed."""
    begun = placed(amount_minor=LARGE)
    proposed = _settle(folded(*begun))
    (denied,) = deny(folded(*begun, *proposed), reason="other customer", stamp=ANNA)
    assert isinstance(denied, SettlementDenied)
    after = folded(*begun, *proposed, denied)
    assert (after.status, after.proposal) == ("placed", None)
    assert len(_settle(after, payment_ref="B-78")) == 1
    with pytest.raises(WrongState):
        approve(after, stamp=BERT)
    with pytest.raises(WrongState):
        deny(after, reason="again", stamp=BERT)


def test_a_late_transfer_is_credited() -> None:
    """The money is there, though nobody waited for it any more."""
    begun = placed()
    ended = cancel(folded(*begun), reason="no money", stamp=AT)
    assert len(_settle(folded(*begun, *ended))) == 2


def test_what_is_paid_at_a_provider_is_not_settled_by_hand() -> None:
    """Its money comes from the provider, which says so itself."""
    order = folded(*placed(provider="stripe"))
    for decide in (
        _settle,
        lambda one: approve(one, stamp=BERT),
        lambda one: deny(one, reason="x", stamp=BERT),
    ):
        with pytest.raises(WrongState):
            decide(order)
