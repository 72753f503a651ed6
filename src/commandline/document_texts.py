"""Lists of documents as people read them."""

from collections.abc import Mapping, Sequence

from application.invoicing.list_rates import RateRow
from application.invoicing.queries import DocumentPage, DuePage
from commandline.orders import money_of
from commandline.texts import table, time_of
from domain.recharge.currencies import exponent_of
from domain.refusal import Refusal


def documents_text(page: DocumentPage) -> str:
    if not page.items:
        return "No documents.\n"
    rows = [
        (
            one.issued_on,
            one.number,
            one.kind,
            money_of(one.total_minor, one.currency, one.exponent),
            str(one.account_id),
            str(one.document_id),
        )
        for one in page.items
    ]
    text = table(("ISSUED", "NUMBER", "KIND", "TOTAL", "ACCOUNT", "DOCUMENT"), rows)
    if page.next_before is not None:
        text += f"\nMore with --before-position {page.next_before}\n"
    return text


def retry_text(issued: int, hindered: Mapping[str, Refusal]) -> str:
    text = f"Issued: {issued}.\n"
    if hindered:
        rows = [(document_id, one.code, str(one)) for document_id, one in hindered.items()]
        text += "\n" + table(("NOT ISSUED", "BECAUSE", "IN WORDS"), rows)
    return text


def rates_text(rows: Sequence[RateRow]) -> str:
    if not rows:
        return "No invoices of this seller need an exchange rate.\n"
    told = [
        (
            one.currency,
            one.into,
            one.rate or "missing",
            one.published_by or "",
            one.published_on or "",
            one.good_until or "",
        )
        for one in rows
    ]
    return table(("FOR 1", "IN", "RATE", "PUBLISHED BY", "ON", "GOOD UNTIL"), told)


def due_text(page: DuePage) -> str:
    if not page.items:
        return "Nothing is due.\n"
    rows = [
        (
            f"{time_of(one.occurred_us):%Y-%m-%d %H:%M:%S}",
            one.kind,
            one.cause,
            money_of(one.amount_minor, one.currency, exponent_of(one.currency)),
            str(one.account_id),
            str(one.order_id),
            one.state,
        )
        for one in page.items
    ]
    text = table(("SINCE (UTC)", "KIND", "FOR", "AMOUNT", "ACCOUNT", "ORDER", "STATE"), rows)
    if page.next_after is not None:
        text += f"\nMore with --after-position {page.next_after}\n"
    return text
