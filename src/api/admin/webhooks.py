"""The GET route of the messages of payment providers."""

from typing import Annotated, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.checkout.inbox import WebhookPage
from domain.recharge.webhooks import WebhookState

_READ: Final = {PERMISSION: "read"}


def webhook_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What providers told, and what became of it."""

    @get("/webhooks", opt=_READ, sync_to_thread=True)
    def list_webhooks(
        *,
        webhook_state: Annotated[WebhookState | None, QueryParameter(name="state")] = None,
        before_us: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> WebhookPage:
        """Newest first; `next_before_us` is the `before_us` of the next page. Those that are parked wait for an operator."""
        return tools.ports.inbox.page(state=webhook_state, before_us=before_us, limit=limit)

    return [list_webhooks]
