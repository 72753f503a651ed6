"""The request log of all customers, and one request."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.pages import Pages
from api.console.refused_page import refused_context
from api.console.request_page import receipt_file, request_context, sought_request
from application.queries import RequestFilter, RequestPage

_READ: Final = {NEEDS: Needs("staff", "read")}


def request_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/requests`."""
    tools = pages.tools.admin

    def found(wanted: RequestFilter, before: int | None) -> tuple[RequestPage, dict[UUID, str]]:
        page = tools.requests.requests(wanted, before_position=before, limit=looking.PAGE_ROWS)
        return page, looking.account_names(tools.ports, page.requests)

    def turn_of(wanted: RequestFilter) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.requests.requests(wanted, before_position=at, limit=PAGE_ROWS)
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
            key_id=looking.uuid_of(key),
            state=looking.state_of(request_state),
            alias=model.strip() or None,
            admitted_from_us=looking.day_us(day, zone),
            admitted_until_us=looking.day_us(day, zone, end=True),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="requests", form=form)
        page, names = await asyncio.to_thread(found, wanted, looking.number_of(before))
        filters = {"state": request_state, "model": model, "account": account, "key": key, "day": day}
        return pages.page(
            request, "admin/requests.html", page=page, account_names=names, filters=filters, sought=sought
        )

    @get("/console/requests/refused", opt=_READ)
    async def list_refused(
        request: Request[Any, Any, Any], account: FromQuery[str] = "", day: FromQuery[str] = ""
    ) -> Response[Any]:
        """By account, since that is how the log has them."""
        account_id, zone = looking.uuid_of(account), visit_of(request).zone
        context = await asyncio.to_thread(refused_context, pages, account_id, day=day, zone=zone)
        tables = {"refused": context["rows"]}
        return pages.page(request, "admin/refused.html", tables=tables, account=account, **context)

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

    return [list_requests, list_refused, show_request, download_receipt]
