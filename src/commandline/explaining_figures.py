"""Commands that say what a figure of a statement, of usage or of the books is made of."""

import argparse
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from application.explaining.cells import EventPage, Term
from application.explaining.figures import BooksCell, UsageCell, explain_books, explain_usage
from application.explaining.statement import (
    CLOSING,
    StatementCell,
    StatementExplainer,
    StatementQuestion,
)
from application.reports.usage import UsageFilter
from bootstrap import open_pool, open_store
from commandline.outcome import Outcome, add_tool
from commandline.periods import add_period, period_of
from commandline.texts import credits_of, table
from projections.request_log import RequestReader
from projections.statement_reader import StatementReader
from projections.trial_balance import BooksReader
from projections.usage_reader import UsageReader
from settings import Settings


def add_figures(explain: Any) -> None:
    """Parsers of `tokenok explain statement`, `usage` and `books`."""
    statement = add_tool(explain, "statement", run_statement, "what a figure of a statement is the sum of")
    _add_account(statement)
    what = statement.add_mutually_exclusive_group()
    what.add_argument(
        "--cell",
        default=CLOSING,
        metavar="NAME",
        help="opening, closing or a kind of its totals (%(default)s)",
    )
    what.add_argument("--line", metavar="POSITION", help="the line that begins there, down to its events")
    statement.add_argument("--after", metavar="TEXT", help="for the next page")
    statement.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="rows (%(default)s)")
    usage = add_tool(explain, "usage", run_usage, "what an account's charges in a period are the sum of")
    _add_account(usage)
    usage.add_argument("--key-id", type=UUID, metavar="UUID", help="made with this API key")
    usage.add_argument("--alias", metavar="NAME", help="for this model, as the client wrote it")
    books = add_tool(explain, "books", run_books, "the events that moved one account of the books")
    books.add_argument("--name", required=True, metavar="NAME", help="as the trial balance has it")
    books.add_argument("--after-position", type=int, default=0, metavar="NUMBER", help="for the next page")
    books.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="events (%(default)s)")


def run_statement(settings: Settings, values: argparse.Namespace) -> Outcome:
    question = StatementQuestion(
        account_id=values.account_id,
        period=period_of(values),
        cell=values.cell if values.line is None else f"line:{values.line}",
        zone=values.zone,
        after=values.after,
        limit=values.limit,
    )
    with open_store(settings) as store, open_pool(settings) as pool:
        found = StatementExplainer(
            store=store, statements=StatementReader(pool), requests=RequestReader(pool)
        ).explain(question)
    return Outcome(found, int(found.is_right is False), _statement_text(found))


def run_usage(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = UsageFilter(
        period=period_of(values), account_id=values.account_id, key_id=values.key_id, alias=values.alias
    )
    with open_pool(settings) as pool:
        found = explain_usage(UsageReader(pool), StatementReader(pool), wanted, zone=values.zone)
    return Outcome(found, int(not found.is_right), _usage_text(found))


def run_books(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        found = explain_books(
            store, BooksReader(pool), values.name, after=values.after_position, limit=values.limit
        )
    return Outcome(found, int(found.is_right is False), _books_text(found))


def _add_account(parser: argparse.ArgumentParser) -> None:
    add_period(parser)
    parser.add_argument("--account-id", type=UUID, required=True, metavar="UUID")


def _statement_text(found: StatementCell) -> str:
    text = f"{found.cell}: {credits_of(found.amount_nano)} credits = {found.formula}\n"
    if found.previous_closing_nano is not None:
        text += f"The period before closed with {credits_of(found.previous_closing_nano)}.\n"
    text += _verdict(found.is_right) + _terms_text(found.terms) + _events_text(found.events)
    return text + ("" if found.next_after is None else f"\nMore with --after {found.next_after}\n")


def _usage_text(found: UsageCell) -> str:
    head = f"{found.row.charged} charges, {credits_of(found.row.charge_nano)} credits: {found.formula}\n"
    return head + _verdict(found.is_right) + _terms_text(found.terms)


def _books_text(found: BooksCell) -> str:
    head = f"{found.name}: {credits_of(found.balance_nano)} credits at position {found.position}: {found.formula}\n"
    return head + _verdict(found.is_right) + _events_text(found.events)


def _verdict(is_right: bool | None) -> str:  # noqa: FBT001  # the only argument
    if is_right is None:
        return ""
    return "The parts make the figure.\n" if is_right else "THE PARTS DO NOT MAKE THE FIGURE.\n"


def _terms_text(terms: Sequence[Term]) -> str:
    rows = [(term.name, credits_of(term.amount_nano), _option(term.cell)) for term in terms]
    return "\n" + table(("PART", "CREDITS", "MADE OF"), rows) if rows else ""


def _option(cell: str | None) -> str:
    kind, colon, rest = (cell or "").partition(":")
    return f"--line {rest}" if colon else f"--cell {kind}" if kind else ""


def _events_text(page: EventPage) -> str:
    rows = [
        (
            str(one.position),
            one.topic,
            credits_of(one.amount_nano),
            "-" if one.price_version is None else str(one.price_version),
            str(one.request_id or "-"),
        )
        for one in page.items
    ]
    if not rows:
        return ""
    more = "" if page.next_after is None else f"\nMore behind position {page.next_after}\n"
    words = (
        "\nProofs: tokenok seal prove --position POSITION; receipts: tokenok receipt show --request REQUEST\n"
    )
    return "\n" + table(("POSITION", "EVENT", "CREDITS", "PRICES", "REQUEST"), rows) + words + more
