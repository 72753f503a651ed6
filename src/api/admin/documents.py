"""The GET routes of invoices and credit notes."""

from typing import Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

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

    return [read_document]
