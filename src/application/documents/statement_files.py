"""A whole statement as a file: for people as PDF, for spreadsheets as CSV, for programs as JSON, each with its seal."""

from typing import Final, Literal

import msgspec

from application.documents.page import Printer
from application.documents.statements import StatementAsked, page_of_statement
from application.eventlog import EventStore
from application.names import NameBook
from application.privacy import PersonalData
from application.reports.statement import StatementQueries
from application.reports.statement_file import LINES_MAX, statement_file
from application.reports.statement_seal import Roots, seal_of

StatementForm = Literal["pdf", "csv", "json"]
MEDIA: Final[dict[StatementForm, str]] = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "json": "application/json",
}


class StatementFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Blocking, for seconds where something is printed; safe to use from threads."""

    statements: StatementQueries
    store: EventStore
    personal: PersonalData
    names: NameBook
    printer: Printer
    roots: Roots | None  #: none where the log is not sealed

    def file(self, asked: StatementAsked, form: StatementForm) -> bytes:
        """Of a period that is over always the same bytes, once it is sealed.

        Raises:
            BadField: the zone is not known, or there are too many lines for CSV and JSON.
            PrintingFailed and others as `page_of_statement`, for PDF.
        """
        if form == "pdf":
            page = page_of_statement(
                asked,
                statements=self.statements,
                store=self.store,
                personal=self.personal,
                names=self.names,
                roots=self.roots,
            )
            return self.printer.print_pdf(page)
        whole = self.statements.whole_statement(
            asked.account_id, asked.period, zone=asked.zone, lines_max=LINES_MAX
        )
        return statement_file(whole, form, seal_of(whole.lines, self.roots))
