"""A customer's API keys: all of them, and one with what it may, what it used and what can be done to it."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import Span, chart, span_of
from api.console.pages import Pages
from application.queries import PAGE_ROWS_MAX, RequestFilter
from application.reports.usage import UsageFilter, UsageRow
from domain.keys.key import ApiKey
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("account", "read")}
_PAGES_MAX: Final = 8
_LATEST: Final = 8


def key_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/keys` and one of them."""
    tools = pages.tools.admin
    directory, ports = tools.directory, tools.ports

    @get("/app/{account_id:uuid}/keys", opt=_READ)
    async def list_keys(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        zone = visit_of(request).zone
        keys = [one for one in directory.keys.values() if one.account_id == account_id]
        rows = await asyncio.to_thread(looking.key_rows, ports, keys)
        span = span_of("month", zone=zone, now_us=ports.clock.now_us())
        used = await asyncio.to_thread(_used, pages, account_id, span)
        return pages.page(
            request,
            "workspace/keys.html",
            rows=rows,
            used=used,
            account_status=directory.accounts[account_id].status,
        )

    @get("/app/{account_id:uuid}/keys/{key_id:uuid}", opt=_READ)
    async def show_key(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], key_id: FromPath[UUID]
    ) -> Response[str]:
        key = directory.keys.get(key_id)
        if key is None or key.account_id != account_id:
            raise NotFound("API key", key_id)
        span = span_of("month", zone=visit_of(request).zone, now_us=ports.clock.now_us())
        found = await asyncio.to_thread(_one, pages, key, span)
        return pages.page(
            request,
            "workspace/key.html",
            span=span,
            chart=chart(span, found["series"]),
            models=looking.model_names(directory, ports.clock.now_us()),
            **found,
        )

    return [list_keys, show_key]


class Used:
    """What a key used in a span: on which day last, and for how much in all."""

    def __init__(self) -> None:
        self.last_day = ""
        self.charge_nano = 0
        self.requests = 0

    def add(self, row: UsageRow) -> None:
        self.last_day = max(self.last_day, row.group.day or "")
        self.charge_nano += row.charge_nano
        self.requests += row.requests


def _used(pages: Pages, account_id: UUID, span: Span) -> dict[UUID, Used]:
    """By key; of so many days and keys at most. Blocking."""
    used: dict[UUID, Used] = {}
    after = None
    for _ in range(_PAGES_MAX):
        page = pages.tools.admin.usage.usage(
            UsageFilter(period=span.period, account_id=account_id),
            by=("key", "day"),
            zone=span.zone,
            after=after,
            limit=PAGE_ROWS_MAX,
        )
        for row in page.items:
            if row.group.key is not None:
                used.setdefault(row.group.key, Used()).add(row)
        after = page.next_after
        if after is None:
            break
    return used


def _one(pages: Pages, key: ApiKey, span: Span) -> dict[str, Any]:
    tools = pages.tools.admin
    wanted = UsageFilter(period=span.period, account_id=key.account_id, key_id=key.key_id)
    now_us = tools.ports.clock.now_us()
    return {
        "row": looking.key_rows(tools.ports, [key])[0],
        "series": tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=PAGE_ROWS_MAX).items,
        "sums": next(iter(tools.usage.usage(wanted, by=(), limit=1).items), None),
        "budgets": tools.budgets.budgets(
            now_us=now_us, account_id=key.account_id, key_id=key.key_id, limit=20
        ).items,
        "latest": tools.requests.requests(
            RequestFilter(account_id=key.account_id, key_id=key.key_id), limit=_LATEST
        ).requests,
    }
