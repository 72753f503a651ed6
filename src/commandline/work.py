"""The command of the command line that shows long work."""

import argparse
from typing import Any

from adapters.work_runs import PostgresRuns
from application.work.queries import Progress, WorkRow, WorkView, work_view
from bootstrap import open_pool
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from projections.work import WorkReader
from settings import Settings


def add_work(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["work"], "list", run_list, "rebuilds and exports, newest first")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_list(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        view = work_view(
            WorkReader(pool),
            PostgresRuns(pool),
            before_position=values.before_position,
            limit=values.limit,
        )
    return Outcome(view, text=_text(view))


def _text(view: WorkView) -> str:
    if not view.items:
        return "No work.\n"
    rows = [
        (
            str(one.work_id),
            f"{time_of(one.asked_us):%Y-%m-%d %H:%M}",
            one.kind,
            one.target or "-",
            _state(one, view.under_way.get(one.work_id)),
        )
        for one in view.items
    ]
    return table(("WORK", "ASKED (UTC)", "WHAT", "OF", "STATE"), rows)


def _state(row: WorkRow, progress: Progress | None) -> str:
    if row.outcome is not None:
        return row.outcome if not row.problem else f"{row.outcome}: {row.problem}"
    if progress is None:
        return "waits"
    return f"{progress.done} of {progress.whole}" if progress.whole else "begun"
