"""The GET routes of what an account has: its name, keys, budgets, models, orders and documents."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS, Page, cut, found, key_items, management_key_items, names_of
from api.customer.access import customer_of
from api.customer.views import CustomerOffers, CustomerOrder, offer_of, order_of
from application import ownership
from application.budgets.queries import AlertPage, BudgetPage
from application.invoicing.queries import DocumentFilter, DocumentPage
from application.invoicing.show_document import DocumentDetail, show_document
from application.postpaid.queries import AccountPostpaid, account_of
from application.postpaid.stream import load_postpaid
from application.recharge.list_offers import list_offers
from application.recharge.queries import OrderFilter, OrderPage
from application.recharge.show_order import show_order
from domain.invoicing.sellers import DocumentKind
from domain.members import MemberPermission
from domain.pricing import Price
from domain.recharge.order import INVOICE, MANUAL, OrderStatus
from domain.refusal import NotFound

READ: Final = {PERMISSION: "read"}


class Myself(msgspec.Struct, frozen=True, kw_only=True):
    """The account, and what the caller may do in it."""

    account_id: UUID
    name: str | None
    status: str
    permissions: tuple[MemberPermission, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What may be written in `model`, and what it costs now: nano-credits per million units."""

    id: str
    price_version: int
    price: Price


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """By name."""

    items: tuple[Model, ...]
    next_after: str | None


def account_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """The account itself, its keys and its models, as the directory knows them."""
    directory, ports = tools.directory, tools.ports

    @get("/account", opt=READ)
    async def read_account(request: Request[Any, Any, Any]) -> Myself:
        """The account, and what the caller may do in it."""
        customer = customer_of(request)
        account = directory.accounts[customer.account_id]
        names = await asyncio.to_thread(names_of, ports, [customer.account_id])
        return Myself(
            account_id=customer.account_id,
            name=names.get(customer.account_id),
            status=account.status,
            permissions=tuple(sorted(customer.permissions)),
        )

    @get("/keys", opt=READ)
    async def list_keys(
        request: Request[Any, Any, Any], after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS
    ) -> Page:
        """API keys by id, revoked ones too; of a secret only its beginning."""
        account_id = customer_of(request).account_id
        ids, next_after = directory.keys_by_account.page(account_id, after=after, limit=limit)
        items = key_items([directory.keys[one] for one in ids], await asyncio.to_thread(names_of, ports, ids))
        return Page(items=items, next_after=None if next_after is None else str(next_after))

    @get("/keys/{key_id:uuid}", opt=READ)
    async def read_key(request: Request[Any, Any, Any], key_id: FromPath[UUID]) -> dict[str, Any]:
        key = found(directory.keys, key_id, kind="API key")
        if key.account_id != customer_of(request).account_id:
            raise NotFound("API key", key_id)
        return key_items([key], await asyncio.to_thread(names_of, ports, [key_id]))[0]

    @get("/management-keys", opt=READ)
    async def list_management_keys(
        request: Request[Any, Any, Any], after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS
    ) -> Page:
        """Keys to this API by id, revoked ones too; of a secret only its beginning."""
        keys = directory.key_ring.of_account(customer_of(request).account_id)
        shown, next_after = cut(keys, after=after, limit=limit)
        names = await asyncio.to_thread(names_of, ports, [one.key_id for one in shown])
        return Page(items=management_key_items(shown, names), next_after=next_after)

    @get("/models", opt=READ)
    async def list_models(
        request: Request[Any, Any, Any], after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS
    ) -> Models:
        """Models that the account may ask for, with their prices."""
        allowed = directory.accounts[customer_of(request).account_id].limits.models
        now_us, priced = ports.clock.now_us(), {}
        for name in directory.aliases:
            route = directory.alias(name)
            price = None if route is None else route.price_at(now_us)
            if price is not None and (allowed is None or name in allowed):
                priced[name] = Model(id=name, price_version=price.version, price=price.price)
        shown, next_after = cut(priced, after=after, limit=limit)
        return Models(items=tuple(shown), next_after=next_after)

    return [read_account, list_keys, read_key, list_management_keys, list_models]


