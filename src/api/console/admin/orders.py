"""Credit that customers buy: orders, what they cost, and messages of payment providers that somebody must look at."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.pages import Pages
from application.recharge.list_offers import list_offers
from application.recharge.queries import OrderFilter, OrderPage
from application.recharge.show_order import show_order
from domain.recharge.currencies import EXPONENTS
from domain.recharge.order import OrderStatus
from domain.recharge.reference import read_reference
from domain.recharge.webhooks import WebhookState

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATUSES: Final = get_args(OrderStatus)
_WEBHOOK_STATES: Final = get_args(WebhookState)


def order_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/orders`, `/console/offers`, `/console/webhooks`."""
    return [*_order_routes(pages), *_offer_routes(pages), *_webhook_routes(pages)]


def _order_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def found(wanted: OrderFilter, before: int | None) -> dict[str, Any]:
        page = tools.orders.orders(wanted, before_position=before, limit=looking.PAGE_ROWS)
        waiting = tools.orders.orders(OrderFilter(needs_somebody=True), limit=looking.PAGE_ROWS)
        ids = list({one.account_id for one in page.items})
        return {
            "page": page,
            "waiting": len(waiting.items),
            "names": names_of(tools.ports, ids),
            "offers": [one for one in list_offers(tools.ports.store) if one.open],
        }

    def turn_of(wanted: OrderFilter) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            page: OrderPage = tools.orders.orders(wanted, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    @get("/console/orders", opt=_READ)
    async def list_orders(
        *,
        request: Request[Any, Any, Any],
        order_status: Annotated[str, QueryParameter(name="status")] = "",
        provider: FromQuery[str] = "",
        reference: FromQuery[str] = "",
        account: FromQuery[str] = "",
        needy: FromQuery[str] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = OrderFilter(
            account_id=looking.uuid_of(account),
            status=looking.one_of(order_status, _STATUSES),
            provider=provider.strip() or None,
            reference=(read_reference(reference) or reference.strip()) or None,
            needs_somebody=True if needy else None,
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="orders", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(before))
        filters = {
            "status": order_status,
            "provider": provider,
            "reference": reference,
            "account": account,
            "needy": needy,
        }
        providers = [one.name for one in tools.ports.checkouts.all()]
        return pages.page(
            request,
            "admin/orders.html",
            filters=filters,
            statuses=_STATUSES,
            providers=["manual", "invoice", *providers],
            **context,
        )

    def one(order_id: UUID) -> dict[str, Any]:
        order = show_order(tools.ports.store, order_id)
        who = [two for fact in order.facts if (two := looking.uuid_of(fact.actor.partition(":")[2]))]
        names = names_of(tools.ports, [order.account_id, *who])
        proposals = [fact for fact in order.facts if fact.topic == "order.settlement-proposed.v1"]
        return {
            "order": order,
            "account_name": names.get(order.account_id),
            "names": {str(key): name for key, name in names.items()},
            "proposal": proposals[-1] if proposals and order.waits_for_approval else None,
        }

    @get("/console/orders/{order_id:uuid}", opt=_READ)
    async def show_one(request: Request[Any, Any, Any], order_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(one, order_id)
        sellers = [(one.seller_id, one.seller.legal_name) for one in tools.directory.sellers.values()]
        order = context["order"]
        tables = {"refunds-and-disputes": [*order.refunds, *order.disputes]}
        return pages.page(request, "admin/order.html", tables=tables, sellers=sellers, **context)

    return [list_orders, show_one]


def _offer_routes(pages: Pages) -> list[HTTPRouteHandler]:
    store = pages.tools.admin.ports.store

    @get("/console/offers", opt=_READ)
    async def show_offers(request: Request[Any, Any, Any], edit: FromQuery[str] = "") -> Response[str]:
        offers = await asyncio.to_thread(list_offers, store)
        edited = next((one for one in offers if one.currency == edit), None)
        return pages.page(
            request,
            "admin/offers.html",
            tables={"offers": offers},
            offers=offers,
            edited=edited,
            is_new=edit == "new",
            currencies=sorted(EXPONENTS),
            exponents=EXPONENTS,
            has_bank=bool(pages.tools.bank_lines),
        )

    return [show_offers]


def _webhook_routes(pages: Pages) -> list[HTTPRouteHandler]:
    inbox = pages.tools.admin.ports.inbox

    @get("/console/webhooks", opt=_READ)
    async def list_webhooks(
        *,
        request: Request[Any, Any, Any],
        webhook_state: Annotated[str, QueryParameter(name="state")] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        state: Any = looking.one_of(webhook_state, _WEBHOOK_STATES)

        def turn(at: Any) -> tuple[Any, Any]:
            page = inbox.page(state=state, before_us=at, limit=PAGE_ROWS)
            return page.items, page.next_before_us

        if form in FORMS:
            return await stream_of(turn, name="payment-messages", form=form)
        page = await asyncio.to_thread(
            lambda: inbox.page(state=state, before_us=looking.number_of(before), limit=looking.PAGE_ROWS)
        )
        return pages.page(
            request,
            "admin/webhooks.html",
            page=page,
            filters={"state": webhook_state},
            providers=[(one.name, one.mode) for one in pages.tools.admin.ports.checkouts.all()],
        )

    return [list_webhooks]
