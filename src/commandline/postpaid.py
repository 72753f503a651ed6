"""Commands of the command line that show what is bought on account: limits that wait, and what is unpaid."""

import argparse
from typing import Any
from uuid import UUID

from application.accounts.stream import load_account
from application.clock import SystemClock
from application.postpaid.queries import AccountPostpaid, ProposalPage, Receivable, ReceivablePage, account_of
from application.postpaid.stream import load_postpaid
from bootstrap import open_pool, open_store
from commandline.orders import money_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import table
from projections.postpaid import PostpaidReader
from settings import Settings

_HEAD = ("DUE", "REFERENCE", "UNPAID", "ORDER", "ACCOUNT")
_DAY_US = 24 * 3600 * 1_000_000


def add_postpaid(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    noun = nouns["postpaid"]
    listing = add_tool(noun, "list", run_list, "orders on account that are not paid, soonest due first")
    listing.add_argument("--overdue", action="store_true", help="only those that should have been paid")
    listing.add_argument("--after", metavar="TEXT", help="`next_after` of the page before")
    listing.add_argument(
        "--limit", type=int, default=100, metavar="NUMBER", help="of how many accounts (%(default)s)"
    )
    waiting = add_tool(noun, "proposals", run_proposals, "limits that wait for a second operator")
    waiting.add_argument("--after", type=UUID, metavar="UUID", help="`next_after` of the page before")
    waiting.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    one = add_tool(noun, "show", run_show, "what an account may buy on account, and what of it is unpaid")
    one.add_argument("--account-id", type=UUID, required=True, metavar="UUID")


def run_list(settings: Settings, values: argparse.Namespace) -> Outcome:
    now_us = SystemClock().now_us()
    with open_pool(settings) as pool:
        page = PostpaidReader(pool).receivables(
            now_us=now_us, overdue=values.overdue, after=values.after, limit=values.limit
        )
    return Outcome(page, text=_receivables_text(page, now_us=now_us))


def run_proposals(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = PostpaidReader(pool).waiting(
            now_us=SystemClock().now_us(), after=values.after, limit=values.limit
        )
    return Outcome(page, text=_proposals_text(page))


def run_show(settings: Settings, values: argparse.Namespace) -> Outcome:
    now_us = SystemClock().now_us()
    with open_store(settings) as store:
        load_account(store, values.account_id)
        shown = account_of(values.account_id, load_postpaid(store, values.account_id), now_us=now_us)
    return Outcome(shown, text=_account_text(shown, now_us=now_us))


def _receivables_text(page: ReceivablePage, *, now_us: int) -> str:
    listed = _table(page.items, now_us=now_us)
    sums = "".join(
        f"{money_of(one.unpaid_minor, one.currency, one.exponent)} unpaid of {one.orders} orders, "
        f"{money_of(one.overdue_minor, one.currency, one.exponent)} overdue\n"
        for one in page.sums
    )
    more = "" if page.next_after is None else f"More with --after {page.next_after}\n"
    return f"{listed}\n{sums}{more}"


def _table(items: tuple[Receivable, ...], *, now_us: int) -> str:
    rows = [
        (
            _due(one.due_us, now_us=now_us),
            one.reference,
            money_of(one.unpaid_minor, one.currency, one.exponent),
            str(one.order_id),
            str(one.account_id),
        )
        for one in items
    ]
    return table(_HEAD, rows) if rows else "Nothing is unpaid.\n"


def _due(due_us: int, *, now_us: int) -> str:
    days = abs(due_us - now_us) / _DAY_US
    return f"{days:.1f} days over" if due_us <= now_us else f"in {days:.1f} days"


def _proposals_text(page: ProposalPage) -> str:
    rows = [
        (
            str(one.account_id),
            str(one.proposal_id),
            money_of(one.proposal.limit_minor, one.proposal.currency, one.proposal.exponent),
            str(one.proposal.days_to_pay),
            one.proposal.proposed_by,
            one.proposal.reason,
        )
        for one in page.items
    ]
    return table(("ACCOUNT", "PROPOSAL", "LIMIT", "DAYS", "BY", "WHY"), rows) if rows else "Nothing waits.\n"


def _account_text(shown: AccountPostpaid, *, now_us: int) -> str:
    limit = shown.limit
    if limit is None:
        head = "Nothing is sold on account.\n"
    else:
        whole = money_of(limit.limit_minor, limit.currency, limit.exponent)
        left = money_of(shown.left_minor, limit.currency, limit.exponent)
        head = f"Up to {whole}, to be paid within {limit.days_to_pay} days; {left} are left.\n"
    return f"{head}\n{_table(shown.unpaid, now_us=now_us)}"
