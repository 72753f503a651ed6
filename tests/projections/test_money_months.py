"""A month of money: what is booked, documents, statements and the provider's own list agree, and a fault anywhere shows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from application.invoicing.queries import DocumentFilter
from application.money.month import SOURCES, MonthComparison, compare
from application.reports.period import month as month_of
from domain.event import Event
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued, InvoiceReinstated
from domain.money.events import PspLinePaidOut, PspLineRecorded
from domain.money.figures import CREDIT, FigureName, booked, told
from domain.money.postings import MoneyRules, load_money_rules
from domain.recharge.events import DisputeFundsWithdrawn, RechargeCredited, RefundSucceeded
from domain.refusal import BadField
from domain.topics import REGISTRY
from projections.document_reader import DocumentReader
from projections.generations import install
from projections.money import MoneyReader
from projections.money_months import MoneyMonths, MonthReader
from projections.projection import Pool
from projections.registry import all_projections
from projections.statement_reader import StatementReader
from tests.adapters.checkout.stripe_account import StripeAccount, account
from tests.projections.lab import Lab
from tests.projections.selling import BUYERS, MONTH, Selling, month
from tests.told import Tell

SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3)))
#: Facts that only one of the sides has, or that the other has in another form.
LACKED: tuple[Callable[[Event], bool], ...] = (
    lambda event: isinstance(event, RechargeCredited),
    lambda event: isinstance(event, RefundSucceeded) and event.provider == "stripe",
    lambda event: isinstance(event, DisputeFundsWithdrawn),
    lambda event: isinstance(event, InvoiceIssued),
    lambda event: isinstance(event, CreditNoteIssued),
    lambda event: isinstance(event, PspLineRecorded) and event.kind == "charge" and not event.other_minor,
)
Sides = dict[tuple[str, FigureName, str], tuple[int, int]]


@pytest.fixture
def lab(pool: Pool) -> Lab:
    """All read models; the database recorded everything on one day of the month."""
    with pool.connection() as connection:
        install(connection, all_projections())
    return Lab(pool, all_projections(), pace_us=1)


@pytest.fixture
def stripe() -> Iterator[StripeAccount]:
    with account() as one:
        yield one


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_agrees_from_four_sides(lab: Lab, stripe: StripeAccount, seed: int, tell: Tell) -> None:
    """Money ledger, statements, documents, and Stripe's balance transactions; by the report, and by sums of the test's own."""
    selling = month(lab, stripe, seed=seed)
    found = MonthReader(lab.pool).month(MONTH)
    assert [one for one in found.items if one.difference] == []
    assert found.agrees
    assert {one.ledger for one in found.items} == {"EUR", "JPY", "USD", CREDIT}
    tell(f"seed {seed}: {_counts(selling, stripe)}")
    assert any(isinstance(event, InvoiceReinstated) for event in _events(selling))
    _agrees_with_stripe(found, stripe)
    _agrees_with_payouts(lab, selling, stripe)
    _agrees_with_documents(lab, selling)
    _agrees_with_statements(lab, found)
    assert lab.rebuild(MoneyMonths.name) == lab.hashes()[MoneyMonths.name]


def _counts(selling: Selling, stripe: StripeAccount) -> str:
    kinds = Counter(type(event).__name__ for event in _events(selling))
    wanted = ("RechargeCredited", "RefundSucceeded", "ExternalRefundObserved", "DisputeWon", "DisputeLost")
    shown = [f"{kinds[kind]} {kind}" for kind in (*wanted, "InvoiceIssued", "CreditNoteIssued")]
    return ", ".join([*shown, f"{len(stripe.lines)} lines at Stripe"])


def _agrees_with_stripe(found: MonthComparison, stripe: StripeAccount) -> None:
    """Line by line of its own list, and the clearing accounts are its balance (P29)."""
    own: Counter[tuple[str, str]] = Counter()
    for line in stripe.lines:
        own[line["currency"].upper(), "fees"] += line["fee"]
        own[line["currency"].upper(), line["type"]] += line["amount"]
    for ledger in ("EUR", "JPY", "USD"):
        ours = {one.name: one.booked for one in found.items if one.ledger == ledger}
        moved = {
            name: own[ledger, name] for name in ("charge", "refund", "refund_failure", "adjustment", "payout")
        }
        assert ours.get("fees", 0) == own[ledger, "fees"]
        assert ours.get("received", 0) + ours.get("unmatched", 0) == moved["charge"]
        assert ours.get("refunded", 0) == moved["refund"] + moved["refund_failure"]
        assert ours.get("disputed", 0) == moved["adjustment"]
        assert ours.get("paid_out", 0) == -moved["payout"]


def _agrees_with_payouts(lab: Lab, selling: Selling, stripe: StripeAccount) -> None:
    """Each line is in the payout that Stripe has it in, and no payout is open."""
    claims = [event for event in _events(selling) if isinstance(event, PspLinePaidOut)]
    theirs = {
        line["id"]: line["payout"]
        for line in stripe.lines
        if line["payout"] is not None and line["type"] != "payout"
    }
    assert {one.line_ref: one.payout_ref for one in claims} == theirs
    assert len(claims) == len(theirs) > 0
    assert {one.kind for one in MoneyReader(lab.pool).open_items().items} == {"line"}


def _agrees_with_documents(lab: Lab, selling: Selling) -> None:
    """What is owed in service and tax is what was invoiced, less what was credited and what waits for a bank."""
    balances: Counter[tuple[str, str]] = Counter()
    for one in MoneyReader(lab.pool).balances().items:
        balances[one.ledger, one.name.partition(":")[0]] += one.balance_minor
    papers: Counter[str] = Counter()
    for event in _events(selling):
        if isinstance(event, InvoiceIssued | CreditNoteIssued):
            papers[event.currency] += event.total_minor * (1 if isinstance(event, InvoiceIssued) else -1)
    for ledger, total_minor in papers.items():
        owed_minor = balances[ledger, "deferred_revenue"] + balances[ledger, "tax"]
        assert owed_minor + balances[ledger, "refund_payable"] == total_minor
    shown = DocumentReader(lab.pool).documents(DocumentFilter(kind="invoice"), limit=500)
    assert len(shown.items) > 20  # a month of them
    assert not DocumentReader(lab.pool).due(ready=True).items
    assert all(sum(v for (book, _), v in balances.items() if book == ledger) == 0 for ledger in papers)


def _agrees_with_statements(lab: Lab, found: MonthComparison) -> None:
    """The grants and refunds on the statements of all buyers."""
    totals: Counter[str] = Counter()
    for buyer in BUYERS:
        statement = StatementReader(lab.pool).whole_statement(buyer, month_of(MONTH), lines_max=10_000)
        assert statement.opening_nano + sum(statement.totals_nano.values()) == statement.closing_nano
        totals.update(statement.totals_nano)
    ours = {one.name: one.booked for one in found.items if one.ledger == CREDIT}
    owed_nano = sum(one.amount for event in _log(lab) for one in told(event) if one.ledger == CREDIT)
    assert ours == {"bought": totals["grant"], "gone_back": owed_nano - totals["refund"]}


def test_any_posting_that_is_missing_or_doubled_shows(lab: Lab, stripe: StripeAccount) -> None:
    """Every entry of the rules, one at a time, and any fact that one side lacks or has twice."""
    selling = month(lab, stripe, seed=1)
    events = _events(selling)
    rules = load_money_rules()
    assert _differs(events, rules) == []
    unseen = []
    for topic, entries in rules.rules.items():
        for number, entry in enumerate(entries):
            if entry.when in {"back_at_psp", "back_at_bank"}:
                continue  # tests/domain/money/test_figures.py
            if entry.when in {"on_account", "set_off"}:
                continue  # tests/domain/money/test_on_account.py: to the last unit, as this shop sells nothing so
            for changed in ([*entries[:number], *entries[number + 1 :]], [*entries, entry]):
                faulty = msgspec.structs.replace(rules, rules=rules.rules | {topic: changed})
                if not _differs(events, faulty):
                    unseen.append((topic, number, len(changed)))
    assert unseen == []
    for is_one in LACKED:
        place = next(number for number, event in enumerate(events) if is_one(event))
        assert _differs([*events[:place], *events[place + 1 :]], rules)
        assert _differs([*events, events[place]], rules)


def _differs(events: Sequence[Event], rules: MoneyRules) -> list[tuple[str, str]]:
    """In which figures of money, without a database."""
    sides: Sides = {}
    for event in events:
        for side, figures in enumerate((booked(rules, event), told(event))):
            for one in figures:
                key = (one.ledger, one.name, one.party)
                sums = [*sides.get(key, (0, 0))]
                sums[side] += one.amount
                sides[key] = (sums[0], sums[1])
    found = compare(MONTH, position=0, sides={key: both for key, both in sides.items() if key[0] != CREDIT})
    return [(one.ledger, one.name) for one in found.items if one.difference]


def _events(selling: Selling) -> list[Event]:
    stored = selling.ports.store.read_log(after_position=0, limit=100_000)
    return [REGISTRY.decode(one.topic, one.state) for one in stored]


def _log(lab: Lab) -> list[Event]:
    return [REGISTRY.decode(one.topic, one.state) for one in lab.log.events]


def test_what_is_no_month_is_refused(lab: Lab) -> None:
    """And one in which nothing happened has no figures, and agrees."""
    reader = MonthReader(lab.pool)
    with pytest.raises(BadField):
        reader.month("2025-13")
    empty = reader.month(MONTH)
    assert (empty.items, empty.agrees) == ((), True)
    assert set(SOURCES) == set(FigureName.__args__)  # type: ignore[attr-defined]  # a Literal
