"""Commands of the command line that show the books in money."""

import argparse
from typing import Any

from application.money.month import Compared, MonthComparison
from application.money.queries import MoneyBalances, OpenItems
from bootstrap import open_pool
from commandline.orders import money_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from domain.money.figures import CREDIT
from domain.recharge.currencies import EXPONENTS
from projections.money import MoneyReader
from projections.money_months import MonthReader
from settings import Settings


def add_money(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    add_tool(nouns["money"], "balances", run_balances, "the accounts of each currency's books")
    listing = add_tool(
        nouns["money"], "open", run_open, "what does not agree with payment providers' lists, oldest first"
    )
    month = add_tool(
        nouns["money"],
        "month",
        run_month,
        "a month of money as booked, and as documents and providers tell it",
    )
    month.add_argument("--month", required=True, metavar="MONTH", help="a month of UTC such as 2026-11")
    month.epilog = "Exit code 1 if anything differs."
    listing.add_argument("--after", metavar="CURSOR", help="next_after of the page before")
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_balances(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = MoneyReader(pool).balances()
    return Outcome(found, text=_balances_text(found))


def run_open(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = MoneyReader(pool).open_items(after=values.after, limit=values.limit)
    return Outcome(found, text=_open_text(found))


def run_month(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = MonthReader(pool).month(values.month)
    return Outcome(found, status=0 if found.agrees else 1, text=_month_text(found))


def _money(amount_minor: int, ledger: str) -> str:
    currency = ledger.partition(" ")[0]
    return money_of(amount_minor, currency, EXPONENTS.get(currency, 0))


def _month_text(found: MonthComparison) -> str:
    if not found.items:
        return "Nothing is booked in this month.\n"
    head = ("BOOKS", "FIGURE", "AT", "BOOKED", "TOLD", "BY", "DIFFERENCE")
    rows = [
        (
            one.ledger,
            one.name.replace("_", " "),
            one.party or "-",
            *(_amount(one, figure) for figure in (one.booked, one.told)),
            one.source,
            _amount(one, one.difference) if one.difference else "-",
        )
        for one in found.items
    ]
    last = (
        "Everything agrees.\n" if found.agrees else "Something differs: see `money open`, `document due`.\n"
    )
    return f"{table(head, rows)}\n{last}"


def _amount(row: Compared, amount: int) -> str:
    return credits_of(amount) if row.ledger == CREDIT else _money(amount, row.ledger)


def _balances_text(found: MoneyBalances) -> str:
    if not found.items:
        return "Nothing is booked.\n"
    rows = [(one.ledger, one.name, _money(one.balance_minor, one.ledger)) for one in found.items]
    return table(("BOOKS", "ACCOUNT", "BALANCE, CREDIT POSITIVE"), rows)


def _open_text(found: OpenItems) -> str:
    if not found.items:
        return "Everything agrees.\n"
    rows = [
        (
            f"{time_of(one.since_us):%Y-%m-%d %H:%M:%S}",
            f"{one.provider}: {one.words or f'{one.kind} without a line'}",
            one.ref,
            _money(one.amount_minor, one.ledger),
            str(one.order_id or "-"),
        )
        for one in found.items
    ]
    return table(("SINCE (UTC)", "WHAT", "AT THE PROVIDER", "AMOUNT", "ORDER"), rows)
