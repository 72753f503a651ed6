"""One order: what is to be paid, the way to the payment provider, and what became of it.

A customer comes back here from the provider, to `/orders/<id>` without knowing the account. Coming back credits nothing, whatever the
address says: the page shows the order as the log has it, and asks for itself again while something may still happen.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.codes import code_of
from api.console.access import NEEDS, Needs, visit_of
from api.console.acting import refused, turned_back
from api.console.headers import HEADERS
from api.console.pages import Flash, Pages
from api.console.scanning import scannable
from application.checkout.open_checkout import CheckoutOpened, OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import ProviderError
from application.documents.page import PrintingFailed
from application.eventlog import EventLogError, EventStore
from application.i18n.locales import best_locale
from application.invoicing.queries import invoice_of
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_billing, load_document
from application.recharge.cancel_order import CancelOrder
from application.recharge.cancel_order import handle as cancel
from application.recharge.change_order import load_order
from application.recharge.show_order import OrderDetail, show_order
from application.refunds.file_request import askable_minor
from domain.recharge.order import BY_TRANSFER
from domain.refusal import NotFound, Refusal

Asked = Request[Any, Any, Any]
_READ: Final = {NEEDS: Needs("account", "read")}
_BILLING: Final = {NEEDS: Needs("account", "billing")}
_PERSON: Final = {NEEDS: Needs("person")}
_REASON: Final = "cancelled by the customer"
_WEB: Final = frozenset({"https", "http"})

log = structlog.get_logger()


def order_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/orders/<order>` and what can be done there; `/orders/<order>`, where providers send customers back to."""
    return [*_showing(pages), *_paying(pages)]


