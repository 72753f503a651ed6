"""Commands of the command line that show documents and make their files."""

import argparse
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.documents.printing import ChildPrinter
from adapters.exporting.folder import new_file
from application.clock import SystemClock
from application.documents.statements import StatementAsked, page_of_statement
from application.i18n.locales import LOCALES, SOURCE
from application.invoicing.files import DocumentFiles
from application.invoicing.show_document import show_document
from application.reports.period import month
from bootstrap import document_files, make_ports, open_pool, open_store, ports_of
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from projections.statement_reader import StatementReader
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
        page = page_of_statement(
            asked,
            statements=StatementReader(pool),
            store=store,
            personal=ports.personal,
            names=ports.names,
        )
    return _written(values.out, ChildPrinter().print_pdf(page))


@contextmanager
def _files(settings: Settings) -> Iterator[DocumentFiles]:
    with open_store(settings) as store, open_pool(settings) as pool:
        yield document_files(make_ports(settings, store=store, pool=pool, clock=SystemClock()), pool)


def _written(place: Path, content: bytes) -> Outcome:
    with new_file(place) as file:
        file.write(content)
    return Outcome({"file": str(place), "sha256": hashlib.sha256(content).hexdigest()})
