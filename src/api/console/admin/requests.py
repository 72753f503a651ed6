"""The request log of all customers, and one request."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec.structs import replace

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.key_lists import KeyPick, pick_key
from api.console.pages import Pages
from api.console.refused_page import refused_context
from api.console.request_page import receipt_file, request_context, sought_request
from application.queries import RequestFilter, RequestPage

_READ: Final = {NEEDS: Needs("staff", "read")}


def request_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/requests`."""
    return [*_list_routes(pages), *_one_routes(pages)]


def _list_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def found(
        wanted: RequestFilter, key: str, before: int | None, limit: int = looking.PAGE_ROWS
    ) -> tuple[KeyPick, RequestPage]:
        """Nothing while it is open which key is meant."""
        pick = pick_key(tools, key, account_id=wanted.account_id)
        if key.strip() and pick.key is None:
            return pick, RequestPage(requests=(), next_before=None)
        wanted = replace(wanted, key_id=pick.key.key_id if pick.key else None)
        return pick, tools.requests.requests(wanted, before_position=before, limit=limit)

    def shown(wanted: RequestFilter, key: str, before: int | None) -> dict[str, Any]:
        pick, page = found(wanted, key, before)
        ids = {one.account_id for one in pick.choices}
        names = looking.account_names(tools.ports, page.requests) | names_of(tools.ports, list(ids))
        return {"pick": pick, "page": page, "account_names": names}

    def turn_of(wanted: RequestFilter, key: str) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            _, page = found(wanted, key, at, PAGE_ROWS)
            return page.requests, page.next_before

        return turn

    @get("/console/requests", opt=_READ)
    async def list_requests(
        *,
        request: Request[Any, Any, Any],
        request_state: Annotated[str, QueryParameter(name="state")] = "",
        model: FromQuery[str] = "",
        account: FromQuery[str] = "",
        key: FromQuery[str] = "",
        day: FromQuery[str] = "",
        before: FromQuery[str] = "",
        typed_id: Annotated[str, QueryParameter(name="id")] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        zone = visit_of(request).zone
        sought = await asyncio.to_thread(sought_request, pages, typed_id, zone=zone)
        if sought is not None and sought.request_id is not None:
            return pages.see(f"/console/requests/{sought.request_id}")
        wanted = RequestFilter(
            account_id=looking.uuid_of(account),
            state=looking.state_of(request_state),
            alias=model.strip() or None,
            admitted_from_us=looking.day_us(day, zone),
            admitted_until_us=looking.day_us(day, zone, end=True),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted, key), name="requests", form=form)
        context = await asyncio.to_thread(shown, wanted, key, looking.number_of(before))
        filters = {"state": request_state, "model": model, "account": account, "key": key, "day": day}
        return pages.page(request, "admin/requests.html", filters=filters, sought=sought, **context)

    @get("/console/requests/refused", opt=_READ)
    async def list_refused(
        request: Request[Any, Any, Any], account: FromQuery[str] = "", day: FromQuery[str] = ""
    ) -> Response[Any]:
        """By account, since that is how the log has them."""
        account_id, zone = looking.uuid_of(account), visit_of(request).zone
        context = await asyncio.to_thread(refused_context, pages, account_id, day=day, zone=zone)
        tables = {"refused": context["rows"]}
        return pages.page(request, "admin/refused.html", tables=tables, account=account, **context)

    return [list_requests, list_refused]


def _one_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    @get("/console/requests/{request_id:uuid}", opt=_READ)
    async def show_request(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(request_context, pages, request_id)
        names = await asyncio.to_thread(looking.account_names, tools.ports, [context["row"]])
        return pages.page(
            request, "admin/request.html", account_names=names, base="/console/requests", **context
        )

    @get("/console/requests/{request_id:uuid}/receipt", opt=_READ)
    async def download_receipt(request_id: FromPath[UUID]) -> Response[bytes]:
        return receipt_file(await asyncio.to_thread(tools.receipts.issue_to_operator, request_id), request_id)

    return [show_request, download_receipt]
