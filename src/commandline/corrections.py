"""Commands of the command line that show corrections: adjustments, and what waits for somebody to decide."""

import argparse
from typing import Any, get_args
from uuid import UUID

from application.reports.adjustments import AdjustmentFilter, AdjustmentPage
from bootstrap import open_pool
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from domain.ledger.adjustments import AdjustmentState
from projections.adjustments import AdjustmentReader
from settings import Settings


def add_corrections(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["credit"], "adjustments", run_adjustments, "corrections of credit, newest first")
    listing.add_argument("--state", choices=get_args(AdjustmentState), help="`waiting` for a second operator")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--ref", type=UUID, metavar="UUID", help="about this request, run or fact")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_adjustments(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = AdjustmentFilter(state=values.state, account_id=values.account_id, ref=values.ref)
    with open_pool(settings) as pool:
        page = AdjustmentReader(pool).adjustments(
            wanted, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=_adjustments_text(page))


def _adjustments_text(page: AdjustmentPage) -> str:
    head = ("ASKED (UTC)", "ADJUSTMENT", "ACCOUNT", "WHAT", "CREDITS", "STATE", "BY", "WHY")
    rows = [
        (
            f"{time_of(one.requested_us):%Y-%m-%d %H:%M:%S}",
            str(one.adjustment_id),
            str(one.account_id),
            one.kind,
            credits_of(one.amount_nano),
            one.state,
            one.requested_by,
            one.reason,
        )
        for one in page.items
    ]
    if not rows:
        return "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return table(head, rows) + more
