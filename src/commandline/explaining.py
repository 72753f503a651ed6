"""Commands that say how a figure comes about, and how things were at a point in the log."""

import argparse
from typing import Any, Final
from uuid import UUID

from application.clock import SystemClock
from application.explaining.as_of import read_as_of
from application.explaining.balance import BalanceExplained, explain_balance
from application.explaining.moment import account_at, key_at, price_at
from application.explaining.refusals import explain_refusals
from bootstrap import open_store
from commandline.explaining_figures import add_figures
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from commandline.texts import credits_of, table
from settings import Settings

_ROWS: Final = 100
_MINUTES: Final = 5
_MINUTE_US: Final = 60_000_000


def add_explaining(nouns: dict[str, Any]) -> None:
    """Parsers of `tokenok explain`."""
    explain = nouns["explain"]
    balance = _add(explain, "balance", run_balance, "how an account's balance comes about")
    balance.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    balance.add_argument("--after-position", type=int, default=0, metavar="NUMBER", help="for the next page")
    balance.add_argument("--limit", type=int, default=_ROWS, metavar="NUMBER", help="events (%(default)s)")
    add_figures(explain)
    account = _add(explain, "account", run_account, "an account's status and limits")
    account.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    key = _add(explain, "key", run_key, "what an API key was allowed")
    key.add_argument("--key-id", type=UUID, required=True, metavar="UUID")
    words = "why calls of an account were refused at a time: the rule and its numbers"
    refusals = add_tool(explain, "refusals", run_refusals, words)
    refusals.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    refusals.add_argument("--at", required=True, metavar="INSTANT", help="such as 2026-11-29T14:03:00Z")
    refusals.add_argument(
        "--minutes", type=int, default=_MINUTES, metavar="NUMBER", help="before and after it (%(default)s)"
    )
    price = _add(explain, "price", run_price, "what a model cost")
    price.add_argument("--alias", required=True, metavar="NAME")


def run_balance(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        found = explain_balance(
            store,
            values.account_id,
            as_of=read_as_of(values.as_of),
            after=values.after_position,
            limit=values.limit,
        )
    return Outcome(found, text=_balance_text(found))


def run_account(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        return Outcome(account_at(store, values.account_id, as_of=read_as_of(values.as_of)))


def run_key(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        return Outcome(key_at(store, values.key_id, as_of=read_as_of(values.as_of)))


def run_refusals(settings: Settings, values: argparse.Namespace) -> Outcome:
    at_us = read_as_of(values.at).recorded_us
    if at_us is None:
        raise BadArgument("--at must be an instant with its time zone, such as 2026-11-29T14:03:00Z")
    margin_us = values.minutes * _MINUTE_US
    with open_store(settings) as store:
        found = explain_refusals(
            store, values.account_id, from_us=at_us - margin_us, until_us=at_us + margin_us
        )
    return Outcome(found)


def run_price(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        return Outcome(price_at(store, values.alias, as_of=read_as_of(values.as_of), clock=SystemClock()))


def _balance_text(found: BalanceExplained) -> str:
    """The balance, the sums that make it, and the page of events."""
    head = (
        f"posted {credits_of(found.posted_nano)}, held {credits_of(found.held_nano)}, "
        f"available {credits_of(found.available_nano)} credits\n\n"
    )
    kinds = [
        (one.topic, str(one.events), credits_of(one.posted_nano), credits_of(one.held_nano))
        for one in found.kinds
    ]
    events = [
        (
            str(one.position),
            one.topic,
            credits_of(one.posted_nano),
            credits_of(one.held_nano),
            str(one.request_id or "-"),
        )
        for one in found.movements
    ]
    text = head + table(("KIND", "EVENTS", "POSTED", "HELD"), kinds)
    text += "\n" + table(("POSITION", "EVENT", "POSTED", "HELD", "REQUEST"), events)
    if found.next_after is not None:
        text += f"\nMore with --after-position {found.next_after}\n"
    return text


def _add(verbs: Any, name: str, tool: Any, words: str) -> argparse.ArgumentParser:
    parser = add_tool(verbs, name, tool, f"{words}, now or at a point in the log")
    parser.add_argument(
        "--as-of",
        metavar="POSITION|INSTANT",
        help="up to this position, or what was recorded by 2026-11-29T14:03:00Z",
    )
    return parser
