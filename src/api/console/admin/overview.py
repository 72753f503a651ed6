"""The first page of operators: is everything well, and what is going on."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import Span, chart, span_of
from api.console.looking import account_names
from api.console.pages import Pages
from application.queries import RequestFilter
from application.reports.usage import UsageFilter

_READ: Final = {NEEDS: Needs("staff", "read")}
_LATEST: Final = 8
_TOP: Final = 6


def overview_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console`."""
    tools = pages.tools.admin

    def figures(span: Span) -> dict[str, Any]:
        wanted = UsageFilter(period=span.period)
        series = tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=500).items
        models = tools.usage.usage(wanted, by=("alias",), zone=span.zone, limit=500).items
        earnings = tools.usage.earnings(wanted, by=("provider",), zone=span.zone, limit=500).items
        latest = tools.requests.requests(RequestFilter(), limit=_LATEST).requests
        return {
            "series": series,
            "models": sorted(models, key=lambda row: -row.charge_nano),
            "earnings": sorted(earnings, key=lambda row: -row.charge_nano),
            "health": tools.health.health(),
            "latest": latest,
            "account_names": account_names(tools.ports, latest),
        }

    @get("/console", opt=_READ)
    async def show_overview(request: Request[Any, Any, Any], span: FromQuery[str] = "day") -> Response[str]:
        visit = visit_of(request)
        chosen = span_of(span, zone=visit.zone, now_us=tools.ports.clock.now_us())
        found, tripped = await asyncio.to_thread(figures, chosen), _tripped(pages)
        return pages.page(
            request,
            "admin/overview.html",
            tables={
                "passed-over": [{"provider": provider, "model": model} for provider, model in tripped],
                "by-model": found["models"],
                "by-provider": found["earnings"],
            },
            span=chosen,
            chart=chart(chosen, found["series"]),
            counts=_counts(pages),
            tripped=tripped,
            totals=_totals(found["series"]),
            top=_TOP,
            **found,
        )

    return [show_overview]


def _counts(pages: Pages) -> dict[str, int]:
    directory = pages.tools.admin.directory
    return {
        "accounts": sum(1 for one in directory.accounts.values() if one.status == "open"),
        "keys": directory.keys_in_use,
        "models": len(directory.aliases),
        "providers": sum(1 for one in directory.providers.values() if not one.disabled),
    }


def _tripped(pages: Pages) -> list[tuple[str, str]]:
    """Deployments whose breaker is not closed: provider and model."""
    directory, health = pages.tools.admin.directory, pages.tools.health
    return [
        (directory.providers[one.provider_id].name, one.spec.upstream_model)
        for one in directory.deployments.values()
        if not one.disabled and health.breaker(one.deployment_id).state != "closed"
    ]


def _totals(series: tuple[Any, ...]) -> dict[str, int]:
    names = ("requests", "charged", "released", "abandoned", "charge_nano", "input_tokens", "output_tokens")
    return {name: sum(getattr(row, name) for row in series) for name in names}
