"""A customer's invoices and credit notes, with their files, and receipts for what was paid."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.acting import turned_back
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.headers import HEADERS
from api.console.pages import Pages
from application.documents.page import PrintingFailed
from application.invoicing.queries import DocumentFilter
from application.invoicing.show_document import DocumentDetail, show_document
from domain.invoicing.sellers import DocumentKind
from domain.refusal import NotFound, Refusal

_READ: Final = {NEEDS: Needs("account", "read")}
_KINDS: Final = get_args(DocumentKind)


def document_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/documents` and the file of each."""
    tools = pages.tools.admin

    @get("/app/{account_id:uuid}/documents", opt=_READ)
    async def list_documents(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        document_kind: Annotated[str, QueryParameter(name="kind")] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        kind = looking.one_of(document_kind, _KINDS)
        wanted = DocumentFilter(account_id=account_id, kind=kind)

        def turn(at: Any) -> tuple[Any, Any]:
            found = tools.documents.documents(wanted, before_position=at, limit=PAGE_ROWS)
            return found.items, found.next_before

        if form in FORMS:
            return await stream_of(turn, name="documents", form=form)
        page = await asyncio.to_thread(
            tools.documents.documents,
            wanted,
            before_position=looking.number_of(before),
            limit=looking.PAGE_ROWS,
        )
        return pages.page(request, "workspace/documents.html", documents=page, kind=kind or "", kinds=_KINDS)

    def printed(account_id: UUID, document_id: UUID, *, receipt: bool) -> tuple[DocumentDetail, bytes]:
        document = show_document(tools.ports.store, tools.ports.personal, document_id)
        if document.issued["account_id"] != str(account_id):
            raise NotFound("document", document_id)
        return document, tools.files.receipt(document_id) if receipt else tools.files.pdf(document_id)

    @get("/app/{account_id:uuid}/documents/{document_id:uuid}/pdf", opt=_READ)
    async def download(
        *,
        account_id: FromPath[UUID],
        document_id: FromPath[UUID],
        receipt: FromQuery[bool] = False,
    ) -> Response[Any]:
        """With its e-invoice inside, always the same bytes; or the receipt for an invoice that was paid."""
        try:
            document, pdf = await asyncio.to_thread(printed, account_id, document_id, receipt=receipt)
        except NotFound:
            raise
        except (Refusal, PrintingFailed) as error:
            return turned_back(pages, error, back=f"/app/{account_id}/documents")
        name = looking.file_name(f"receipt-{document.number}" if receipt else document.number)
        headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}.pdf"'}
        return Response(pdf, media_type="application/pdf", headers=headers)

    return [list_documents, download]
