"""Commands of the command line that show refunds which customers ask for."""

import argparse
from typing import Any, get_args
from uuid import UUID

from application.clock import SystemClock
from application.refunds.queries import RefundRequestFilter, RefundRequestPage, RefundRequestRow
from bootstrap import open_pool
from commandline.orders import money_of
from commandline.outcome import Outcome, add_tool
from commandline.texts import table
from domain.recharge.currencies import EXPONENTS
from domain.recharge.returns import RequestState
from projections.refund_requests import RefundRequestReader
from settings import Settings

_HOUR_S = 3_600
_US = 1_000_000


def add_refunds(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    listing = add_tool(
        nouns["refund-request"], "list", run_requests, "refunds that customers asked for, oldest first"
    )
    listing.add_argument("--state", choices=get_args(RequestState), help="`open` for an operator")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--order-id", type=UUID, metavar="UUID", help="of this order")
    listing.add_argument(
        "--after-position", type=int, default=0, metavar="NUMBER", help="`next_after` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_requests(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = RefundRequestFilter(state=values.state, account_id=values.account_id, order_id=values.order_id)
    now_us = SystemClock().now_us()
    with open_pool(settings) as pool:
        page = RefundRequestReader(pool).requests(
            wanted, now_us=now_us, after_position=values.after_position, limit=values.limit
        )
    return Outcome(page, text=_text(page, now_us=now_us))


def _text(page: RefundRequestPage, *, now_us: int) -> str:
    head = ("AGE", "REFUND", "ORDER", "ACCOUNT", "UNSPENT THEN", "WHY", "STATE", "BY")
    rows = [_cells(one, now_us=now_us) for one in page.items]
    listed = table(head, rows) if rows else "Nothing.\n"
    queue = f"\n{page.queue.waiting} open, the oldest for {page.queue.oldest_s / _HOUR_S:.1f} h\n"
    more = "" if page.next_after is None else f"More with --after-position {page.next_after}\n"
    return listed + queue + more


def _cells(row: RefundRequestRow, *, now_us: int) -> tuple[str, ...]:
    return (
        f"{(now_us - row.filed_us) / _US / _HOUR_S:.1f} h",
        str(row.refund_id),
        str(row.order_id),
        str(row.account_id),
        money_of(row.unspent_minor, row.currency, EXPONENTS.get(row.currency, 0)),
        row.reason,
        row.state if row.declined_because is None else f"{row.state}: {row.declined_because}",
        row.decided_by or "",
    )
