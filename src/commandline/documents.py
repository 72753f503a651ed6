"""Commands of the command line that show documents and make their files."""

import argparse
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from adapters.documents.printing import ChildPrinter
from adapters.exporting.folder import new_file
from application.clock import SystemClock
from application.documents.statements import StatementAsked
from application.i18n.locales import LOCALES, SOURCE
from application.invoicing.files import DocumentFiles
from application.invoicing.hindrance import hindrance_of
from application.invoicing.list_rates import list_rates
from application.invoicing.queries import DocumentFilter
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.show_document import show_document
from application.invoicing.streams import load_seller
from application.queries import PAGE_ROWS_MAX
from application.reports.period import month
from bootstrap import make_ports, open_pool, open_store, ports_of, sealed_log
from commandline.document_texts import documents_text, due_text, rates_text, retry_text
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from domain.invoicing.sellers import DocumentKind
from paper_tools import document_clerk, document_files, order_receipts, statement_files
from projections.document_reader import DocumentReader
from settings import Settings


def add_documents(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    show = add_tool(nouns["document"], "show", run_document, "one invoice or credit note, with its buyer")
    pdf = add_tool(
        nouns["document"], "pdf", run_pdf, "an invoice or credit note as PDF, always the same bytes"
    )
    pdf.add_argument("--receipt", action="store_true", help="the receipt for an invoice that was paid")
    xml = add_tool(nouns["document"], "xml", run_xml, "the e-invoice (EN 16931) by itself")
    for one in (show, pdf, xml):
        one.add_argument("--document-id", type=UUID, required=True, metavar="UUID")
    for one in (pdf, xml):
        one.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
        )
    listing = add_tool(nouns["document"], "list", run_documents, "invoices and credit notes, newest first")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--kind", choices=get_args(DocumentKind), help="of this kind")
    listing.add_argument("--order-id", type=UUID, metavar="UUID", help="of this order")
    listing.add_argument("--number", metavar="TEXT", help="with this number")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    due = add_tool(
        nouns["document"], "due", run_due, "what orders and refunds call for and is not issued, oldest first"
    )
    due.add_argument(
        "--after-position", type=int, default=0, metavar="NUMBER", help="`next_after` of the page before"
    )
    for one in (listing, due):
        one.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    add_tool(
        nouns["document"],
        "retry",
        run_retry,
        "issue what is due at once, and say what is in the way of the rest",
    )
    rates = add_tool(
        nouns["exchange-rate"], "list", run_rates, "what a seller's invoices would note today, by currency"
    )
    rates.add_argument("--seller-id", type=UUID, required=True, metavar="UUID")
    receipt = add_tool(
        nouns["order"], "receipt", run_receipt, "the receipt for an order that was paid, as PDF"
    )
    receipt.add_argument("--order-id", type=UUID, required=True, metavar="UUID")
    receipt.add_argument("--locale", choices=LOCALES, default=SOURCE, help="in this language (%(default)s)")
    receipt.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
    )
    statement = add_tool(nouns["statement"], "pdf", run_statement_pdf, "the statement of a month as PDF")
    statement.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    statement.add_argument("--month", required=True, metavar="YYYY-MM")
    statement.add_argument("--zone", default="UTC", metavar="NAME", help="whose month it is (%(default)s)")
    statement.add_argument("--locale", choices=LOCALES, default=SOURCE, help="in this language (%(default)s)")
    statement.add_argument("--seller-id", type=UUID, metavar="UUID", help="whose statement it is")
    statement.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
    )


def run_document(settings: Settings, values: argparse.Namespace) -> Outcome:
    with ports_of(settings) as ports:
        return Outcome(show_document(ports.store, ports.personal, values.document_id))


def run_documents(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = DocumentFilter(
        account_id=values.account_id, kind=values.kind, order_id=values.order_id, number=values.number
    )
    with open_pool(settings) as pool:
        page = DocumentReader(pool).documents(
            wanted, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=documents_text(page))


def run_due(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        terms = load_invoicing(store).current
        from_us = 0 if terms is None else terms.from_us
        page = DocumentReader(pool).due(
            from_us=from_us, after_position=values.after_position, limit=values.limit
        )
    return Outcome(page, text=due_text(page))


def run_retry(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        ports = make_ports(settings, store=store, pool=pool, clock=SystemClock())
        issued = document_clerk(ports, pool).issue_due()
        terms = load_invoicing(store).current
        due = DocumentReader(pool).due(from_us=terms.from_us if terms else 0, ready=True, limit=PAGE_ROWS_MAX)
        found = {str(one.document_id): hindrance_of(one, ports=ports) for one in due.items}
    hindered = {document_id: refusal for document_id, refusal in found.items() if refusal is not None}
    return Outcome(
        {"issued": issued, "hindered": {document_id: one.code for document_id, one in hindered.items()}},
        status=1 if hindered else 0,
        text=retry_text(issued, hindered),
    )


def run_rates(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store:
        rows = list_rates(store, load_seller(store, values.seller_id), now_us=SystemClock().now_us())
    return Outcome(rows, text=rates_text(rows))


def run_receipt(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        ports = make_ports(settings, store=store, pool=pool, clock=SystemClock())
        printer = ChildPrinter()
        receipts = order_receipts(ports, document_files(ports, pool, printer), printer)
        return _written(values.out, receipts.pdf(values.order_id, locale=values.locale))


def run_pdf(settings: Settings, values: argparse.Namespace) -> Outcome:
    with _files(settings) as files:
        make = files.receipt if values.receipt else files.pdf
        return _written(values.out, make(values.document_id))


def run_xml(settings: Settings, values: argparse.Namespace) -> Outcome:
    with _files(settings) as files:
        xml = files.xml(values.document_id)
    if xml is None:
        raise BadArgument("the currency has more decimals than EN 16931 knows")
    return _written(values.out, xml)


def run_statement_pdf(settings: Settings, values: argparse.Namespace) -> Outcome:
    asked = StatementAsked(
        account_id=values.account_id,
        period=month(values.month, zone=values.zone),
        zone=values.zone,
        locale=values.locale,
        seller_id=values.seller_id,
    )
    with open_store(settings) as store, open_pool(settings) as pool:
        ports = make_ports(settings, store=store, pool=pool, clock=SystemClock())
        sealed = sealed_log(settings, log=store, clock=SystemClock())
        content = statement_files(ports, pool, ChildPrinter(), sealed).file(asked, "pdf")
    return _written(values.out, content)


@contextmanager
def _files(settings: Settings) -> Iterator[DocumentFiles]:
    with open_store(settings) as store, open_pool(settings) as pool:
        ports = make_ports(settings, store=store, pool=pool, clock=SystemClock())
        yield document_files(ports, pool, ChildPrinter())


def _written(place: Path, content: bytes) -> Outcome:
    with new_file(place) as file:
        file.write(content)
    return Outcome({"file": str(place), "sha256": hashlib.sha256(content).hexdigest()})
