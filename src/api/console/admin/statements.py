"""A customer's statement as the customer sees it, for operators who are asked about it; and as a file."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.views import found, names_of
from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.pages import Pages
from api.console.statement_files import statement_answer
from application.reports.period import month as month_of
from domain.refusal import BadField

_READ: Final = {NEEDS: Needs("staff", "read")}
_LINES: Final = 200


def statement_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/customers/<account>/statements`."""
    tools = pages.tools.admin

    def statement(account_id: UUID, month: str, zone: str, after: str | None) -> dict[str, Any]:
        read = tools.statements.statement(
            account_id, month_of(month, zone=zone), zone=zone, after=after, limit=_LINES
        )
        ids = [line.key_id for line in read.lines if line.key_id is not None]
        names = names_of(tools.ports, [account_id, *ids])
        return {"statement": read, "names": names, "account_name": names.get(account_id)}

    @get("/console/customers/{account_id:uuid}/statements", opt=_READ)
    async def show_statement(
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        month: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        found(tools.directory.accounts, account_id, kind="account")
        zone = visit_of(request).zone
        months = looking.months(tools.ports.clock.now_us(), zone)
        chosen = month if month in months else months[0]
        try:
            context = await asyncio.to_thread(statement, account_id, chosen, zone, after or None)
        except BadField:
            return pages.see(f"/console/customers/{account_id}/statements?month={chosen}")
        return pages.page(
            request, "admin/statement.html", account_id=account_id, months=months, month=chosen, **context
        )

    @get("/console/customers/{account_id:uuid}/statements/{form:str}", opt=_READ)
    async def read_statement(
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        form: FromPath[str],
        month: FromQuery[str] = "",
    ) -> Response[Any]:
        """Of a month that is over always the same bytes."""
        found(tools.directory.accounts, account_id, kind="account")
        home = f"/console/customers/{account_id}/statements"
        return await asyncio.to_thread(
            statement_answer, pages, request, account_id, month=month, form=form, home=home
        )

    return [show_statement, read_statement]
