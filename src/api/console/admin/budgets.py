"""Budgets of keys and accounts with what is left of each, and the alerts that were raised."""

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.pages import Pages

_READ: Final = {NEEDS: Needs("staff", "read")}
_ALERTS: Final = 20


def budget_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/budgets`."""
    tools = pages.tools.admin

    def found(account: str, after: str) -> dict[str, Any]:
        account_id, now_us = looking.uuid_of(account), tools.ports.clock.now_us()
        page = tools.budgets.budgets(
            now_us=now_us, account_id=account_id, after=looking.uuid_of(after), limit=looking.PAGE_ROWS
        )
        told = tools.budgets.alerts(account_id=account_id, limit=_ALERTS)
        alerts = told.items
        ids = {use.budget.account_id for use in page.items} | {one.account_id for one in alerts}
        ids |= {one for use in page.items if (one := use.budget.key_id) is not None}
        ids |= {one for alert in alerts if (one := alert.key_id) is not None}
        return {
            "page": page,
            "alerts": alerts,
            "more_alerts": told.next_before,
            "names": names_of(tools.ports, list(ids)),
        }

    def turn_of(account: str) -> Turn:
        account_id, now_us = looking.uuid_of(account), tools.ports.clock.now_us()

        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.budgets.budgets(now_us=now_us, account_id=account_id, after=at, limit=PAGE_ROWS)
            return page.items, page.next_after

        return turn

    def alerts_of(account: str) -> Turn:
        account_id = looking.uuid_of(account)

        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.budgets.alerts(account_id=account_id, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    @get("/console/budgets", opt=_READ)
    async def list_budgets(
        *,
        request: Request[Any, Any, Any],
        account: FromQuery[str] = "",
        after: FromQuery[str] = "",
        table: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS and table == "budget-alerts":
            return await stream_of(alerts_of(account), name=table, form=form)
        if form in FORMS:
            return await stream_of(turn_of(account), name="budgets", form=form)
        context = await asyncio.to_thread(found, account, after)
        return pages.page(request, "admin/budgets.html", filters={"account": account}, **context)

    return [list_budgets]