def _showing(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def found(account_id: UUID, order_id: UUID) -> dict[str, Any]:
        order = _own(pages, account_id, order_id)
        invoice = load_document(tools.ports.store, invoice_of(order_id))
        return {
            "order": order,
            "bank_lines": pages.tools.bank_lines,
            "invoice": invoice,
            "awaits": "" if invoice else _invoice_awaits(tools.ports.store, order),
            "placed_us": order.facts[0].occurred_us,
            "askable_minor": askable_minor(tools.ports.store, order_id),
            "is_on": order.provider in BY_TRANSFER or order.provider in _names(pages),
        }

    @get("/app/{account_id:uuid}/orders/{order_id:uuid}", opt=_READ)
    async def show_one(request: Asked, account_id: FromPath[UUID], order_id: FromPath[UUID]) -> Response[str]:
        values = await asyncio.to_thread(found, account_id, order_id)
        return pages.page(request, "workspace/order.html", **values)

    @get("/app/{account_id:uuid}/orders/{order_id:uuid}/invoice", opt=_READ)
    async def download_invoice(account_id: FromPath[UUID], order_id: FromPath[UUID]) -> Response[bytes]:
        """As PDF, always the same bytes."""
        await asyncio.to_thread(_own, pages, account_id, order_id)
        pdf = await asyncio.to_thread(tools.files.pdf, invoice_of(order_id))
        name = f'attachment; filename="invoice-{order_id}.pdf"'
        return Response(pdf, media_type="application/pdf", headers={**HEADERS, "content-disposition": name})

    @get("/app/{account_id:uuid}/orders/{order_id:uuid}/receipt", opt=_READ)
    async def download_receipt(
        request: Asked, account_id: FromPath[UUID], order_id: FromPath[UUID]
    ) -> Response[Any]:
        """For what was paid, whether there is an invoice or not."""
        await asyncio.to_thread(_own, pages, account_id, order_id)
        locale = best_locale(visit_of(request).language)
        try:
            pdf = await asyncio.to_thread(tools.order_receipts.pdf, order_id, locale=locale)
        except (Refusal, PrintingFailed) as error:
            return turned_back(pages, error, back=f"/app/{account_id}/orders/{order_id}")
        name = f'attachment; filename="receipt-{order_id}.pdf"'
        return Response(pdf, media_type="application/pdf", headers={**HEADERS, "content-disposition": name})

    @get("/orders/{order_id:uuid}", opt=_PERSON)
    async def come_back(request: Asked, order_id: FromPath[UUID]) -> Response[str]:
        """To the order's page, if it is one of an account of the person's. Nothing else of the address is looked at."""
        order = await asyncio.to_thread(load_order, tools.ports.store, order_id)
        members = tools.directory.members.get(order.account_id)
        if members is None or visit_of(request).person_id not in members.members:
            raise NotFound("order", order_id)
        return pages.see(f"/app/{order.account_id}/orders/{order_id}")

    return [show_one, download_invoice, download_receipt, come_back]


def _paying(pages: Pages) -> list[HTTPRouteHandler]:
    ports = pages.tools.admin.ports

    def opened(account_id: UUID, order_id: UUID, request: Asked) -> CheckoutOpened:
        _own(pages, account_id, order_id)
        return open_checkout(OpenCheckout(order_id=order_id), actor=visit_of(request).member, ports=ports)

    @post("/app/{account_id:uuid}/orders/{order_id:uuid}/pay", opt=_BILLING)
    async def pay(request: Asked, account_id: FromPath[UUID], order_id: FromPath[UUID]) -> Response[str]:
        """On the way to the provider's page; or its code, for a phone to read."""
        home = f"/app/{account_id}/orders/{order_id}"
        try:
            page = await asyncio.to_thread(opened, account_id, order_id, request)
        except (ProviderError, EventLogError, Refusal) as error:
            if isinstance(error, NotFound):
                raise
            log.warning("checkout_not_opened", order_id=str(order_id), error=type(error).__name__)
            return await refused(pages, request, code_of(error), "", back=home)
        order = await asyncio.to_thread(_own, pages, account_id, order_id)
        values: dict[str, Any] = {
            "order": order,
            "home": home,
            "url": page.url,
            "host": urlsplit(page.url).netloc,
        }
        if page.is_code:
            return pages.page(request, "workspace/pay_code.html", code=scannable(page.url), **values)
        assert urlsplit(page.url).scheme in _WEB, "a provider's page is on the web"
        return pages.page(request, "workspace/pay.html", **values)

    def cancelled(account_id: UUID, order_id: UUID, request: Asked) -> None:
        _own(pages, account_id, order_id)
        command = CancelOrder(order_id=order_id, reason=_REASON)
        cancel(command, actor=visit_of(request).member, ports=ports)

    @post("/app/{account_id:uuid}/orders/{order_id:uuid}/cancel", opt=_BILLING)
    async def cancel_order(
        request: Asked, account_id: FromPath[UUID], order_id: FromPath[UUID]
    ) -> Response[str]:
        home = f"/app/{account_id}/orders/{order_id}"
        try:
            await asyncio.to_thread(cancelled, account_id, order_id, request)
        except (EventLogError, Refusal) as error:
            if isinstance(error, NotFound):
                raise
            return await refused(pages, request, code_of(error), "", back=home)
        return pages.see(home, Flash("order_cancelled"))

    return [pay, cancel_order]


def _invoice_awaits(store: EventStore, order: OrderDetail) -> str:
    """What keeps the invoice of a credited order away: that it is being made, a buyer, or that none is made by itself. Blocking."""
    terms = load_invoicing(store).current
    if order.status != "credited" or terms is None or terms.seller_id is None:
        return ""
    if order.facts[-1].occurred_us < terms.from_us:
        return ""
    return "making" if load_billing(store, order.account_id).profile else "buyer"


def _own(pages: Pages, account_id: UUID, order_id: UUID) -> OrderDetail:
    """The order, if it is the account's; otherwise as if there were none. Blocking."""
    order = show_order(pages.tools.admin.ports.store, order_id)
    if order.account_id != account_id:
        raise NotFound("order", order_id)
    return order


def _names(pages: Pages) -> set[str]:
    return {one.name for one in pages.tools.admin.ports.checkouts.all()}
