"""The command of the command line that shows what customers are told."""

import argparse
from typing import Any

from application.command import load
from bootstrap import open_store
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from domain import announcements
from domain.announcements import ANNOUNCEMENTS_STREAM, FIRST_LANGUAGE, Announcement, Announcements
from settings import Settings


def add_announcements(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    add_tool(nouns["announcement"], "list", run_announcements, "what customers are told, newest first")


def run_announcements(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        known = load(store, ANNOUNCEMENTS_STREAM, Announcements(), announcements.evolve)
    found = sorted(known.by_id.values(), key=lambda one: -one.from_us)
    return Outcome(found, text=_text(found))


def _text(found: list[Announcement]) -> str:
    if not found:
        return "Nothing is announced; `tokenok announcement set` does.\n"
    rows = [
        (
            str(one.announcement_id),
            f"{time_of(one.from_us):%Y-%m-%d %H:%M}",
            "-" if one.until_us is None else f"{time_of(one.until_us):%Y-%m-%d %H:%M}",
            one.severity,
            one.audience,
            " ".join(one.texts),
            one.texts[FIRST_LANGUAGE].title,
        )
        for one in found
    ]
    return table(("ID", "FROM (UTC)", "UNTIL", "SEVERITY", "FOR", "IN", "TITLE"), rows)
