"""Every cell of a statement, of usage and of the books is explained by parts that make it, down to the events."""

import csv
import io
import json
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest

from application.explaining.figures import explain_books, explain_usage
from application.explaining.statement import StatementCell, StatementExplainer, StatementQuestion
from application.reports.period import DAY_US, Period
from application.reports.statement import Statement, StatementLine
from application.reports.statement_file import COLUMNS, LINES_MAX, statement_csv, statement_json
from application.reports.usage import UsageFilter
from domain.refusal import BadField, NotFound
from projections.balances import BalanceReader
from projections.request_log import RequestReader
from projections.statement_reader import StatementReader
from projections.trial_balance import BooksReader
from projections.usage_reader import UsageReader
from tests.histories import START_US, history, numbered
from tests.projections.facts import ACCOUNT, FIRST, LEASE, WALLET, admitted, charged, granted
from tests.projections.lab import Lab

FIRST_DAY_US = START_US - START_US % DAY_US
DAYS = [
    Period(from_us=FIRST_DAY_US + day * DAY_US, until_us=FIRST_DAY_US + (day + 1) * DAY_US)
    for day in range(3)
]
ALWAYS = Period(from_us=0, until_us=FIRST_DAY_US + 99 * DAY_US)


def _explainer(whole: Lab) -> StatementExplainer:
    return StatementExplainer(
        store=whole.log, statements=StatementReader(whole.pool), requests=RequestReader(whole.pool)
    )


def _pages(explainer: StatementExplainer, asked: StatementQuestion) -> Iterator[StatementCell]:
    """A cell with all of its pages."""
    while True:
        found = explainer.explain(asked)
        yield found
        after = found.next_after or found.events.next_after
        if after is None:
            return
        asked = msgspec.structs.replace(asked, after=str(after))


def _accounts(lab: Lab) -> list[UUID]:
    return [one.account_id for one in BalanceReader(lab.pool).balances()]


def test_every_cell_leads_to_events_that_make_it(whole: Lab) -> None:
    """From the closing over its terms and lines to what each event moved, by the rules, at small pages."""
    whole.start_over(history(3, steps=250))
    whole.catch_up()
    reader, explainer, cells = StatementReader(whole.pool), _explainer(whole), 0
    for account_id in _accounts(whole):
        for period in DAYS:
            statement = reader.whole_statement(account_id, period, lines_max=LINES_MAX)
            asked = StatementQuestion(account_id=account_id, period=period, cell="closing", limit=3)
            closing = explainer.explain(asked)
            assert (closing.amount_nano, closing.is_right) == (statement.closing_nano, True)
            opening = explainer.explain(msgspec.structs.replace(asked, cell="opening"))
            assert (opening.amount_nano, opening.is_right) == (statement.opening_nano, True)
            assert opening.previous_closing_nano == opening.amount_nano
            for term in closing.terms[1:]:
                assert term.cell is not None
                pages = [*_pages(explainer, msgspec.structs.replace(asked, cell=term.cell))]
                assert all(page.is_right for page in pages)
                lines = [line for page in pages for line in page.terms]
                assert sum(line.amount_nano for line in lines) == term.amount_nano
                for line in lines:
                    assert line.cell is not None
                    cells += 1
                    found = [*_pages(explainer, msgspec.structs.replace(asked, cell=line.cell))]
                    events = [event for page in found for event in page.events.items]
                    assert sum(event.amount_nano for event in events) == line.amount_nano
    assert cells > 20


def test_an_event_says_what_it_moved_and_where_its_proof_is(whole: Lab) -> None:
    """Positions, postings, the version of the prices and the receipt of a charge."""
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 10), charged(FIRST, 10, 4)]))
    whole.catch_up()
    at = whole.log.events[-1].position
    asked = StatementQuestion(account_id=ACCOUNT, period=ALWAYS, cell=f"line:{at}")
    found = _explainer(whole).explain(asked)
    (event,) = found.events.items
    assert (found.is_right, event.position, event.amount_nano, event.price_version) == (True, at, -4, 1)
    assert (event.proof, event.receipt) == (f"/seal/proofs/{at}", f"/receipts/{FIRST}")
    assert [(one.debit, one.credit, one.amount_nano) for one in event.postings] == [
        (f"leased:{ACCOUNT}:{LEASE}", "usage:demo", 4)
    ]


def test_a_damaged_row_is_told(whole: Lab) -> None:
    """The parts are not taken from the row that they explain."""
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 10), charged(FIRST, 10, 4)]))
    whole.catch_up()
    at = whole.log.events[-1].position
    with whole.pool.connection() as connection:
        connection.execute("UPDATE statement_charges SET charge_nano = 5")
        connection.execute("UPDATE trial_balance SET balance_nano = 5 WHERE name = 'usage:demo'")
    asked = StatementQuestion(account_id=ACCOUNT, period=ALWAYS, cell=f"line:{at}")
    assert _explainer(whole).explain(asked).is_right is False
    books = explain_books(whole.log, BooksReader(whole.pool), "usage:demo")
    assert (books.is_right, [event.amount_nano for event in books.events.items]) == (False, [4])
    usage = explain_usage(
        UsageReader(whole.pool),
        StatementReader(whole.pool),
        UsageFilter(period=ALWAYS, account_id=ACCOUNT),
        zone="UTC",
    )
    assert usage.is_right is False


