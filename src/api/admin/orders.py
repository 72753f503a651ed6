"""The GET routes of offers, of orders, and of what goes back of them."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.auto_recharge.show import AutoShown, show_auto
from application.recharge.list_offers import list_offers
from application.recharge.queries import OfferPage, OrderFilter, OrderPage
from application.recharge.returns import ReturnFilter, ReturnKind, ReturnPage, ShownState
from application.recharge.show_order import OrderDetail, show_order
from domain.recharge.order import OrderStatus

_READ: Final = {PERMISSION: "read"}


def order_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What credit costs, and who bought some."""

    @get("/offers", opt=_READ, sync_to_thread=True)
    def read_offers() -> OfferPage:
        """What credit costs now, by currency."""
        return OfferPage(items=list_offers(tools.ports.store), next_after=None)

    @get("/orders", opt=_READ, sync_to_thread=True)
    def list_orders(
        *,
        account_id: FromQuery[UUID | None] = None,
        order_status: Annotated[OrderStatus | None, QueryParameter(name="status")] = None,
        provider: FromQuery[str | None] = None,
        reference: FromQuery[str | None] = None,
        needs_somebody: FromQuery[bool | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> OrderPage:
        """Newest first; `next_before` is the `before_position` of the next page."""
        wanted = OrderFilter(
            account_id=account_id,
            status=order_status,
            provider=provider,
            reference=reference,
            needs_somebody=needs_somebody,
        )
        return tools.orders.orders(wanted, before_position=before_position, limit=limit)

    @get("/orders/{order_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_order(order_id: FromPath[UUID]) -> OrderDetail:
        """One order with all that happened to it."""
        return show_order(tools.ports.store, order_id)

    @get("/refunds", opt=_READ, sync_to_thread=True)
    def list_refunds(
        *,
        is_open: FromQuery[bool] = True,
        kind: FromQuery[ReturnKind | None] = None,
        return_state: Annotated[ShownState | None, QueryParameter(name="state")] = None,
        account_id: FromQuery[UUID | None] = None,
        order_id: FromQuery[UUID | None] = None,
        provider: FromQuery[str | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> ReturnPage:
        """Refunds and disputes of at most `limit` orders, newest order first: those that are not over, or all.

        A page may be empty and have a `next_before` all the same: go on until there is none.
        """
        wanted = ReturnFilter(
            is_open=is_open,
            kind=kind,
            state=return_state,
            account_id=account_id,
            order_id=order_id,
            provider=provider,
        )
        return tools.returns.returns(wanted, before_position=before_position, limit=limit)

    @get("/accounts/{account_id:uuid}/auto-recharge", opt=_READ, sync_to_thread=True)
    def read_auto_recharge(account_id: FromPath[UUID]) -> AutoShown:
        """Whether the account recharges by itself, by which rule, and what came of it last."""
        return show_auto(tools.ports.store, account_id, clock=tools.ports.clock)

    return [read_offers, list_orders, read_order, list_refunds, read_auto_recharge]
