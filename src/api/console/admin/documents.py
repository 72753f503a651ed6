"""Invoices and credit notes of all series, found by account, order or number; and what is called for and not issued yet."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.tools import AdminTools
from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application.invoicing.hindrance import hindrance_of
from application.invoicing.queries import DocumentFilter, DueDocument
from application.invoicing.set_invoicing import load_invoicing
from application.recharge.queries import OrderFilter
from application.vault import VaultError
from domain.invoicing.sellers import DocumentKind
from domain.recharge.reference import read_reference, reference_of
from domain.refusal import Refusal

_READ: Final = {NEEDS: Needs("staff", "read")}
_KINDS: Final = get_args(DocumentKind)
#: What is due and not issued for so long cannot be issued.
LATE_US: Final = 10 * 60 * 1_000_000
_NO_ORDER: Final = UUID(int=0)
_TRIED_MAX: Final = 20
"""So many of a page are looked into: each takes a few reads."""


def document_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/documents`, `/console/documents/due`."""
    return [*_issued_routes(pages), *_due_routes(pages)]


def _issued_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(wanted: DocumentFilter) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.documents.documents(wanted, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def found(wanted: DocumentFilter, before: int | None) -> dict[str, Any]:
        page = tools.documents.documents(wanted, before_position=before, limit=looking.PAGE_ROWS)
        return {"page": page, "names": names_of(tools.ports, list({row.account_id for row in page.items}))}

    @get("/console/documents", opt=_READ)
    async def list_documents(
        *,
        request: Request[Any, Any, Any],
        document_kind: Annotated[str, QueryParameter(name="kind")] = "",
        account: FromQuery[str] = "",
        order: FromQuery[str] = "",
        number: FromQuery[str] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        order_id = await asyncio.to_thread(_order_of, tools, order)
        wanted = DocumentFilter(
            kind=looking.one_of(document_kind, _KINDS),
            account_id=looking.uuid_of(account),
            order_id=order_id,
            number=number.strip() or None,
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="documents", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(before))
        shown = order if order_id in (None, _NO_ORDER) else reference_of(order_id)
        filters = {"kind": document_kind, "account": account, "order": shown, "number": number}
        return pages.page(request, "admin/documents.html", filters=filters, **context)

    return [list_documents]


def _order_of(tools: AdminTools, text: str) -> UUID | None:
    """The order that a filter names by its reference or its id; one that nobody has for a reference that nobody has. Blocking."""
    reference = read_reference(text)
    if reference is None:
        return looking.uuid_of(text)
    found = tools.orders.orders(OrderFilter(reference=reference), limit=1).items
    return found[0].order_id if found else _NO_ORDER


def _due_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def from_us() -> int:
        terms = load_invoicing(tools.ports.store).current
        return 0 if terms is None else terms.from_us

    def turn(at: Any) -> tuple[Any, Any]:
        page = tools.documents.due(from_us=from_us(), after_position=at or 0, limit=PAGE_ROWS)
        return page.items, page.next_after

    def hindrances(rows: Sequence[DueDocument]) -> dict[UUID, Refusal]:
        """Of those that are late, what is in the way of each."""
        until_us = tools.ports.clock.now_us() - LATE_US
        late = [row for row in rows if row.state == "due" and row.occurred_us < until_us]
        try:
            told = {row.document_id: hindrance_of(row, ports=tools.ports) for row in late[:_TRIED_MAX]}
        except VaultError:  # nobody can tell who they are for, and so nobody issues any
            return {}
        return {document_id: refusal for document_id, refusal in told.items() if refusal is not None}

    def found(after: int) -> dict[str, Any]:
        terms = load_invoicing(tools.ports.store).current
        page = tools.documents.due(from_us=from_us(), after_position=after, limit=looking.PAGE_ROWS)
        return {
            "page": page,
            "terms": terms,
            "hindrances": hindrances(page.items),
            "names": names_of(tools.ports, list({row.account_id for row in page.items})),
        }

    @get("/console/documents/due", opt=_READ)
    async def list_due(
        request: Request[Any, Any, Any], after: FromQuery[str] = "", form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn, name="documents-due", form=form)
        context = await asyncio.to_thread(found, looking.number_of(after) or 0)
        sellers = {one.seller_id: one.seller.legal_name for one in tools.directory.sellers.values()}
        return pages.page(request, "admin/documents_due.html", sellers=sellers, late_us=LATE_US, **context)

    return [list_due]
