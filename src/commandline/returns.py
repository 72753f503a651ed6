"""Commands of the command line that show what went back, or may: refunds, disputes, and debts for credit that was spent."""

import argparse
from typing import Any, get_args
from uuid import UUID

from api.admin.views import Balances, balances_page
from application.queries import Balance
from application.recharge.returns import SHOWN_STATES, ReturnFilter, ReturnKind, ReturnPage, ReturnRow
from bootstrap import open_pool
from commandline.orders import money_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from projections.balances import BalanceReader
from projections.returns import ReturnReader
from settings import Settings


def add_returns(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    _add_list(nouns["refund"], None, "refunds and disputes, by their orders, newest order first")
    _add_list(nouns["dispute"], "dispute", "disputes, by their orders, newest order first")
    debts = add_tool(
        nouns["balance"], "debts", run_debts, "accounts that owe for credit that they spent, by their ids"
    )
    debts.add_argument("--after", type=UUID, metavar="UUID", help="`next_after` of the page before")
    debts.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def _add_list(verbs: Any, kind: ReturnKind | None, words: str) -> None:
    listing = add_tool(verbs, "list", run_returns, words)
    listing.set_defaults(kind=kind)
    if kind is None:
        listing.add_argument("--kind", choices=get_args(ReturnKind), help="of this kind only")
    listing.add_argument("--open", action="store_true", help="that wait for somebody, or for a provider")
    listing.add_argument("--state", choices=SHOWN_STATES, help="that stand so")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--order-id", type=UUID, metavar="UUID", help="of this order")
    listing.add_argument("--provider", metavar="NAME", help="paid through this provider")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument(
        "--limit", type=int, default=100, metavar="NUMBER", help="of how many orders (%(default)s)"
    )


def run_returns(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = ReturnFilter(
        is_open=values.open,
        kind=values.kind,
        state=values.state,
        account_id=values.account_id,
        order_id=values.order_id,
        provider=values.provider,
    )
    with open_pool(settings) as pool:
        page = ReturnReader(pool).returns(wanted, before_position=values.before_position, limit=values.limit)
    return Outcome(page, text=_returns_text(page))


def run_debts(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = balances_page(BalanceReader(pool).debts, after=values.after, limit=values.limit)
    return Outcome(page, text=_debts_text(page))


def _returns_text(page: ReturnPage) -> str:
    head = ("SINCE (UTC)", "WHAT", "ID", "STATE", "ORDER", "ACCOUNT", "AMOUNT", "CREDITS", "EVIDENCE UNTIL")
    listed = table(head, [_cells(row) for row in page.items]) if page.items else "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return listed + more


def _cells(row: ReturnRow) -> tuple[str, ...]:
    return (
        f"{time_of(row.since_us):%Y-%m-%d %H:%M:%S}",
        row.kind,
        row.ref,
        row.state,
        str(row.order_id),
        str(row.account_id),
        money_of(row.amount_minor, row.currency, row.exponent),
        credits_of(row.credits_nano),
        f"{time_of(row.due_us):%Y-%m-%d %H:%M}" if row.due_us is not None and row.is_open else "-",
    )


def _debts_text(page: Balances) -> str:
    head = ("ACCOUNT", "OWED", "SET ASIDE", "SPENT")
    listed = table(head, [_debt_cells(one) for one in page.items]) if page.items else "Nobody owes.\n"
    more = "" if page.next_after is None else f"\nMore with --after {page.next_after}\n"
    return listed + more


def _debt_cells(one: Balance) -> tuple[str, ...]:
    figures = (one.owed_nano, one.frozen_nano, one.charged_nano)
    return (str(one.account_id), *(credits_of(figure) for figure in figures))
