"""The GET routes of customers' endpoints."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from application.hooks.ports import EndpointRow, MessagePage, MessageState
from application.hooks.stream import load_endpoint

_READ: Final = {PERMISSION: "read"}


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Endpoints by id, those that were removed left out."""

    items: tuple[EndpointRow, ...]
    next_after: str | None


class MessageKinds(msgspec.Struct, frozen=True, kw_only=True):
    """The kinds of messages that there are."""

    items: tuple[str, ...]
    next_after: str | None


def hook_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Where customers are told of what, and what became of each message."""
    hooks = tools.ports.hooks

    @get("/endpoints", opt=_READ, sync_to_thread=True)
    def list_endpoints(account_id: FromQuery[UUID]) -> Endpoints:
        """Where a customer is told of what, and how each does."""
        return Endpoints(items=hooks.endpoints(account_id), next_after=None)

    @get("/endpoints/{endpoint_id:uuid}/messages", opt=_READ, sync_to_thread=True)
    def list_messages(
        *,
        endpoint_id: FromPath[UUID],
        message_state: Annotated[MessageState | None, QueryParameter(name="state")] = None,
        before: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> MessagePage:
        """Messages of the last weeks with their tries, newest first; `next_before` is the `before` of the next page."""
        load_endpoint(tools.ports.store, endpoint_id)
        return hooks.messages(endpoint_id, state=message_state, before=before, limit=limit)

    return [list_endpoints, list_messages]
