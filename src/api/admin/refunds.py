"""The GET route of refunds that customers ask for."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.refunds.queries import RefundRequestFilter, RefundRequestPage
from domain.recharge.returns import RequestState

_READ: Final = {PERMISSION: "read"}


def refund_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What customers want back."""

    @get("/refund-requests", opt=_READ, sync_to_thread=True)
    def list_refund_requests(
        *,
        request_state: Annotated[RequestState | None, QueryParameter(name="state")] = None,
        account_id: FromQuery[UUID | None] = None,
        order_id: FromQuery[UUID | None] = None,
        after_position: FromQuery[int] = 0,
        limit: Limit = PAGE_ROWS,
    ) -> RefundRequestPage:
        """Refunds that customers asked for, oldest first; `queue` tells how many are open, and how long. An accepted one is a refund of its order."""
        wanted = RefundRequestFilter(state=request_state, account_id=account_id, order_id=order_id)
        now_us = tools.ports.clock.now_us()
        return tools.refund_requests.requests(
            wanted, now_us=now_us, after_position=after_position, limit=limit
        )

    return [list_refund_requests]
