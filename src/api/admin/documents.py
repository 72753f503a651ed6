"""The GET routes of invoices and credit notes."""

from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.tools import AdminTools
from application.invoicing.show_document import DocumentDetail, show_document

_READ: Final = {PERMISSION: "read"}


def document_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What was issued, with its buyer."""

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
        pdf = files.receipt(document_id) if receipt else files.pdf(document_id)
        return Response(pdf, media_type="application/pdf", headers={"cache-control": "no-store"})

    return [read_document, read_document_pdf]
