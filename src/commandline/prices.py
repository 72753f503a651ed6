"""The command of the command line that shows proposed prices."""

import argparse
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from application.catalogue.price_proposals import PriceProposalPage, ProposalRow, page_of
from bootstrap import open_store
from commandline.outcome import Outcome, add_tool
from commandline.texts import table
from settings import Settings

_HEAD = ("PROPOSAL", "STATE", "PROPOSED", "BY", "ALIASES", "NOTE")
_ALIASES_SHOWN = 3


def add_prices(nouns: dict[str, Any]) -> None:
    """Its parser."""
    waiting = add_tool(
        nouns["prices"], "proposals", run_proposals, "prices that wait or waited for a second operator"
    )
    waiting.add_argument("--after", type=UUID, metavar="UUID", help="`next_after` of the page before")
    waiting.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_proposals(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        page = page_of(store, after=values.after, limit=values.limit)
    return Outcome(page, text=_text(page))


def _text(page: PriceProposalPage) -> str:
    rows = [
        (
            str(one.proposal_id),
            "stale" if one.is_stale else one.state,
            f"{datetime.fromtimestamp(one.proposed_us / 1e6, UTC):%Y-%m-%d %H:%M}",
            one.proposed_by,
            _aliases(one),
            one.note,
        )
        for one in page.items
    ]
    more = "" if page.next_after is None else f"More with --after {page.next_after}\n"
    return table(_HEAD, rows) + more if rows else "Nothing was proposed.\n"


def _aliases(row: ProposalRow) -> str:
    names = sorted({alias for one in row.publications for alias in one.entries})
    more = len(names) - _ALIASES_SHOWN
    return ", ".join(names[:_ALIASES_SHOWN]) + (f" and {more} more" if more > 0 else "")
