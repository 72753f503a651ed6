"""Refunds and disputes in the books of money."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.money.events import recorded
from domain.money.postings import load_money_rules, money_postings
from domain.recharge.events import OrderEvent
from domain.recharge.observing import Movement, Observation
from domain.recharge.order import evolve
from domain.recharge.refunding import confirm, give_up, refused, request
from tests.domain.money.test_postings import LINE
from tests.domain.recharge.returns import PAID, Till, dispute, refund
from tests.domain.recharge.test_refunding import BY_ANNA, ID, asked, by_transfer

RULES = load_money_rules()
TOOK = Movement(transaction_ref="txn_1", amount_minor=-5_950, fee_minor=1_500, currency="EUR")
GAVE = Movement(transaction_ref="txn_2", amount_minor=5_950, fee_minor=0, currency="EUR")


def books(facts: list[OrderEvent]) -> dict[str, int]:
    """What each account of euros stands at; debit positive, zeros left out."""
    balances: Counter[str] = Counter()
    for fact in facts:
        for one in money_postings(RULES, fact):
            assert one.ledger == "EUR"
            balances[one.debit] += one.amount_minor
            balances[one.credit] -= one.amount_minor
    assert balances.total() == 0
    return {name: minor for name, minor in balances.items() if minor}


WHOLE = {"psp:stripe": 11_900, "deferred_revenue": -10_000, "tax:DE:190000": -1_900}


def test_an_approved_refund_is_payable_until_it_is_made() -> None:
    """Service and tax are owed no more; then the provider has less."""
    till = Till().see(PAID)
    till.store(request(till.order, asked(), stamp=BY_ANNA))
    owed = {"deferred_revenue": -7_000, "tax:DE:190000": -1_330}
    assert books(till.facts) == {"psp:stripe": 11_900, "refund_payable": -3_570, **owed}
    till.see(refund(refund_id=ID))
    assert books(till.facts) == {"psp:stripe": 8_330, **owed}
    till.see(refund(refund_id=ID, status="failed"))
    assert books(till.facts) == WHOLE


def test_a_refund_that_came_to_nothing_leaves_nothing() -> None:
    """Denied, or refused by the provider."""
    for approval_nano in (0, 10**15):
        till = Till().see(PAID)
        till.store(request(till.order, asked(approval_nano=approval_nano), stamp=BY_ANNA))
        till.see(refund(refund_id=ID, status="failed"))
        till.store(refused(till.order, ID, reason="x", stamp=BY_ANNA))
        if approval_nano:
            assert books(till.facts) == WHOLE


def test_a_transfer_back_leaves_the_bank_and_may_return_to_it() -> None:
    """No provider has anything to do with it."""
    order = by_transfer()
    facts: list[OrderEvent] = []
    steps: tuple[Any, ...] = (
        lambda: request(order, asked(), stamp=BY_ANNA),
        lambda: confirm(order, ID, refund_ref="R", evidence="x", stamp=BY_ANNA),
        lambda: give_up(order, ID, reason="x", stamp=BY_ANNA),
    )
    stood = []
    for step in steps:
        new = step()
        for fact in new:
            order = evolve(order, fact)
        facts += new
        stood.append(books(facts).get("bank", 0))
    assert stood == [0, -3_570, 0]


def test_a_dispute_is_receivable_until_its_end() -> None:
    """What the bank took comes back when it is won; lost, service and tax are owed no more."""
    began = Till().see(PAID, dispute(movements=(TOOK,)))
    assert books(began.facts) == {**WHOLE, "psp:stripe": 5_950, "dispute_receivable:stripe": 5_950}
    won = Till().see(PAID, dispute(movements=(TOOK,)), dispute(status="won", movements=(TOOK, GAVE)))
    assert books(won.facts) == WHOLE
    lost = Till().see(PAID, dispute(status="lost", movements=(TOOK,)))
    assert books(lost.facts) == {
        "psp:stripe": 5_950,
        "deferred_revenue": -5_000,
        "tax:DE:190000": -950,
    }


#: What is seen, with the line of the provider's list that it makes.
SEEN: tuple[tuple[Observation, dict[str, Any]], ...] = (
    (PAID, {"gross_minor": 11_900, "fee_minor": 320, "line_ref": "t_0"}),
    (
        refund(),
        {"kind": "refund", "gross_minor": -3_570, "fee_minor": 0, "line_ref": "t_1", "object_ref": "re_1"},
    ),
    (
        refund(status="failed"),
        {
            "kind": "refund_failure",
            "gross_minor": 3_570,
            "fee_minor": 0,
            "line_ref": "t_2",
            "object_ref": "re_1",
        },
    ),
    (
        dispute(movements=(TOOK,)),
        {"kind": "adjustment", "gross_minor": -5_950, "fee_minor": 1_500, "line_ref": "txn_1"},
    ),
    (
        dispute(status="won", movements=(TOOK, GAVE)),
        {"kind": "adjustment", "gross_minor": 5_950, "fee_minor": 0, "line_ref": "txn_2"},
    ),
)


@settings(deadline=None)
@given(st.integers(0, len(SEEN)), st.lists(st.integers(0, len(SEEN) - 1), max_size=4))
def test_the_clearing_account_is_what_the_lines_add_up_to(seen: int, again: list[int]) -> None:
    """P29, with refunds and disputes: however far it has come, and whatever is seen twice."""
    till = Till()
    for number in (*range(seen), *(number for number in again if number < seen)):
        till.see(SEEN[number][0])
    facts: list[Any] = list(till.facts)
    net_minor = 0
    for _, changes in SEEN[:seen]:
        line = LINE | changes
        told = line["kind"] == "charge" or till.order.tells_of(
            object_ref=line.get("object_ref", ""), line_ref=line["line_ref"]
        )
        assert told
        line |= {"net_minor": line["gross_minor"] - line["fee_minor"], "is_told": told}
        net_minor += line["net_minor"]
        facts.append(recorded(**line))
    assert books(facts).get("psp:stripe", 0) == net_minor
