"""A customer's API keys: all of them, and one with what it may, what it used and what can be done to it."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.console import key_lists, looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import Span, chart, span_of
from api.console.pages import Pages
from application.queries import PAGE_ROWS_MAX, RequestFilter
from application.reports.usage import UsageFilter

_READ: Final = {NEEDS: Needs("account", "read")}
_LATEST: Final = 8
_STATES: Final = ("active", "expired", "revoked")


def key_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/keys` and one of them."""
    tools = pages.tools.admin
    directory, clock = tools.directory, tools.ports.clock

    @get("/app/{account_id:uuid}/keys", opt=_READ)
    async def list_keys(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        q: FromQuery[str] = "",
        key_state: Annotated[str, QueryParameter(name="state")] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        found = await asyncio.to_thread(
            key_lists.list_keys,
            tools,
            q,
            account_id=account_id,
            state=looking.one_of(key_state, _STATES),
            after=looking.uuid_of(after),
        )
        return pages.page(
            request,
            "workspace/keys.html",
            found=found,
            filters={"q": q, "state": key_state},
            states=_STATES,
            account_status=directory.accounts[account_id].status,
        )

    @get("/app/{account_id:uuid}/keys/{key_id:uuid}", opt=_READ)
    async def show_key(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], key_id: FromPath[UUID]
    ) -> Response[str]:
        span = span_of("month", zone=visit_of(request).zone, now_us=clock.now_us())
        found = await asyncio.to_thread(_one, pages, account_id, key_id, span)
        return pages.page(
            request,
            "workspace/key.html",
            span=span,
            chart=chart(span, found["series"]),
            models=looking.model_names(directory, clock.now_us()),
            **found,
        )

    return [list_keys, show_key]


def _one(pages: Pages, account_id: UUID, key_id: UUID, span: Span) -> dict[str, Any]:
    tools = pages.tools.admin
    row = key_lists.one_key(tools, key_id, account_id=account_id)
    wanted = UsageFilter(period=span.period, account_id=account_id, key_id=key_id)
    now_us = tools.ports.clock.now_us()
    return {
        "row": row,
        "series": tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=PAGE_ROWS_MAX).items,
        "sums": next(iter(tools.usage.usage(wanted, by=(), limit=1).items), None),
        "budgets": tools.budgets.budgets(now_us=now_us, account_id=account_id, key_id=key_id, limit=20).items,
        "latest": tools.requests.requests(
            RequestFilter(account_id=account_id, key_id=key_id), limit=_LATEST
        ).requests,
    }
