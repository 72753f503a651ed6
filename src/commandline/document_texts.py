"""Lists of documents as people read them."""

from collections.abc import Mapping

from application.invoicing.queries import DocumentPage, DuePage
from commandline.orders import money_of
from commandline.texts import table, time_of
from domain.recharge.currencies import exponent_of


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


def retry_text(issued: int, hindered: Mapping[str, str]) -> str:
    text = f"Issued: {issued}.\n"
    if hindered:
        text += "\n" + table(("NOT ISSUED", "BECAUSE"), list(hindered.items()))
    return text


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
