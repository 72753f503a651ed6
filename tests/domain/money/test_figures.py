"""The two sides of a month's figures."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from domain.event import Event
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.money.figures import CREDIT, booked, told
from domain.money.postings import MoneyRules, load_money_rules
from domain.recharge.events import RefundApproved, RefundFailed, RefundSucceeded
from tests.domain.money.test_postings import line
from tests.domain.recharge.orders import ORDER
from tests.histories import sample

RULES = load_money_rules()


def differences(events: Sequence[Event], rules: MoneyRules = RULES) -> dict[tuple[str, str], int]:
    """What is booked and not told, or told and not booked, of money."""
    sums: Counter[tuple[str, str]] = Counter()
    for event in events:
        for sign, figures in ((1, booked(rules, event)), (-1, told(event))):
            for one in figures:
                if one.ledger != CREDIT:
                    sums[one.ledger, one.name] += sign * one.amount
    return {key: amount for key, amount in sums.items() if amount}


def back(provider: str) -> list[Event]:
    """A refund that was made and came back, with the lines of a provider that has such."""
    through = {"provider": provider, "mode": "live"}
    facts = [
        sample(RefundApproved, **through),
        sample(RefundSucceeded, **through),
        sample(RefundFailed, approved=True, succeeded=True, **through),
    ]
    if provider != "manual":
        gone = {"kind": "refund", "object_ref": "re_1", "fee_minor": 0}
        facts += [
            line(line_ref="1", gross_minor=-11_900, net_minor=-11_900, **gone),
            line(line_ref="2", gross_minor=11_900, net_minor=11_900, **gone | {"kind": "refund_failure"}),
        ]
    return facts


@pytest.mark.parametrize("provider", ["stripe", "manual"])
def test_a_refund_that_comes_back_agrees_but_for_its_credit_note(provider: str) -> None:
    """The note is one too many, which somebody has to mend; each posting that is missing or doubled shows."""
    assert differences(back(provider)) == {}
    note = sample(CreditNoteIssued, order_id=ORDER, net_minor=10_000, tax_minor=1_900)
    assert isinstance(note, CreditNoteIssued)
    assert differences([*back(provider), note]) == {
        ("EUR", "deferred"): note.net_minor,
        ("EUR", "tax"): note.tax_minor,
    }
    entries = RULES.rules[RefundFailed.TOPIC]
    when = {"stripe": "back_at_psp", "manual": "back_at_bank"}[provider]
    for number, entry in enumerate(entries):
        if entry.when in {when, "approved"}:
            for changed in ([*entries[:number], *entries[number + 1 :]], [*entries, entry]):
                faulty = msgspec.structs.replace(RULES, rules=RULES.rules | {RefundFailed.TOPIC: changed})
                assert differences(back(provider), faulty)


def test_what_is_invoiced_beside_orders_is_no_credit() -> None:
    """It is in no books of money here."""
    assert differences([sample(InvoiceIssued, order_id=None), sample(CreditNoteIssued, order_id=None)]) == {}


def test_a_payment_that_no_order_tells_of_is_unmatched_on_both_sides() -> None:
    """And what is left for the bank has no order either."""
    lines = [
        line(is_told=False),
        line(line_ref="2", kind="payout", gross_minor=-9, fee_minor=0, net_minor=-9),
    ]
    assert differences(lines) == {}
    names = {one.name for event in lines for one in told(event)}
    assert names == {"fees", "unmatched", "paid_out"}
