"""What is bought on account in the books of money, and the other side of a month."""

from collections.abc import Sequence

from domain.event import Event
from domain.money.postings import load_money_rules
from domain.postpaid import owing
from domain.recharge.events import OrderEvent, PaymentCaptured
from domain.recharge.order import Order
from domain.recharge.refunding import Asked, confirm, request
from domain.recharge.settling import settle
from tests.domain.money.test_figures import differences
from tests.domain.money.test_returns import books
from tests.domain.postpaid.accounts import SPEC, agreed, at, bought, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, folded
from tests.domain.recharge.test_on_account import ID

RULES = load_money_rules()
WHOLE = {"deferred_revenue": -10_000, "tax:DE:190000": -1_900}


def paid(order: Order) -> list[OrderEvent]:
    return settle(
        order,
        payment_ref="B-77",
        amount_minor=order.owed_minor,
        currency="EUR",
        evidence="line 4",
        stamp=at(),
    )


def back(order: Order) -> list[OrderEvent]:
    asked = Asked(
        refund_id=ID,
        amount_minor=3_570,
        unspent_nano=order.placed.credits_nano,
        reason="x",
        approval_nano=10**15,
    )
    return request(order, asked, stamp=at())


def test_it_is_receivable_until_it_is_paid() -> None:
    """Tax and service are owed at once; the bank has it later."""
    begun = ordered()
    assert books(begun) == {"customer_receivable": 11_900, **WHOLE}
    assert books([*begun, *paid(folded(*begun))]) == {"bank": 11_900, **WHOLE}


def test_what_is_taken_back_is_receivable_no_more() -> None:
    """Paid, the rest is all that comes."""
    begun = ordered()
    less = [*begun, *back(folded(*begun))]
    rest = {"deferred_revenue": -7_000, "tax:DE:190000": -1_330}
    assert books(less) == {"customer_receivable": 8_330, **rest}
    assert books([*less, *paid(folded(*less))]) == {"bank": 8_330, **rest}


def test_a_refund_after_it_is_paid_leaves_the_bank() -> None:
    """Nothing is receivable twice."""
    facts = ordered()
    facts += paid(folded(*facts))
    facts += back(folded(*facts))
    assert books(facts)["refund_payable"] == -3_570
    facts += confirm(folded(*facts), ID, refund_ref="R-1", evidence="line 9", stamp=at())
    assert books(facts) == {"bank": 8_330, "deferred_revenue": -7_000, "tax:DE:190000": -1_330}


def _undocumented(events: Sequence[Event]) -> dict[tuple[str, str], int]:
    """Differences but for those that documents explain, of which there are none here."""
    return {key: amount for key, amount in differences(events).items() if key[1] not in {"deferred", "tax"}}


def test_limits_and_postings_tell_the_same_of_what_is_owed() -> None:
    """What the books have as receivable is what the accounts' own streams count, and each that is missing shows."""
    begun = ordered()
    less = back(folded(*begun))
    rest = paid(folded(*begun, *less))
    counted = bought(SPEC.fold(*agreed()))
    counted += owing.reduce(
        SPEC.fold(*agreed(), *counted),
        ORDER,
        account_id=ACCOUNT,
        refund_id=ID,
        amount_minor=3_570,
        stamp=at(),
    )
    counted += owing.pay(
        SPEC.fold(*agreed(), *counted), ORDER, account_id=ACCOUNT, amount_minor=8_330, stamp=at()
    )
    facts: list[Event] = [*begun, *less, *rest]
    assert _undocumented([*facts, *counted]) == {}
    missing = [one for one in facts if not isinstance(one, PaymentCaptured)]
    assert _undocumented([*missing, *counted]) == {("EUR", "receivable"): 8_330}
    assert _undocumented([*begun, *counted]) == {("EUR", "receivable"): 11_900}
