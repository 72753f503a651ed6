"""The GET routes of endpoints: where the account is told of what, and what became of each message."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.hooks import Endpoints, MessageKinds
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.customer.access import customer_of
from api.customer.reading import READ
from application import ownership
from application.hooks.kinds import NAMES
from application.hooks.ports import MessagePage, MessageState


def hook_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Of the caller's own account."""
    hooks, store = tools.ports.hooks, tools.ports.store

    @get("/endpoints", opt=READ, sync_to_thread=True)
    def list_endpoints(request: Request[Any, Any, Any]) -> Endpoints:
        """Where the account is told of what, and how each does."""
        return Endpoints(items=hooks.endpoints(customer_of(request).account_id), next_after=None)

    @get("/endpoints/{endpoint_id:uuid}/messages", opt=READ, sync_to_thread=True)
    def list_messages(
        *,
        request: Request[Any, Any, Any],
        endpoint_id: FromPath[UUID],
        message_state: Annotated[MessageState | None, QueryParameter(name="state")] = None,
        before: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> MessagePage:
        """Messages of the last weeks with their tries, newest first; `next_before` is the `before` of the next page."""
        ownership.require_endpoint(store, endpoint_id, account_id=customer_of(request).account_id)
        return hooks.messages(endpoint_id, state=message_state, before=before, limit=limit)

    @get("/message-kinds", opt=READ)
    async def list_message_kinds() -> MessageKinds:
        """What can be told of."""
        return MessageKinds(items=tuple(sorted(NAMES)), next_after=None)

    return [list_endpoints, list_messages, list_message_kinds]
