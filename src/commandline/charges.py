"""Commands of the command line about charges of the past: the queue of those held for review or disputed, and files of late usage."""

import argparse
import io
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from application.charges.import_usage import Imported, ReportForm, import_lines
from application.charges.report_usage import handle
from application.clock import SystemClock
from application.queries import ReviewState
from application.reports.reviews import ReviewFilter, ReviewPage
from bootstrap import open_pool, ports_of
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from commandline.texts import credits_of, table
from domain.fact import SYSTEM
from projections.charge_reviews import ReviewReader
from settings import Settings

_REASON = "reported late by the provider"
_HOUR_S = 3_600
_US = 1_000_000


def add_charges(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(
        nouns["charge"], "reviews", run_reviews, "charges that were held for review or disputed, oldest first"
    )
    listing.add_argument("--state", choices=get_args(ReviewState), help="`waiting` for an operator")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--request-id", type=UUID, metavar="UUID", help="of this request")
    listing.add_argument(
        "--after-position", type=int, default=0, metavar="NUMBER", help="`next_after` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")

    importing = add_tool(
        nouns["charge"], "import", run_import, "take in a file of usage that a provider told late"
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="CSV with a header, or JSON lines")
    importing.add_argument(
        "--form", choices=get_args(ReportForm), help="what it is; by the end of its name if left out"
    )
    importing.add_argument(
        "--reason", default=_REASON, metavar="TEXT", help="of lines that have none (%(default)s)"
    )
    importing.epilog = (
        "The fields of a line are those of `charge usage`: request_id, served_by, report_ref, input, output, ... "
        "Exit code 1 if any line was refused; the others are taken in, and the file may be imported again."
    )


def run_reviews(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = ReviewFilter(state=values.state, account_id=values.account_id, request_id=values.request_id)
    now_us = SystemClock().now_us()
    with open_pool(settings) as pool:
        page = ReviewReader(pool).reviews(
            wanted, now_us=now_us, after_position=values.after_position, limit=values.limit
        )
    return Outcome(page, text=_reviews_text(page, now_us=now_us))


def run_import(settings: Settings, values: argparse.Namespace) -> Outcome:
    form = values.form or values.file.suffix.removeprefix(".")
    if form not in get_args(ReportForm):
        raise BadArgument("say with --form whether the file is csv or jsonl")
    try:
        text = values.file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArgument(f"{values.file} cannot be read: {type(error).__name__}") from None
    with ports_of(settings) as ports:
        imported = import_lines(
            io.StringIO(text, newline=""),
            form,
            reason=values.reason,
            take=lambda command: handle(command, actor=SYSTEM, ports=ports),
        )
    return Outcome(imported, status=1 if imported.refused else 0, text=_imported_text(imported))


def _reviews_text(page: ReviewPage, *, now_us: int) -> str:
    head = ("AGE", "REQUEST", "ACCOUNT", "MODEL", "PROVIDER", "CREDITS", "WHY", "STATE", "BY")
    rows = [
        (
            f"{(now_us - one.held_us) / _US / _HOUR_S:.1f} h",
            str(one.request_id),
            str(one.account_id),
            one.alias,
            one.provider,
            credits_of(one.charge_nano),
            ",".join((*one.reasons, *([one.cause] if one.cause else ()))),
            one.state if one.right_nano is None else f"{one.state}: {credits_of(one.right_nano)}",
            one.decided_by or "",
        )
        for one in page.items
    ]
    listed = table(head, rows) if rows else "Nothing.\n"
    queue = f"\n{page.queue.waiting} wait, the oldest for {page.queue.oldest_s / _HOUR_S:.1f} h\n"
    more = "" if page.next_after is None else f"More with --after-position {page.next_after}\n"
    return listed + queue + more


def _imported_text(imported: Imported) -> str:
    head = ("LINE", "REQUEST", "CHARGED", "BORNE", "CORRECTION", "REFUSED")
    rows = [
        (
            str(one.line),
            one.request_id,
            credits_of(one.charged_nano),
            credits_of(one.shortfall_nano),
            one.correction or "",
            "" if one.code is None else f"{one.code}: {one.detail}",
        )
        for one in imported.lines
    ]
    listed = table(head, rows) if rows else "No lines.\n"
    return f"{listed}\n{len(imported.lines)} lines, {imported.refused} refused\n"