@pytest.mark.parametrize("cell", ["color", "line:1.0", "line:x"])
def test_there_must_be_such_a_cell(whole: Lab, cell: str) -> None:
    """Of an account without anything as well."""
    whole.catch_up()
    with pytest.raises((BadField, NotFound)):
        _explainer(whole).explain(StatementQuestion(account_id=ACCOUNT, period=ALWAYS, cell=cell))


def test_usage_is_what_the_statement_charges(whole: Lab) -> None:
    """Of each account, and of each of its keys and models: two read models say the same."""
    whole.start_over(history(5, steps=250))
    whole.catch_up()
    usage, statements = UsageReader(whole.pool), StatementReader(whole.pool)
    rows = usage.usage(UsageFilter(period=ALWAYS), by=("account", "key", "alias"), limit=500).items
    assert len(rows) > 5
    for row in rows:
        group = row.group
        for key_id, alias in ((group.key, group.alias), (None, None)):
            wanted = UsageFilter(period=ALWAYS, account_id=group.account, key_id=key_id, alias=alias)
            assert explain_usage(usage, statements, wanted, zone="UTC").is_right


def test_an_account_of_the_books_is_what_its_events_moved(whole: Lab) -> None:
    """Each of them, at any size of pages."""
    whole.start_over(history(7, steps=60))
    whole.catch_up()
    books = BooksReader(whole.pool)
    for account in books.trial_balance(limit=500).items:
        assert explain_books(whole.log, books, account.name, limit=500).is_right
        moved_nano = after = 0
        while True:
            page = explain_books(whole.log, books, account.name, after=after, limit=3).events
            moved_nano += sum(event.amount_nano for event in page.items)
            if page.next_after is None:
                break
            after = page.next_after
        assert moved_nano == account.balance_nano
    with pytest.raises(NotFound):
        explain_books(whole.log, books, "wallet:nobody")


def _whole(lab: Lab, account_id: UUID, period: Period) -> Statement:
    return StatementReader(lab.pool).whole_statement(account_id, period, lines_max=LINES_MAX)


def test_a_statement_as_csv_adds_up(whole: Lab) -> None:
    """Opening and the amounts make the closing, row by row; a head, and an edge at either end."""
    whole.start_over(history(3, steps=250))
    whole.catch_up()
    account_id = _accounts(whole)[0]
    statement = _whole(whole, account_id, DAYS[0])
    text = statement_csv(statement).decode()
    assert text.endswith("\r\n")
    rows = [*csv.DictReader(io.StringIO(text, newline=""))]
    assert (rows[0]["kind"], rows[-1]["kind"], len(rows)) == ("opening", "closing", len(statement.lines) + 2)
    balance_nano = int(rows[0]["balance_nano"])
    for row in rows[1:-1]:
        balance_nano += int(row["amount_nano"])
        assert int(row["balance_nano"]) == balance_nano
    assert int(rows[-1]["balance_nano"]) == balance_nano == statement.closing_nano
    assert {(rows[0]["amount_nano"], rows[-1]["amount_nano"])} == {("", "")}
    document = json.loads(statement_json(statement))
    assert (document["closing_nano"], len(document["lines"])) == (balance_nano, len(statement.lines))


def test_a_statement_of_a_period_that_is_over_is_the_same_bytes_for_ever(whole: Lab) -> None:
    """Whatever is booked later."""
    events = history(3, steps=250)
    whole.start_over(events)
    share = sum(one.recorded_at_us < DAYS[1].until_us for one in whole.log.events)
    whole.start_over(events[: share + 1])
    whole.catch_up()
    account_id = _accounts(whole)[0]
    before = _whole(whole, account_id, DAYS[1])
    whole.log.extend(events[share + 1 :])
    whole.catch_up()
    after = _whole(whole, account_id, DAYS[1])
    assert before.position < after.position
    for form in (statement_csv, statement_json):
        assert form(before) == form(after)


def test_no_cell_is_a_formula_and_long_statements_are_refused(whole: Lab) -> None:
    """A reason is an operator's text; a file that would be cut is no file."""
    evil = msgspec.structs.replace(granted(100), reason="=1+1")
    whole.log.extend(numbered(WALLET, 1, [evil, granted(1, lot=2)]))
    whole.catch_up()
    text = statement_csv(_whole(whole, ACCOUNT, ALWAYS)).decode()
    assert ",'=1+1," in text
    with pytest.raises(BadField):
        StatementReader(whole.pool).whole_statement(ACCOUNT, ALWAYS, lines_max=1)


def test_every_field_of_a_line_has_a_column() -> None:
    """Of its units as well; places are in the JSON alone."""
    assert {*StatementLine.__struct_fields__} - {"units", "place"} <= {*COLUMNS}