def budget_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Budgets, and the alerts that they raised."""

    @get("/budgets", opt=READ, sync_to_thread=True)
    def list_budgets(
        *,
        request: Request[Any, Any, Any],
        key_id: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> BudgetPage:
        """Budgets in force with what is spent, held and left of each in its present window, and when that ends."""
        return tools.budgets.budgets(
            now_us=tools.ports.clock.now_us(),
            account_id=customer_of(request).account_id,
            key_id=key_id,
            after=after,
            limit=limit,
        )

    @get("/alerts", opt=READ, sync_to_thread=True)
    def list_alerts(
        request: Request[Any, Any, Any],
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> AlertPage:
        """Alerts of budgets, newest first."""
        account_id = customer_of(request).account_id
        return tools.budgets.alerts(account_id=account_id, before_position=before_position, limit=limit)

    return [list_budgets, list_alerts]


def order_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What credit costs, what was bought, and the documents of it."""
    store, personal, files = tools.ports.store, tools.ports.personal, tools.files

    @get("/offers", opt=READ, sync_to_thread=True)
    def list_open_offers(request: Request[Any, Any, Any]) -> CustomerOffers:
        """What credit costs now, by currency, and the ways to pay; `invoice` is on account, within a limit that was agreed."""
        agreed = load_postpaid(store, customer_of(request).account_id).limit is not None
        on_account = (INVOICE,) if agreed else ()
        ways = (MANUAL, *on_account, *(one.name for one in tools.ports.checkouts.all()))
        return CustomerOffers(
            items=tuple(offer_of(one) for one in list_offers(store) if one.open), providers=ways
        )

    @get("/postpaid", opt=READ, sync_to_thread=True)
    def read_postpaid(request: Request[Any, Any, Any]) -> AccountPostpaid:
        """What may be bought on account, and what of it is unpaid and due."""
        account_id = customer_of(request).account_id
        now_us = tools.ports.clock.now_us()
        return account_of(account_id, load_postpaid(store, account_id), now_us=now_us)

    @get("/orders", opt=READ, sync_to_thread=True)
    def list_orders(
        *,
        request: Request[Any, Any, Any],
        order_status: Annotated[OrderStatus | None, QueryParameter(name="status")] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> OrderPage:
        """Newest first; `next_before` is the `before_position` of the next page."""
        wanted = OrderFilter(account_id=customer_of(request).account_id, status=order_status)
        return tools.orders.orders(wanted, before_position=before_position, limit=limit)

    @get("/orders/{order_id:uuid}", opt=READ, sync_to_thread=True)
    def read_order(request: Request[Any, Any, Any], order_id: FromPath[UUID]) -> CustomerOrder:
        """One order, as it is at this moment."""
        ownership.require_order(store, order_id, account_id=customer_of(request).account_id)
        return order_of(show_order(store, order_id))

    @get("/documents", opt=READ, sync_to_thread=True)
    def list_documents(
        *,
        request: Request[Any, Any, Any],
        document_kind: Annotated[DocumentKind | None, QueryParameter(name="kind")] = None,
        order_id: FromQuery[UUID | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> DocumentPage:
        """Invoices and credit notes, newest first; `next_before` is the `before_position` of the next page."""
        account_id = customer_of(request).account_id
        wanted = DocumentFilter(account_id=account_id, kind=document_kind, order_id=order_id)
        return tools.documents.documents(wanted, before_position=before_position, limit=limit)

    def owned(request: Request[Any, Any, Any], document_id: UUID) -> DocumentDetail:
        detail = show_document(store, personal, document_id)
        if detail.issued["account_id"] != str(customer_of(request).account_id):
            raise NotFound("document", document_id)
        return detail

    @get("/documents/{document_id:uuid}", opt=READ, sync_to_thread=True)
    def read_document(request: Request[Any, Any, Any], document_id: FromPath[UUID]) -> DocumentDetail:
        """One invoice or credit note, and where in the log it is."""
        detail = owned(request, document_id)
        issued = {name: value for name, value in detail.issued.items() if name != "actor"}
        return msgspec.structs.replace(detail, issued=issued)

    @get("/documents/{document_id:uuid}/pdf", opt=READ, sync_to_thread=True)
    def read_document_pdf(
        *, request: Request[Any, Any, Any], document_id: FromPath[UUID], receipt: FromQuery[bool] = False
    ) -> Response[bytes]:
        """The same as PDF with its e-invoice inside, always the same bytes; or the receipt for an invoice that was paid."""
        owned(request, document_id)
        pdf = files.receipt(document_id) if receipt else files.pdf(document_id)
        return Response(pdf, media_type="application/pdf", headers={"cache-control": "no-store"})

    reading = [list_open_offers, read_postpaid, list_orders, read_order]
    return [*reading, list_documents, read_document, read_document_pdf]
