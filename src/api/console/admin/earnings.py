"""Revenue, what providers take, and what is left: by provider, model, customer or time; and the books in money."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.views import names_of
from api.console.access import NEEDS, Needs, visit_of
from api.console.admin.month import month_routes
from api.console.charts import FROM, UNTIL, Span, chosen_span, earnings_chart
from api.console.files import AS, FORMS, PAGE_ROWS, ROWS_MAX, Turn, every, file_of, stream_of
from api.console.pages import Pages
from api.console.texts import N_
from application.reports.usage import EarningsGroup, EarningsRow, GroupValues, UsageFilter
from domain.recharge.currencies import EXPONENTS

_READ: Final = {NEEDS: Needs("staff", "read")}
#: How earnings can be added up, and what that is called.
GROUPS: Final[dict[str, tuple[tuple[EarningsGroup, ...], str]]] = {
    "provider": (("provider",), N_("By provider")),
    "model": (("provider", "model"), N_("By provider's model")),
    "alias": (("alias",), N_("By model")),
    "account": (("account",), N_("By customer")),
    "day": (("day",), N_("By day")),
}
_ROWS: Final = 200
_NOTHING: Final = EarningsRow(
    group=GroupValues(),
    attempts=0,
    failed=0,
    served=0,
    charge_nano=0,
    late_nano=0,
    cost_nano=0,
    uncosted=0,
    margin_nano=0,
)


def earning_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/earnings`, `/console/money` and its months."""
    return [*_earning_routes(pages), *_money_routes(pages), *month_routes(pages)]


def _earning_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(span: Span, by: tuple[EarningsGroup, ...]) -> Turn:
        wanted = UsageFilter(period=span.period)

        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.usage.earnings(wanted, by=by, zone=span.zone, after=at, limit=PAGE_ROWS)
            return page.items, page.next_after

        return turn

    def rows_of(span: Span, by: tuple[EarningsGroup, ...]) -> list[EarningsRow]:
        return every(turn_of(span, by))

    def figures(span: Span, by: str) -> dict[str, Any]:
        rows = rows_of(span, GROUPS[by][0])
        shown = rows if by == "day" else sorted(rows, key=lambda row: -row.revenue_nano)
        ids: list[UUID] = [row.group.account for row in shown[:_ROWS] if row.group.account is not None]
        return {
            "rows": shown[:_ROWS],
            "more": max(0, len(rows) - _ROWS),
            "is_cut": len(rows) == ROWS_MAX,
            "rows_max": ROWS_MAX,
            "totals": next(iter(rows_of(span, ())), _NOTHING),
            "chart": earnings_chart(span, rows_of(span, (span.group,))),
            "names": names_of(tools.ports, ids),
        }

    @get("/console/earnings", opt=_READ)
    async def show_earnings(
        *,
        request: Request[Any, Any, Any],
        span: FromQuery[str] = "month",
        first: Annotated[str, FROM] = "",
        last: Annotated[str, UNTIL] = "",
        by: FromQuery[str] = "provider",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        group = by if by in GROUPS else "provider"
        now_us = tools.ports.clock.now_us()
        chosen = chosen_span(span, first, last, zone=visit_of(request).zone, now_us=now_us)
        if form in FORMS:
            turn = turn_of(chosen, GROUPS[group][0])
            return await stream_of(turn, name=f"earnings-by-{group}", form=form)
        context = await asyncio.to_thread(figures, chosen, group)
        return pages.page(request, "admin/earnings.html", span=chosen, by=group, groups=GROUPS, **context)

    return [show_earnings]


def _money_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def open_items(at: Any) -> tuple[Any, Any]:
        page = tools.money.open_items(after=at, limit=PAGE_ROWS)
        return page.items, page.next_after

    @get("/console/money", opt=_READ)
    async def show_money(
        request: Request[Any, Any, Any],
        after: FromQuery[str] = "",
        table: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS and table == "open-items":
            return await stream_of(open_items, name=table, form=form)
        balances = await asyncio.to_thread(tools.money.balances)
        if form in FORMS:
            return file_of(balances.items, name="books-in-money", form=form)
        ledgers: dict[str, list[Any]] = {}
        for one in balances.items:
            ledgers.setdefault(one.ledger, []).append(one)
        found = await asyncio.to_thread(lambda: tools.money.open_items(after=after or None))
        return pages.page(
            request,
            "admin/money.html",
            ledgers=ledgers,
            position=balances.position,
            open_items=found,
            currencies=sorted(EXPONENTS),
            providers=sorted(one.name for one in tools.directory.providers.values()),
        )

    return [show_money]
