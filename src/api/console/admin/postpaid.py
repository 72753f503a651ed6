"""What is bought on account: who owes what and since when, and limits that wait for a second operator.

A limit is proposed and decided on its account's page; a transfer is confirmed on its order's.
"""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages

_READ: Final = {NEEDS: Needs("staff", "read")}


def postpaid_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/receivables`, `/console/receivables/limits`."""
    return [*_receivable_routes(pages), *_limit_routes(pages)]


def _receivable_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def page_of(after: str | None, limit: int, *, overdue: bool) -> Any:
        now_us = tools.ports.clock.now_us()
        return tools.postpaid.receivables(now_us=now_us, overdue=overdue, after=after, limit=limit)

    def turn_of(*, overdue: bool) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = page_of(at, PAGE_ROWS, overdue=overdue)
            return page.items, page.next_after

        return turn

    def found(after: str, *, overdue: bool) -> dict[str, Any]:
        page = page_of(after or None, looking.PAGE_ROWS, overdue=overdue)
        waiting = tools.postpaid.waiting(now_us=tools.ports.clock.now_us(), limit=1).queue.waiting
        names = names_of(tools.ports, list({row.account_id for row in page.items}))
        return {"page": page, "names": names, "waiting": waiting}

    @get("/console/receivables", opt=_READ)
    async def list_receivables(
        *,
        request: Request[Any, Any, Any],
        overdue: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn_of(overdue=bool(overdue)), name="receivables", form=form)
        context = await asyncio.to_thread(found, after, overdue=bool(overdue))
        return pages.page(request, "admin/receivables.html", filters={"overdue": overdue}, **context)

    return [list_receivables]


def _limit_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def page_of(after: UUID | None, limit: int) -> Any:
        return tools.postpaid.waiting(now_us=tools.ports.clock.now_us(), after=after, limit=limit)

    def turn(at: Any) -> tuple[Any, Any]:
        page = page_of(at, PAGE_ROWS)
        return page.items, page.next_after

    def found(after: UUID | None) -> dict[str, Any]:
        page = page_of(after, looking.PAGE_ROWS)
        return {
            "page": page,
            "names": names_of(tools.ports, [row.account_id for row in page.items]),
            "people": looking.people(tools.ports, (row.proposal.proposed_by for row in page.items)),
            "waiting": page.queue.waiting,
        }

    @get("/console/receivables/limits", opt=_READ)
    async def list_limits(
        *,
        request: Request[Any, Any, Any],
        after: Annotated[str, QueryParameter(name="after")] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn, name="limits", form=form)
        context = await asyncio.to_thread(found, looking.uuid_of(after))
        return pages.page(request, "admin/limits.html", **context)

    return [list_limits]
