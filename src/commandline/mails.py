"""The command of the command line that shows mails."""

import argparse
from typing import Any, get_args

from application.mail.outbox import MailPage, MailState
from bootstrap import ports_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from settings import Settings


def add_mails(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["mail"], "list", run_mails, "mails, newest first, and what became of them")
    listing.add_argument("--state", choices=get_args(MailState), help="in this state")
    listing.add_argument("--before", metavar="TEXT", help="`next_before` of the page before")
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_mails(settings: Settings, values: argparse.Namespace) -> Outcome:
    with ports_of(settings) as ports:
        page = ports.outbox.page(state=values.state, before=values.before, limit=values.limit)
    return Outcome(page, text=_text(page))


def _text(page: MailPage) -> str:
    if not page.items:
        return "No mails.\n"
    rows = [
        (
            f"{time_of(one.queued_us):%Y-%m-%d %H:%M:%S}",
            str(one.mail_id),
            one.template,
            one.locale,
            one.state,
            str(one.attempts),
            one.reason,
        )
        for one in page.items
    ]
    text = table(("QUEUED (UTC)", "MAIL", "WHAT", "IN", "STATE", "TRIES", "WHY"), rows)
    if page.next_before is not None:
        text += f"\nMore with --before {page.next_before}\n"
    return text
