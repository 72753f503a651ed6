"""The commands of the command line that show customers' endpoints and what became of their messages."""

import argparse
from typing import Any, get_args
from uuid import UUID

from adapters.hooks.tables import PostgresHookQueue
from application.hooks.ports import EndpointRow, MessagePage, MessageState
from bootstrap import open_pool
from commandline.outcome import Outcome, add_tool
from commandline.texts import table, time_of
from settings import Settings


def add_hooks(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(nouns["endpoint"], "list", run_endpoints, "where a customer is told of what")
    listing.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    messages = add_tool(nouns["endpoint"], "messages", run_messages, "messages to an endpoint, newest first")
    messages.add_argument("--endpoint-id", type=UUID, required=True, metavar="UUID")
    messages.add_argument("--state", choices=get_args(MessageState), help="in this state")
    messages.add_argument("--before", metavar="ID", help="`next_before` of the page before")
    messages.add_argument("--limit", type=int, default=50, metavar="NUMBER", help="how many (%(default)s)")


def run_endpoints(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        found = PostgresHookQueue(pool).endpoints(values.account_id)
    return Outcome(found, text=_endpoints_text(found))


def run_messages(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = PostgresHookQueue(pool).messages(
            values.endpoint_id, state=values.state, before=values.before, limit=values.limit
        )
    return Outcome(page, text=_messages_text(page))


def _endpoints_text(found: tuple[EndpointRow, ...]) -> str:
    if not found:
        return "No endpoints.\n"
    rows = [
        (
            str(one.endpoint.endpoint_id),
            one.endpoint.state,
            str(one.waiting),
            _time(one.delivered_us),
            _time(one.failed_us),
            one.endpoint.url,
            one.endpoint.reason,
        )
        for one in found
    ]
    heads = ("ENDPOINT", "STATE", "WAITING", "ARRIVED (UTC)", "FAILED (UTC)", "ADDRESS", "WHY")
    return table(heads, rows)


def _messages_text(page: MessagePage) -> str:
    if not page.items:
        return "No messages.\n"
    rows = [
        (
            one.message_id,
            one.kind,
            one.state,
            str(one.tries),
            _time(one.made_us),
            _time(one.delivered_us or one.next_us),
            f"{one.attempts[0].status} {one.attempts[0].error}".strip() if one.attempts else "-",
        )
        for one in page.items
    ]
    heads = ("MESSAGE", "KIND", "STATE", "TRIES", "MADE (UTC)", "ARRIVED OR NEXT", "LAST ANSWER")
    return table(heads, rows)


def _time(at_us: int | None) -> str:
    return "-" if at_us is None else f"{time_of(at_us):%Y-%m-%d %H:%M:%S}"
