"""A customer's API keys: all of them, and one with what it may, what it used and what can be done to it."""

import asyncio
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.console import key_lists, looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import Span, chart, span_of
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application.queries import PAGE_ROWS_MAX, RequestFilter
from application.reports.period import SLOT_US, Period
from application.reports.usage import UsageFilter, UsageRow

_READ: Final = {NEEDS: Needs("account", "read")}
_LATEST: Final = 8
_STATES: Final = ("active", "expired", "revoked")


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """What a key was used for since somebody else may have known it, by model; from the quarter of an hour on in which that was."""

    since_us: int
    rows: tuple[UsageRow, ...]

    @property
    def requests(self) -> int:
        return sum(one.requests for one in self.rows)

    @property
    def charge_nano(self) -> int:
        return sum(one.charge_nano for one in self.rows)


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
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = partial(
            key_lists.list_keys, tools, q, account_id=account_id, state=looking.one_of(key_state, _STATES)
        )

        def turn(at: Any) -> tuple[Any, Any]:
            page = wanted(after=at, limit=PAGE_ROWS)
            return page.rows, page.next_after

        if form in FORMS:
            return await stream_of(turn, name="api-keys", form=form)
        found = await asyncio.to_thread(wanted, after=looking.uuid_of(after))
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
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        key_id: FromPath[UUID],
        since: FromQuery[str] = "",
    ) -> Response[str]:
        zone = visit_of(request).zone
        span = span_of("month", zone=zone, now_us=clock.now_us())
        since_us = looking.minute_us(since, zone)
        found = await asyncio.to_thread(_one, pages, account_id, key_id, span)
        leak = await asyncio.to_thread(_leak, pages, account_id, key_id, since_us) if since_us else None
        return pages.page(
            request,
            "workspace/key.html",
            span=span,
            chart=chart(span, found["series"]),
            leak=leak,
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


def _leak(pages: Pages, account_id: UUID, key_id: UUID, since_us: int) -> Leak | None:
    """None for a time that is to come. Blocking."""
    tools = pages.tools.admin
    period = Period(
        from_us=since_us - since_us % SLOT_US, until_us=(tools.ports.clock.now_us() // SLOT_US + 1) * SLOT_US
    )
    if not 0 <= period.from_us < period.until_us:
        return None
    wanted = UsageFilter(period=period, account_id=account_id, key_id=key_id)
    rows = tools.usage.usage(wanted, by=("alias",), limit=PAGE_ROWS_MAX).items
    return Leak(since_us=since_us, rows=tuple(sorted(rows, key=lambda row: -row.charge_nano)))
