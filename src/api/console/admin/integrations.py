"""Customers' own programs, as operators see them: where they are told of what, what became of each message, and their management keys."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.views import cut, management_key_items, names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.pages import Pages
from application.hooks.ports import EndpointRow, MessageState
from application.hooks.stream import load_endpoint
from domain.management import ManagementKey
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATES: Final = get_args(MessageState)


def integration_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/endpoints`, `/console/management-keys`."""
    return [*_endpoint_routes(pages), *_message_routes(pages), *_key_routes(pages)]


def _endpoint_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin
    hooks = tools.ports.hooks

    def turn_of(account_id: UUID | None, *, is_failing: bool) -> Any:
        def turn(at: Any, limit: int = PAGE_ROWS) -> tuple[Any, Any]:
            if account_id is not None:
                return hooks.endpoints(account_id), None
            rows = hooks.every(is_failing=is_failing, after=at, limit=limit)
            return rows, rows[-1].endpoint.endpoint_id if len(rows) == limit else None

        return turn

    def found(turn: Any, after: UUID | None) -> dict[str, Any]:
        rows, next_after = turn(after, looking.PAGE_ROWS)
        names = names_of(tools.ports, list({row.endpoint.account_id for row in rows}))
        return {"rows": rows, "next_after": next_after, "names": names}

    @get("/console/endpoints", opt=_READ)
    async def list_endpoints(
        *,
        request: Request[Any, Any, Any],
        account: FromQuery[str] = "",
        failing: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        turn = turn_of(looking.uuid_of(account), is_failing=bool(failing))
        if form in FORMS:
            return await stream_of(turn, name="endpoints", form=form)
        context = await asyncio.to_thread(found, turn, looking.uuid_of(after))
        filters = {"account": account, "failing": failing}
        return pages.page(request, "admin/endpoints.html", filters=filters, **context)

    return [list_endpoints]


def _message_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin
    hooks = tools.ports.hooks

    def row_of(endpoint_id: UUID) -> EndpointRow:
        """As the log has it by now, with what the queue knows of it."""
        endpoint = load_endpoint(tools.ports.store, endpoint_id)
        rows = (
            row for row in hooks.endpoints(endpoint.account_id) if row.endpoint.endpoint_id == endpoint_id
        )
        row = next(rows, None)
        if row is None:
            raise NotFound("endpoint", endpoint_id)
        return msgspec.structs.replace(row, endpoint=endpoint)

    def found(endpoint_id: UUID, state: MessageState | None, before: str) -> dict[str, Any]:
        row = row_of(endpoint_id)
        messages = hooks.messages(endpoint_id, state=state, before=before or None, limit=looking.PAGE_ROWS)
        name = names_of(tools.ports, [row.endpoint.account_id]).get(row.endpoint.account_id)
        return {"row": row, "messages": messages, "account_name": name}

    def turn_of(endpoint_id: UUID, state: MessageState | None) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = hooks.messages(endpoint_id, state=state, before=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    @get("/console/endpoints/{endpoint_id:uuid}", opt=_READ)
    async def show_endpoint(
        *,
        request: Request[Any, Any, Any],
        endpoint_id: FromPath[UUID],
        message_state: Annotated[str, QueryParameter(name="state")] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        state: Any = looking.one_of(message_state, _STATES)
        if form in FORMS:
            return await stream_of(turn_of(endpoint_id, state), name="messages", form=form)
        context = await asyncio.to_thread(found, endpoint_id, state, before)
        return pages.page(request, "admin/endpoint.html", states=_STATES, state=state or "", **context)

    return [show_endpoint]


def _key_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def state_of(key: ManagementKey) -> str:
        if key.revoked:
            return "revoked"
        is_over = key.expires_us is not None and key.expires_us <= tools.ports.clock.now_us()
        return "expired" if is_over else "active"

    def found(keys: dict[UUID, ManagementKey], after: str) -> dict[str, Any]:
        rows, next_after = cut(keys, after=after or None, limit=looking.PAGE_ROWS)
        ids = [*(one.key_id for one in rows), *{one.account_id for one in rows}]
        return {
            "rows": [(one, state_of(one)) for one in rows],
            "names": names_of(tools.ports, ids),
            "next_after": next_after,
        }

    def turn_over(keys: dict[UUID, ManagementKey]) -> Turn:
        ordered = sorted(keys)

        def turn(at: Any) -> tuple[Any, Any]:
            begin = at or 0
            ids = ordered[begin : begin + PAGE_ROWS]
            rows = management_key_items([keys[one] for one in ids], names_of(tools.ports, ids))
            return rows, begin + PAGE_ROWS if begin + PAGE_ROWS < len(ordered) else None

        return turn

    @get("/console/management-keys", opt=_READ)
    async def list_management_keys(
        request: Request[Any, Any, Any],
        account: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        account_id, ring = looking.uuid_of(account), tools.directory.key_ring
        keys = dict(ring.keys) if account_id is None else ring.of_account(account_id)
        if form in FORMS:
            return await stream_of(turn_over(keys), name="management-keys", form=form)
        context = await asyncio.to_thread(found, keys, after)
        return pages.page(request, "admin/management_keys.html", filters={"account": account}, **context)

    return [list_management_keys]
