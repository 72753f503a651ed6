"""The command of the command line that shows batches of codes."""

import argparse
from typing import Any

from application.promotions.queries import BatchPage
from bootstrap import open_pool
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from projections.codes import CodeReader
from settings import Settings


def add_codes(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["code"], "list", run_batches, "batches of codes, newest first")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_batches(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = CodeReader(pool).batches(before_position=values.before_position, limit=values.limit)
    return Outcome(page, text=_text(page))


def _text(page: BatchPage) -> str:
    if not page.items:
        return "No codes.\n"
    rows = [
        (
            str(one.batch_id),
            f"{time_of(one.issued_us):%Y-%m-%d}",
            credits_of(one.amount_nano),
            f"{one.redeemed} of {one.count}",
            "withdrawn" if one.withdrawn_because is not None else "-",
            one.note,
        )
        for one in page.items
    ]
    return table(("BATCH", "ISSUED (UTC)", "CREDITS EACH", "REDEEMED", "STATE", "NOTE"), rows)
