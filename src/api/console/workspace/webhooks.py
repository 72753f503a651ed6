"""Where a customer's systems are told of what happens: endpoints, the messages for each, and what became of every try."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec.structs import replace

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application import ownership
from application.hooks.kinds import NAMES
from application.hooks.ports import EndpointRow, MessageState
from application.hooks.stream import load_endpoint
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("account", "read")}
_STATES: Final = get_args(MessageState)
_MESSAGE_ID_CHARS_MAX: Final = 80


def webhook_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/webhooks` and one endpoint of them."""
    tools = pages.tools.admin
    ports = tools.ports

    def row_of(account_id: UUID, endpoint_id: UUID) -> EndpointRow:
        """As the log has it; how it does is known once a worker has seen it."""
        ownership.require_endpoint(ports.store, endpoint_id, account_id=account_id)
        endpoint = load_endpoint(ports.store, endpoint_id)
        rows = ports.hooks.endpoints(account_id)
        known = next((one for one in rows if one.endpoint.endpoint_id == endpoint_id), None)
        if known is not None:
            return replace(known, endpoint=endpoint)
        return EndpointRow(endpoint=endpoint, waiting=0, delivered_us=None, failed_us=None)

    @get("/app/{account_id:uuid}/webhooks", opt=_READ)
    async def list_endpoints(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        rows = await asyncio.to_thread(_rows, pages, account_id)
        return pages.page(
            request,
            "workspace/webhooks.html",
            tables={"webhooks": rows},
            rows=rows,
            kinds=sorted(NAMES),
            account_status=tools.directory.accounts[account_id].status,
        )

    def found(account_id: UUID, endpoint_id: UUID, state: Any, before: str) -> dict[str, Any]:
        row = row_of(account_id, endpoint_id)
        messages = ports.hooks.messages(
            endpoint_id, state=state, before=before[:_MESSAGE_ID_CHARS_MAX] or None, limit=looking.PAGE_ROWS
        )
        return {"row": row, "messages": messages}

    @get("/app/{account_id:uuid}/webhooks/{endpoint_id:uuid}", opt=_READ)
    async def show_endpoint(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        endpoint_id: FromPath[UUID],
        message_state: Annotated[str, QueryParameter(name="state")] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        state = looking.one_of(message_state, _STATES)

        def turn(at: Any) -> tuple[Any, Any]:
            page = ports.hooks.messages(endpoint_id, state=state, before=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        if form in FORMS:
            await asyncio.to_thread(row_of, account_id, endpoint_id)
            return await stream_of(turn, name="messages", form=form)
        context = await asyncio.to_thread(found, account_id, endpoint_id, state, before)
        return pages.page(
            request,
            "workspace/webhook.html",
            kinds=sorted(NAMES),
            states=_STATES,
            state=state or "",
            **context,
        )

    return [list_endpoints, show_endpoint]


def _rows(pages: Pages, account_id: UUID) -> list[EndpointRow]:
    """Those that a worker has seen, each as the log has it by now. Blocking."""
    ports = pages.tools.admin.ports
    rows = []
    for row in ports.hooks.endpoints(account_id):
        try:
            endpoint = load_endpoint(ports.store, row.endpoint.endpoint_id)
        except NotFound:
            continue  # removed a moment ago
        rows.append(replace(row, endpoint=endpoint))
    return rows
