"""A customer's budgets with what is spent of each, and the alerts that they raised."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs
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
        keys = [one for one in tools.directory.keys.values() if one.account_id == account_id]
        return {
            "budgets": tools.budgets.budgets(now_us=now_us, account_id=account_id, limit=_BUDGETS_MAX).items,
            "alerts": tools.budgets.alerts(account_id=account_id, limit=_ALERTS).items,
            "keys": looking.key_rows(tools.ports, keys),
            "zones": ZONES,
        }

    @get("/app/{account_id:uuid}/budgets", opt=_READ)
    async def list_budgets(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(found, account_id)
        context["names"] = {row.key.key_id: row.name for row in context["keys"]}
        return pages.page(request, "workspace/budgets.html", **context)

    return [list_budgets]
