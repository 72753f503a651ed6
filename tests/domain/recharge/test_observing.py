"""What providers say, in every order and number."""

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.recharge.events import OrderEvent, PaymentCaptured, PaymentMismatched, RechargeCredited
from domain.recharge.observing import ObservedPayment, ObservedSession, observe_payment, observe_session
from domain.recharge.order import Order, evolve, lot_of
from domain.recharge.placing import cancel, expire, open_session
from tests.domain.recharge.orders import ACCOUNT, AT, NOW_US, ORDER, OTHER, folded, new_order, placed, seen
from tests.domain.recharge.test_placing import LATE

SESSION = ObservedSession(
    provider="stripe", mode="live", order_id=ORDER, session_ref="cs_1", status="expired"
)


def opened() -> list[OrderEvent]:
    begun = placed(provider="stripe")
    return [
        *begun,
        *open_session(
            folded(*begun), session_ref="cs_1", idempotency_key="k", expires_us=NOW_US + 9, stamp=AT
        ),
    ]


def observed(
    order: Order, *observations: ObservedPayment | ObservedSession
) -> tuple[Order, list[OrderEvent]]:
    """The order after some observations, and the facts that came of them."""
    facts: list[OrderEvent] = []
    for one in observations:
        new = (
            observe_payment(order, one, stamp=AT)
            if isinstance(one, ObservedPayment)
            else observe_session(order, one, stamp=AT)
        )
        for fact in new:
            order = evolve(order, fact)
        facts += new
    return order, facts


def test_a_captured_payment_that_matches_credits_the_order() -> None:
    """Both facts come together, and name the lot that the order buys."""
    order, facts = observed(folded(*opened()), seen())
    assert [type(fact) for fact in facts] == [PaymentCaptured, RechargeCredited]
    assert order.status == "credited"
    assert order.credited is not None
    assert (order.credited.lot_id, order.credited.account_id) == (lot_of(ORDER), ACCOUNT)
    assert (order.credited.credits_nano, order.credited.gross_minor) == (105_000_000_000, 11_900)


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_nothing_else_credits(status: str) -> None:
    """Money that is on its way is not there."""
    order, facts = observed(folded(*opened()), seen(status=status))
    assert order.credited is None
    assert len(facts) == 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"provider": "alipay"}, ("provider",)),
        ({"mode": "test"}, ("mode",)),
        ({"account_id": OTHER}, ("account",)),
        ({"currency": "USD"}, ("currency",)),
        ({"currency": "eur"}, ("currency",)),
        ({"amount_minor": 11_899}, ("amount",)),
        ({"amount_minor": 11_901}, ("amount",)),
        ({"amount_minor": -11_900}, ("amount",)),
        ({"amount_minor": 0}, ("amount",)),
        ({"amount_minor": 10_000}, ("amount",)),
        ({"amount_minor": 119, "currency": "JPY", "mode": "test"}, ("mode", "currency", "amount")),
    ],
)
def test_a_payment_that_does_not_match_in_every_part_credits_nothing(
    changes: dict[str, Any], what: tuple[str, ...]
) -> None:
    """It is noted once, with what is wrong; before there is money there is nothing to note."""
    order, facts = observed(folded(*opened()), seen(**changes), seen(**changes))
    assert order.credited is None
    (fact,) = facts
    assert isinstance(fact, PaymentMismatched)
    assert fact.what == what
    for status in ("processing", "failed"):
        assert observed(folded(*opened()), seen(**changes, status=status))[1] == []


def test_a_provider_that_keeps_no_account_may_leave_it_out() -> None:
    """The order's own account is credited."""
    assert observed(folded(*opened()), seen(account_id=None))[0].credited is not None


def test_a_second_payment_credits_nothing_more() -> None:
    """Somebody paid twice: it is noted for somebody to look at."""
    order, facts = observed(folded(*opened()), seen(), seen(payment_ref="pi_2"))
    assert [type(fact) for fact in facts] == [PaymentCaptured, RechargeCredited, PaymentMismatched]
    assert order.payments == {"pi_1": "captured", "pi_2": "mismatched"}


def test_a_payment_after_the_end_is_credited_all_the_same() -> None:
    """The customer has paid, whatever we thought of the order."""
    begun = opened()
    for end in (cancel(folded(*begun), reason="x", stamp=AT), expire(folded(*begun), stamp=LATE)):
        order, _ = observed(folded(*begun, *end), seen())
        assert order.status == "credited"


def test_failed_then_paid_is_paid() -> None:
    """The same payment may fail and be tried again by the customer; a late word of the failure changes nothing."""
    order, _ = observed(
        folded(*opened()), seen(status="failed"), seen(status="processing"), seen(), seen(status="failed")
    )
    assert order.status == "credited"


def test_a_page_that_is_gone_leaves_the_order_waiting() -> None:
    """And one that is not of this order, provider or mode is passed over."""
    order, facts = observed(folded(*opened()), SESSION, SESSION)
    assert (order.status, len(facts)) == ("placed", 1)
    for change in ({"session_ref": "cs_2"}, {"mode": "test"}, {"provider": "alipay"}, {"status": "open"}):
        other = ObservedSession(
            **{name: getattr(SESSION, name) for name in SESSION.__struct_fields__} | change
        )
        assert observed(folded(*opened()), other)[1] == []


def test_an_observation_of_another_order_is_a_mistake_of_ours() -> None:
    """The caller finds the order by it."""
    with pytest.raises(AssertionError):
        observe_payment(new_order(), seen(order_id=UUID(int=1)), stamp=AT)


#: All that a provider may say about one order: one attempt that fails, one that takes its time and is captured, the page.
SAID = (
    seen(status="processing", payment_ref="pi_0"),
    seen(status="failed", payment_ref="pi_0"),
    seen(status="processing"),
    seen(status="failed"),
    seen(),
    SESSION,
    seen(amount_minor=5, payment_ref="pi_9"),
)


def _outcome(order: Order) -> tuple[object, ...]:
    return order.status, order.payments, order.captured_minor, order.sessions, order.credited is not None


def test_every_order_of_what_is_said_leads_to_one_state() -> None:
    """P17: all 5,040 orders of seven observations; and there is one credit (P16)."""
    expected = None
    for order_of in permutations(SAID):
        order, facts = observed(folded(*opened()), *order_of)
        assert sum(isinstance(fact, RechargeCredited) for fact in facts) == 1
        expected = expected or _outcome(order)
        assert _outcome(order) == expected


@settings(max_examples=400)
@given(st.data())
def test_whatever_is_lost_repeated_or_late_converges(data: st.DataObject) -> None:
    """P17: any subset of it with repetitions in any order, then all of it in any order, is as all of it once."""
    first = data.draw(st.lists(st.sampled_from(SAID), max_size=14))
    then = data.draw(st.permutations(SAID))
    order, facts = observed(folded(*opened()), *first, *then)
    assert _outcome(order) == _outcome(observed(folded(*opened()), *SAID)[0])
    assert sum(isinstance(fact, RechargeCredited) for fact in facts) == 1


@settings(max_examples=200)
@given(st.lists(st.sampled_from(SAID), max_size=10))
def test_a_state_depends_on_what_was_said_and_not_on_when(
    said: list[ObservedPayment | ObservedSession],
) -> None:
    """P17 for subsets: the same observations once each, in the order of the list or backwards, end the same."""
    once = list(dict.fromkeys(said))
    forward, _ = observed(folded(*opened()), *said)
    backward, _ = observed(folded(*opened()), *reversed(once))
    assert _outcome(forward) == _outcome(backward)
