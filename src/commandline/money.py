"""Commands of the command line that show the books in money."""

import argparse
from typing import Any

from application.money.queries import MoneyBalances, OpenItems
from bootstrap import open_pool
from commandline.orders import money_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from domain.recharge.currencies import EXPONENTS
from projections.money import MoneyReader
from settings import Settings


def add_money(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    add_tool(nouns["money"], "balances", run_balances, "the accounts of each currency's books")
    listing = add_tool(
        nouns["money"], "open", run_open, "what does not agree with payment providers' lists, oldest first"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_balances(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = MoneyReader(pool).balances()
    return Outcome(found, text=_balances_text(found))


def run_open(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = MoneyReader(pool).open_items(limit=values.limit)
    return Outcome(found, text=_open_text(found))


def _money(amount_minor: int, ledger: str) -> str:
    currency = ledger.partition(" ")[0]
    return money_of(amount_minor, currency, EXPONENTS.get(currency, 0))


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
            f"{one.provider}: {one.words or 'payment without a line'}",
            one.ref,
            _money(one.amount_minor, one.ledger),
            str(one.order_id or "-"),
        )
        for one in found.items
    ]
    return table(("SINCE (UTC)", "WHAT", "AT THE PROVIDER", "AMOUNT", "ORDER"), rows)
