"""Invoices and credit notes: the companies that sell, their series of numbers, and every document with its file."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.headers import HEADERS
from api.console.pages import Pages
from application.invoicing.list_documents import list_documents
from application.invoicing.list_rates import list_rates
from application.invoicing.show_document import show_document
from application.invoicing.streams import load_document
from domain.invoicing.document import existing
from domain.invoicing.rates import DAYS_USUAL
from domain.invoicing.sellers import SellerBook, Series
from domain.invoicing.tax_currencies import tax_currency_of

_READ: Final = {NEEDS: Needs("staff", "read")}
_ROWS: Final = 25


def invoice_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/invoices`."""
    tools = pages.tools.admin
    store, directory = tools.ports.store, tools.directory

    def listed(series: Series | None, before: int | None) -> dict[str, Any]:
        page = None if series is None else list_documents(store, series, before=before, limit=_ROWS)
        ids = [] if page is None else list({row.document.issued.account_id for row in page.items})
        return {"page": page, "names": names_of(tools.ports, ids)}

    def rates_of(sellers: list[SellerBook]) -> list[dict[str, Any]]:
        now_us = tools.ports.clock.now_us()
        return [
            {"seller_id": book.seller_id, "seller": book.seller.legal_name, **msgspec.structs.asdict(row)}
            for book in sellers
            for row in list_rates(store, book, now_us=now_us)
        ]

    def turn_of(series: Series) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            page = list_documents(store, series, before=at, limit=PAGE_ROWS)
            rows = [
                {
                    "number": row.number,
                    "left_minor": row.left_minor,
                    "issued": _without_envelope(row.document.issued),
                }
                for row in page.items
            ]
            return rows, page.next_before

        return turn

    @get("/console/invoices", opt=_READ)
    async def list_invoices(
        request: Request[Any, Any, Any],
        series: FromQuery[str] = "",
        before: FromQuery[str] = "",
        edit: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        sellers = sorted(directory.sellers.values(), key=lambda one: one.seller.legal_name)
        chosen = _chosen(sellers, looking.uuid_of(series))
        if form in FORMS and chosen is not None and request.query_params.get("table") == "series":
            return await stream_of(turn_of(chosen), name=f"series-{chosen.series_id}", form=form)
        context = await asyncio.to_thread(listed, chosen, looking.number_of(before))
        rates = await asyncio.to_thread(rates_of, sellers)
        return pages.page(
            request,
            "admin/invoices.html",
            tables={"sellers": sellers, "rates": rates},
            rates=rates,
            rate_pairs=_rate_pairs(sellers),
            rate_days=DAYS_USUAL,
            sellers=sellers,
            seller_pairs=[(one.seller_id, one.seller.legal_name) for one in sellers],
            chosen=chosen,
            edited=directory.sellers.get(looking.uuid_of(edit) or UUID(int=0)),
            is_new=edit == "new",
            **context,
        )

    def one(document_id: UUID) -> dict[str, Any]:
        document = show_document(store, tools.ports.personal, document_id)
        account_id = UUID(document.issued["account_id"])
        return {
            "document": document,
            "account_name": names_of(tools.ports, [account_id]).get(account_id),
            "notes": [
                (one, existing(load_document(store, one)).issued.number_text)
                for one in document.credit_note_ids
            ],
        }

    @get("/console/invoices/{document_id:uuid}", opt=_READ)
    async def show_invoice(request: Request[Any, Any, Any], document_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(one, document_id)
        tables = {"lines": context["document"].issued["lines"]}
        return pages.page(request, "admin/invoice.html", tables=tables, **context)

    @get("/console/invoices/{document_id:uuid}/pdf", opt=_READ)
    async def read_pdf(document_id: FromPath[UUID], *, receipt: FromQuery[bool] = False) -> Response[bytes]:
        """With its e-invoice inside, always the same bytes; or the receipt for an invoice that was paid."""
        document = await asyncio.to_thread(show_document, store, tools.ports.personal, document_id)
        pdf = await asyncio.to_thread(tools.files.receipt if receipt else tools.files.pdf, document_id)
        name = "".join(one if one.isalnum() or one in "-_" else "-" for one in document.number)
        headers = {**HEADERS, "content-disposition": f'inline; filename="{name}.pdf"'}
        return Response(pdf, media_type="application/pdf", headers=headers)

    return [list_invoices, show_invoice, read_pdf]


def _rate_pairs(sellers: list[SellerBook]) -> list[tuple[UUID, str]]:
    """Those who may need rates, each with the currency that they are in."""
    read = [(one, tax_currency_of(one.seller.country)) for one in sellers]
    return [(one.seller_id, f"{one.seller.legal_name} ({into})") for one, into in read if into is not None]


def _chosen(sellers: list[SellerBook], series_id: UUID | None) -> Series | None:
    """The series that was asked for; else the newest for invoices."""
    every = [one for book in sellers for one in book.series]
    found = next((one for one in every if one.series_id == series_id), None)
    return found or next((one for one in reversed(every) if one.kind == "invoice"), None)


def _without_envelope(issued: Any) -> dict[str, Any]:
    """What was issued, but for its buyer, who is sealed."""
    return {name: value for name, value in msgspec.structs.asdict(issued).items() if name != "pii"}
