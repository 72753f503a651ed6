"""The GET routes of invoices and credit notes, of what is due, and of files to print."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.documents.statements import StatementAsked
from application.i18n.locales import SOURCE, Locale
from application.invoicing.list_rates import RateRow, list_rates
from application.invoicing.queries import DocumentFilter, DocumentPage, DuePage
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.show_document import DocumentDetail, show_document
from application.invoicing.streams import load_seller
from application.reports.period import asked
from domain.invoicing.sellers import DocumentKind

_READ: Final = {PERMISSION: "read"}
_PRIVATE: Final = {"cache-control": "no-store"}


def document_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What was issued, with its buyer, and what is to be."""

    @get("/documents", opt=_READ, sync_to_thread=True)
    def list_documents(
        *,
        account_id: FromQuery[UUID | None] = None,
        document_kind: Annotated[DocumentKind | None, QueryParameter(name="kind")] = None,
        order_id: FromQuery[UUID | None] = None,
        number: FromQuery[str | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> DocumentPage:
        """Newest first; `next_before` is the `before_position` of the next page."""
        wanted = DocumentFilter(account_id=account_id, kind=document_kind, order_id=order_id, number=number)
        return tools.documents.documents(wanted, before_position=before_position, limit=limit)

    @get("/documents/due", opt=_READ, sync_to_thread=True)
    def list_due_documents(*, after_position: FromQuery[int] = 0, limit: Limit = PAGE_ROWS) -> DuePage:
        """What orders and refunds call for and is not issued, oldest first, with what each waits for."""
        terms = load_invoicing(tools.ports.store).current
        from_us = 0 if terms is None else terms.from_us
        return tools.documents.due(from_us=from_us, after_position=after_position, limit=limit)

    @get("/exchange-rates", opt=_READ, sync_to_thread=True)
    def list_exchange_rates(*, seller_id: FromQuery[UUID]) -> tuple[RateRow, ...]:
        """What a seller's invoices would note today, for each currency that credit is offered in and its tax office does not read."""
        ports = tools.ports
        return list_rates(ports.store, load_seller(ports.store, seller_id), now_us=ports.clock.now_us())

    @get("/documents/{document_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_document(document_id: FromPath[UUID]) -> DocumentDetail:
        """One invoice or credit note, and where in the log it is."""
        return show_document(tools.ports.store, tools.ports.personal, document_id)

    @get("/documents/{document_id:uuid}/pdf", opt=_READ, sync_to_thread=True)
    def read_document_pdf(
        document_id: FromPath[UUID], *, receipt: FromQuery[bool] = False
    ) -> Response[bytes]:
        """The same as PDF with its e-invoice inside, always the same bytes; or the receipt for an invoice that was paid."""
        files = tools.files
        return _pdf(files.receipt(document_id) if receipt else files.pdf(document_id))

    @get("/orders/{order_id:uuid}/receipt", opt=_READ, sync_to_thread=True)
    def read_order_receipt(
        order_id: FromPath[UUID], *, locale: FromQuery[Locale] = SOURCE
    ) -> Response[bytes]:
        """The receipt for an order that was paid, as PDF: that of its invoice if there is one, else one of its own."""
        return _pdf(tools.order_receipts.pdf(order_id, locale=locale))

    @get("/statements/{account_id:uuid}/pdf", opt=_READ, sync_to_thread=True)
    def read_statement_pdf(
        *,
        account_id: FromPath[UUID],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        locale: FromQuery[Locale] = SOURCE,
        seller_id: FromQuery[UUID | None] = None,
    ) -> Response[bytes]:
        """The statement as PDF, of at most 3,000 lines. One is printed at a time in a process; others wait."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        wanted = StatementAsked(
            account_id=account_id, period=period, zone=zone, locale=locale, seller_id=seller_id
        )
        return _pdf(tools.statement_files.file(wanted, "pdf"))

    return [
        list_documents,
        list_due_documents,
        list_exchange_rates,
        read_document,
        read_document_pdf,
        read_order_receipt,
        read_statement_pdf,
    ]


def _pdf(content: bytes) -> Response[bytes]:
    return Response(content, media_type="application/pdf", headers=_PRIVATE)
