"""Commands of the command line that show offers and orders."""

import argparse
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from application.recharge.list_offers import list_offers
from application.recharge.queries import OrderFilter, OrderPage, OrderRow
from application.recharge.show_order import OrderDetail, show_order
from bootstrap import open_pool, open_store
from commandline.outcome import Outcome, add_tool
from commandline.texts import credits_of, table, time_of
from domain.recharge.offers import Offer
from domain.recharge.order import OrderStatus
from domain.recharge.reference import read_reference
from projections.orders import OrderReader
from settings import Settings


def add_orders(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    add_tool(nouns["offer"], "list", run_offers, "what credit costs, by currency")
    listing = add_tool(nouns["order"], "list", run_orders, "orders of credit, newest first")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--status", choices=get_args(OrderStatus), help="that stand so")
    listing.add_argument("--provider", metavar="NAME", help="paid through this provider")
    listing.add_argument("--reference", metavar="TEXT", help="with this reference on the transfer")
    listing.add_argument("--needs-somebody", action="store_true", help="that an operator must look at")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    show = add_tool(nouns["order"], "show", run_order, "one order with all that happened to it")
    show.add_argument("--order-id", type=UUID, required=True, metavar="UUID")


def run_offers(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        offers = list_offers(store)
    return Outcome(offers, text=_offers_text(offers))


def run_orders(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = OrderFilter(
        account_id=values.account_id,
        status=values.status,
        provider=values.provider,
        reference=values.reference and (read_reference(values.reference) or values.reference),
        needs_somebody=True if values.needs_somebody else None,
    )
    with open_pool(settings) as pool:
        page = OrderReader(pool).orders(wanted, before_position=values.before_position, limit=values.limit)
    return Outcome(page, text=_orders_text(page))


def run_order(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        detail = show_order(store, values.order_id)
    return Outcome(detail, text=_order_text(detail))


def money_of(amount_minor: int, currency: str, exponent: int) -> str:
    """Such as `12.50 EUR`."""
    return f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f} {currency}"


def _offers_text(offers: Sequence[Offer]) -> str:
    if not offers:
        return "Nothing is offered; `tokenok offer set` does.\n"
    rows = [
        (
            one.currency,
            f"{one.rate_num}/{one.rate_den}",
            str(len(one.packages)),
            "-" if one.free is None else f"{one.free.min_minor} to {one.free.max_minor}",
            "open" if one.open else "closed",
        )
        for one in offers
    ]
    return table(("CURRENCY", "NANO-CREDITS PER MINOR UNIT", "PACKAGES", "FREE AMOUNTS", "STATE"), rows)


def _orders_text(page: OrderPage) -> str:
    if not page.items:
        return "No orders.\n"
    head = ("PLACED (UTC)", "ORDER", "STATUS", "TO PAY", "CREDITS", "THROUGH", "REFERENCE")
    text = table(head, [_order_cells(row) for row in page.items])
    if page.next_before is not None:
        text += f"\nMore with --before-position {page.next_before}\n"
    return text


def _order_cells(row: OrderRow) -> tuple[str, ...]:
    status = row.status + (", not paid" if row.owed_minor else "")
    status += ", needs approval" if row.waits_for_approval else ""
    return (
        f"{time_of(row.placed_us):%Y-%m-%d %H:%M:%S}",
        str(row.order_id),
        status + (", payment does not match" if row.mismatched else ""),
        money_of(row.amount_minor, row.currency, row.exponent),
        credits_of(row.credits_nano),
        row.provider,
        row.reference,
    )


def _order_text(detail: OrderDetail) -> str:
    owed = (
        [("owed", money_of(detail.owed_minor, detail.currency, detail.exponent))] if detail.owed_minor else []
    )
    rows = [
        ("status", detail.status + (", needs approval" if detail.waits_for_approval else "")),
        ("account", str(detail.account_id)),
        ("to pay", money_of(detail.amount_minor, detail.currency, detail.exponent)),
        ("of it tax", money_of(detail.tax.tax_minor, detail.currency, detail.exponent)),
        *owed,
        ("gone back", money_of(detail.refunded_minor, detail.currency, detail.exponent)),
        ("credits", f"{credits_of(detail.credits_nano)}, of them bonus {credits_of(detail.bonus_nano)}"),
        ("through", f"{detail.provider} ({detail.mode})"),
        ("reference", detail.reference),
        ("expires", f"{time_of(detail.expires_us):%Y-%m-%d %H:%M:%S}"),
    ]
    figures = "".join(f"{name:<11}{value}\n" for name, value in rows)
    facts = [(f"{time_of(one.occurred_us):%Y-%m-%d %H:%M:%S}", one.topic, one.actor) for one in detail.facts]
    return figures + "\n" + table(("WHEN (UTC)", "FACT", "BY"), facts)
