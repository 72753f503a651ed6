"""Double entry in money."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money.events import ProviderCostBooked, PspLineRecorded, book_cost, line_stream, recorded
from domain.money.postings import MoneyPosting, ledger_of, load_money_rules, money_postings
from domain.recharge.events import RechargeCredited
from domain.recharge.observing import observe_payment
from domain.recharge.settling import settle
from domain.refusal import AlreadyExists, BadField
from domain.topics import REGISTRY
from tests.domain.recharge.orders import ANNA, AT, folded, placed, seen

RULES = load_money_rules()
LINE: dict[str, Any] = {
    "provider": "stripe",
    "mode": "live",
    "line_ref": "txn_1",
    "kind": "charge",
    "source_ref": "pi_1",
    "currency": "EUR",
    "gross_minor": 11_900,
    "fee_minor": 320,
    "net_minor": 11_580,
    "created_us": 1,
    "now_us": 2,
    "is_told": True,
}


def line(**changes: Any) -> PspLineRecorded:
    return recorded(**(LINE | changes))


def _moved(event: Any) -> list[tuple[str, str, str, int]]:
    return [(one.ledger, one.debit, one.credit, one.amount_minor) for one in money_postings(RULES, event)]


def _credited(*, provider: str = "stripe", country: str | None = "DE") -> RechargeCredited:
    begun = placed(provider=provider, country=country)
    if provider == "manual":
        facts = settle(
            folded(*begun), payment_ref="B", amount_minor=11_900, currency="EUR", evidence="s", stamp=ANNA
        )
    else:
        amount_minor = 11_900 if country else 10_000
        facts = observe_payment(folded(*begun), seen(amount_minor=amount_minor), stamp=AT)
    (credited,) = [fact for fact in facts if isinstance(fact, RechargeCredited)]
    return credited


def test_a_credited_order_is_owed_in_service_and_tax() -> None:
    """What the provider has for us is what we owe: the tax to its country, the rest to the customer until it is used."""
    assert _moved(_credited()) == [
        ("EUR", "psp:stripe", "deferred_revenue", 10_000),
        ("EUR", "psp:stripe", "tax:DE:190000", 1_900),
    ]
    assert _moved(_credited(country=None)) == [("EUR", "psp:stripe", "deferred_revenue", 10_000)]


def test_a_transfer_is_in_the_bank() -> None:
    """No provider has it."""
    assert {debit for _, debit, _, _ in _moved(_credited(provider="manual"))} == {"bank"}


def test_a_line_of_an_orders_payment_books_its_fee_alone() -> None:
    """The order has booked the rest."""
    assert _moved(line()) == [("EUR", "fees:stripe", "psp:stripe", 320)]


def test_a_line_that_no_order_tells_of_waits_for_somebody() -> None:
    """A payment of another shop on the account, a refund, an adjustment; what left moves the other way."""
    assert _moved(line(is_told=False))[1:] == [("EUR", "psp:stripe", "unmatched:stripe", 11_900)]
    refund = line(is_told=False, kind="refund", gross_minor=-500, fee_minor=0, net_minor=-500)
    assert _moved(refund) == [("EUR", "unmatched:stripe", "psp:stripe", 500)]


def test_a_payout_goes_to_the_bank_and_one_that_fails_comes_back() -> None:
    """With its fee, if it has one."""
    payout = line(kind="payout", gross_minor=-9_000, fee_minor=25, net_minor=-9_025)
    assert _moved(payout) == [("EUR", "fees:stripe", "psp:stripe", 25), ("EUR", "bank", "psp:stripe", 9_000)]
    failed = line(kind="payout_failure", gross_minor=9_000, fee_minor=0, net_minor=9_000)
    assert _moved(failed) == [("EUR", "psp:stripe", "bank", 9_000)]


def test_currencies_and_modes_never_meet() -> None:
    """Each has books of its own."""
    assert [ledger_of("EUR", "live"), ledger_of("EUR", "test")] == ["EUR", "EUR test"]
    assert _moved(line(mode="test"))[0][0] == "EUR test"
    assert line_stream("stripe", "test", "txn_1") != line_stream("stripe", "live", "txn_1")


def test_a_line_that_does_not_add_up_is_damage() -> None:
    """Nothing is concluded from it."""
    with pytest.raises(ValueError, match="add up"):
        line(net_minor=11_900)


def test_every_rule_is_of_a_topic_and_names_accounts_that_there_are() -> None:
    """And other facts move no money."""
    assert set(RULES.rules) <= set(REGISTRY.topics())
    for entries in RULES.rules.values():
        assert all({entry.debit, entry.credit} <= set(RULES.accounts) for entry in entries)
    assert list(money_postings(RULES, placed()[0])) == []


KINDS = ("charge", "payment", "payout", "payout_failure", "refund", "adjustment", "stripe_fee")


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(-(10**9), 10**9), st.integers(0, 10**6), st.booleans()),
        max_size=30,
    )
)
def test_the_clearing_account_is_what_the_providers_lines_add_up_to(
    lines: list[tuple[str, int, int, bool]],
) -> None:
    """P29: whatever the lines, with the orders that their payments paid for; and every ledger adds up to zero (P01)."""
    balances: Counter[str] = Counter()
    net_minor = 0
    for kind, gross_minor, fee_minor, paid in lines:
        is_told = paid and kind in {"charge", "payment"}
        one = line(
            kind=kind,
            gross_minor=gross_minor,
            fee_minor=fee_minor,
            net_minor=gross_minor - fee_minor,
            is_told=is_told,
        )
        postings = list(money_postings(RULES, one))
        if is_told:  # as its order books it
            postings.append(MoneyPosting("EUR", "psp:stripe", "deferred_revenue", gross_minor))
        for posting in postings:
            balances[posting.debit] -= posting.amount_minor
            balances[posting.credit] += posting.amount_minor
        net_minor += gross_minor - fee_minor
    assert -balances["psp:stripe"] == net_minor
    assert balances.total() == 0


def _cost(booked: ProviderCostBooked | None = None, **changes: Any) -> list[ProviderCostBooked]:
    given = {
        "provider": "openai",
        "period": "2026-11",
        "invoice_ref": "A-1",
        "amount_minor": 50_000,
        "currency": "USD",
        "stamp": ANNA,
    }
    return book_cost(booked, **(given | changes))


def test_a_bill_is_booked_once() -> None:
    """By its number: the same again does nothing, another sum under it is refused."""
    (booked,) = _cost()
    assert _moved(booked) == [("USD", "provider_cost:openai", "payable:openai", 50_000)]
    assert _cost(booked, stamp=AT) == []
    with pytest.raises(AlreadyExists):
        _cost(booked, amount_minor=1)
    (back,) = _cost(invoice_ref="A-2", amount_minor=-70)
    assert _moved(back) == [("USD", "payable:openai", "provider_cost:openai", 70)]


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "Open AI"},
        {"period": "November"},
        {"invoice_ref": " "},
        {"amount_minor": 0},
        {"amount_minor": 10**14},
        {"currency": "usd"},
    ],
)
def test_a_bill_that_cannot_be_meant_is_refused(change: dict[str, Any]) -> None:
    """Nothing is booked."""
    with pytest.raises(BadField):
        _cost(**change)
