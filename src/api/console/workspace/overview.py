"""The first page of customers: what is left, what was used, and what is still to be done to get going."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.reading import nothing_yet
from api.admin.views import names_of
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import FROM, UNTIL, Span, chart, chosen_span, this_month, today
from api.console.looking import chat_names
from api.console.pages import Pages
from api.console.workspace.readiness import facts_of, steps_of
from application.queries import RequestFilter
from application.reports.period import Period
from application.reports.usage import UsageFilter, UsageRow

_READ: Final = {NEEDS: Needs("account", "read")}
_LATEST: Final = 5
_TOP: Final = 6
_ROWS: Final = 500


def overview_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>`."""
    tools = pages.tools.admin

    def figures(account_id: UUID, span: Span) -> dict[str, Any]:
        now_us = tools.ports.clock.now_us()

        wanted = UsageFilter(period=span.period, account_id=account_id)

        def sum_of(period: Period) -> Sequence[UsageRow]:
            whole = UsageFilter(period=period, account_id=account_id)
            return tools.usage.usage(whole, by=(), zone=span.zone, limit=1).items

        keys = tools.usage.dearest(wanted, by="key", zone=span.zone, limit=_TOP)
        ids = [account_id, *(one.group.key for one in keys if one.group.key is not None)]
        names = names_of(tools.ports, ids)
        return {
            "series": tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=_ROWS).items,
            "models": tools.usage.dearest(wanted, by="alias", zone=span.zone, limit=_TOP),
            "keys": keys,
            "month": sum_of(this_month(zone=span.zone, now_us=now_us)),
            "today": sum_of(today(zone=span.zone, now_us=now_us)),
            "balance": tools.balances.balance(account_id) or nothing_yet(account_id),
            "latest": tools.requests.requests(RequestFilter(account_id=account_id), limit=_LATEST).requests,
            "account_name": names.get(account_id),
            "names": names,
        }

    @get("/app/{account_id:uuid}", opt=_READ)
    async def show_overview(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        span: FromQuery[str] = "week",
        first: Annotated[str, FROM] = "",
        last: Annotated[str, UNTIL] = "",
    ) -> Response[str]:
        visit = visit_of(request)
        chosen = chosen_span(span, first, last, zone=visit.zone, now_us=tools.ports.clock.now_us())
        found = await asyncio.to_thread(figures, account_id, chosen)
        facts = await asyncio.to_thread(
            facts_of, pages, visit, account_id, balance=found["balance"], latest=found["latest"]
        )
        steps = steps_of(facts, account_id)
        models = chat_names(tools.directory, tools.ports.clock.now_us())
        return pages.page(
            request,
            "workspace/overview.html",
            tables={"by-model": found["models"], "by-key": found["keys"]},
            span=chosen,
            chart=chart(chosen, found["series"]),
            account_status=_status(pages, account_id),
            steps=steps,
            is_ready=all(step.is_done for step in steps if step.is_needed),
            is_complete=all(step.is_done for step in steps),
            model=models[0] if models else "",
            api_url=pages.tools.api_url or "https://api.example.com",
            **found,
        )

    return [show_overview]


def _status(pages: Pages, account_id: UUID) -> str:
    return pages.tools.admin.directory.accounts[account_id].status
