"""The command of the command line that shows messages of payment providers."""

import argparse
from typing import Any, get_args

from adapters.checkout.inbox import PostgresWebhookQueue
from application.checkout.inbox import WebhookPage
from bootstrap import open_pool
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from domain.recharge.webhooks import WebhookState
from settings import Settings


def add_webhooks(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["webhook"], "list", run_webhooks, "messages of payment providers, newest first")
    listing.add_argument("--state", choices=get_args(WebhookState), help="in this state")
    listing.add_argument("--before-us", type=int, metavar="US", help="`next_before_us` of the page before")
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_webhooks(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = PostgresWebhookQueue(pool).page(
            state=values.state, before_us=values.before_us, limit=values.limit
        )
    return Outcome(page, text=_text(page))


def _text(page: WebhookPage) -> str:
    if not page.items:
        return "No messages.\n"
    rows = [
        (
            f"{time_of(one.received_us):%Y-%m-%d %H:%M:%S}",
            one.provider,
            one.event_ref,
            one.kind,
            one.state,
            str(one.order_id or "-"),
            one.reason,
        )
        for one in page.items
    ]
    text = table(("RECEIVED (UTC)", "FROM", "MESSAGE", "KIND", "STATE", "ORDER", "WHY"), rows)
    if page.next_before_us is not None:
        text += f"\nMore with --before-us {page.next_before_us}\n"
    return text
