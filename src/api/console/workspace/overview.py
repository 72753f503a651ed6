"""The first page of customers: what is left, what was used, and what is still to be done to get going."""

import asyncio
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.reading import nothing_yet
from api.admin.views import names_of
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import Span, chart, span_of
from api.console.looking import model_rows
from api.console.pages import Pages
from api.console.texts import N_
from application.queries import RequestFilter
from application.reports.usage import UsageFilter

_READ: Final = {NEEDS: Needs("account", "read")}
_LATEST: Final = 5
_TOP: Final = 6


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do before the first request, and whether the facts say that it is done."""

    title: str
    text: str
    is_done: bool
    path: str = ""
    label: str = ""


def overview_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>`."""
    tools = pages.tools.admin

    def figures(account_id: UUID, span: Span) -> dict[str, Any]:
        wanted = UsageFilter(period=span.period, account_id=account_id)
        month = span_of("month", zone=span.zone, now_us=tools.ports.clock.now_us())
        in_month = UsageFilter(period=month.period, account_id=account_id)
        models = tools.usage.usage(wanted, by=("alias",), zone=span.zone, limit=500).items
        return {
            "series": tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=500).items,
            "models": sorted(models, key=lambda row: -row.charge_nano)[:_TOP],
            "month": tools.usage.usage(in_month, by=(), limit=1).items,
            "balance": tools.balances.balance(account_id) or nothing_yet(account_id),
            "latest": tools.requests.requests(RequestFilter(account_id=account_id), limit=_LATEST).requests,
            "account_name": names_of(tools.ports, [account_id]).get(account_id),
        }

    @get("/app/{account_id:uuid}", opt=_READ)
    async def show_overview(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], span: FromQuery[str] = "week"
    ) -> Response[str]:
        visit = visit_of(request)
        chosen = span_of(span, zone=visit.zone, now_us=tools.ports.clock.now_us())
        found = await asyncio.to_thread(figures, account_id, chosen)
        keys = [
            one for one in tools.directory.keys.values() if one.account_id == account_id and not one.revoked
        ]
        models = [row.name for row in model_rows(tools.directory, tools.ports.clock.now_us()) if row.price]
        steps = _steps(
            account_id, found, has_key=bool(keys), has_totp=bool(visit.person and visit.person.has_totp)
        )
        return pages.page(
            request,
            "workspace/overview.html",
            span=chosen,
            chart=chart(chosen, found["series"]),
            account_status=_status(pages, account_id),
            steps=steps,
            is_ready=all(step.is_done for step in steps[:-1]),
            model=models[0] if models else "",
            api_url=pages.tools.api_url or "https://api.example.com",
            **found,
        )

    return [show_overview]


def _status(pages: Pages, account_id: UUID) -> str:
    return pages.tools.admin.directory.accounts[account_id].status


def _steps(account_id: UUID, found: dict[str, Any], *, has_key: bool, has_totp: bool) -> list[Step]:
    base = f"/app/{account_id}"
    return [
        Step(
            title=N_("Make an API key"),
            text=N_("Your programs send it with each request. Give each of them one of its own."),
            is_done=has_key,
            path=f"{base}/keys",
            label=N_("API keys"),
        ),
        Step(
            title=N_("Have credit"),
            text=N_("Requests are paid for from credit. Whoever looks after you grants it."),
            is_done=found["balance"].posted_nano > 0,
        ),
        Step(
            title=N_("Send a first request"),
            text=N_("Take one of the snippets below. It shows here within a second."),
            is_done=bool(found["latest"]),
        ),
        Step(
            title=N_("Protect your sign-in"),
            text=N_("With a second factor a stolen password is not enough."),
            is_done=has_totp,
            path="/me/second-factor",
            label=N_("Set up"),
        ),
    ]
