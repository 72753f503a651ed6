"""A customer's budgets with what is spent of each, and the alerts that they raised."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.key_lists import newest_keys
from api.console.pages import Pages
from api.console.preferences import ZONES

_READ: Final = {NEEDS: Needs("account", "read")}
_BUDGETS_MAX: Final = 200
_ALERTS: Final = 50


def budget_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/budgets`."""
    tools = pages.tools.admin

    def found(account_id: UUID) -> dict[str, Any]:
        now_us = tools.ports.clock.now_us()
        budgets = tools.budgets.budgets(now_us=now_us, account_id=account_id, limit=_BUDGETS_MAX).items
        alerts = tools.budgets.alerts(account_id=account_id, limit=_ALERTS).items
        key_ids = {one.budget.key_id for one in budgets} | {one.key_id for one in alerts}
        return {
            "budgets": budgets,
            "alerts": alerts,
            "keys": newest_keys(tools, account_id),
            "choices_max": looking.CHOICES,
            "names": names_of(tools.ports, [one for one in key_ids if one is not None]),
            "zones": ZONES,
        }

    @get("/app/{account_id:uuid}/budgets", opt=_READ)
    async def list_budgets(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(found, account_id)
        tables = {"budgets": context["budgets"], "budget-alerts": context["alerts"]}
        return pages.page(request, "workspace/budgets.html", tables=tables, **context)

    return [list_budgets]
