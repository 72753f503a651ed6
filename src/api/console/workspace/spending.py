"""What a customer has asked for, and what it cost: requests, usage and statements."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec.structs import replace

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.charts import FROM, UNTIL, chart, chosen_span
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.key_lists import KeyPick, pick_key
from api.console.pages import Pages
from api.console.refused_page import refused_context
from api.console.request_page import receipt_file, request_context, sought_request
from api.console.statement_files import statement_answer
from api.console.workspace.disputes import dispute_context
from api.customer.views import request_of
from application.people.email import open_email
from application.queries import RequestFilter, RequestPage
from application.reports.period import month as month_of
from application.reports.statement import Statement
from application.reports.usage import UsageFilter, UsageGroup, UsageRow
from domain.members import NO_MEMBERS
from domain.refusal import BadField

_READ: Final = {NEEDS: Needs("account", "read")}
_LINES: Final = 100
_USAGE_ROWS: Final = 100
_GROUPS: Final[dict[str, UsageGroup]] = {
    "alias": "alias",
    "key": "key",
    "member": "member",
    "day": "day",
    "operation": "operation",
}


def spending_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/requests`, `/usage`, `/statements`."""
    return [
        *_request_routes(pages),
        *_one_request_routes(pages),
        *_usage_routes(pages),
        *_statement_routes(pages),
    ]


def _request_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def found(
        wanted: RequestFilter, account_id: UUID, key: str, before: int | None
    ) -> tuple[KeyPick, RequestPage]:
        """Nothing while it is open which key is meant."""
        pick = pick_key(tools, key, account_id=account_id)
        if key.strip() and pick.key is None:
            return pick, RequestPage(requests=(), next_before=None)
        wanted = replace(wanted, key_id=pick.key.key_id if pick.key else None)
        return pick, tools.requests.requests(wanted, before_position=before, limit=looking.PAGE_ROWS)

    def turn_of(wanted: RequestFilter, account_id: UUID, key: str) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            _, page = found(wanted, account_id, key, at)
            return [request_of(row) for row in page.requests], page.next_before

        return turn

    @get("/app/{account_id:uuid}/requests", opt=_READ)
    async def list_requests(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        request_state: Annotated[str, QueryParameter(name="state")] = "",
        model: FromQuery[str] = "",
        key: FromQuery[str] = "",
        day: FromQuery[str] = "",
        before: FromQuery[str] = "",
        typed_id: Annotated[str, QueryParameter(name="id")] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        zone = visit_of(request).zone
        sought = await asyncio.to_thread(sought_request, pages, typed_id, zone=zone, account_id=account_id)
        if sought is not None and sought.request_id is not None:
            return pages.see(f"/app/{account_id}/requests/{sought.request_id}")
        wanted = RequestFilter(
            account_id=account_id,
            state=looking.state_of(request_state),
            alias=model.strip() or None,
            admitted_from_us=looking.day_us(day, zone),
            admitted_until_us=looking.day_us(day, zone, end=True),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted, account_id, key), name="requests", form=form)
        pick, page = await asyncio.to_thread(found, wanted, account_id, key, looking.number_of(before))
        filters = {"state": request_state, "model": model, "key": key, "day": day}
        return pages.page(
            request, "workspace/requests.html", page=page, pick=pick, filters=filters, sought=sought
        )

    return [list_requests]


def _one_request_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """A request by itself, and the calls that never became one."""
    tools = pages.tools.admin

    @get("/app/{account_id:uuid}/requests/refused", opt=_READ)
    async def list_refused(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], day: FromQuery[str] = ""
    ) -> Response[Any]:
        zone = visit_of(request).zone
        context = await asyncio.to_thread(refused_context, pages, account_id, day=day, zone=zone)
        tables = {"refused": context["rows"]}
        return pages.page(request, "workspace/refused.html", tables=tables, **context)

    @get("/app/{account_id:uuid}/requests/{request_id:uuid}", opt=_READ)
    async def show_request(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], request_id: FromPath[UUID]
    ) -> Response[str]:
        def found() -> dict[str, Any]:
            context = request_context(pages, request_id, account_id=account_id)
            return context | dispute_context(pages, context["row"])

        return pages.page(request, "workspace/request.html", **await asyncio.to_thread(found))

    @get("/app/{account_id:uuid}/requests/{request_id:uuid}/receipt", opt=_READ)
    async def download_receipt(account_id: FromPath[UUID], request_id: FromPath[UUID]) -> Response[bytes]:
        issued = await asyncio.to_thread(tools.receipts.issue, request_id, account_id=account_id)
        return receipt_file(issued, request_id)

    return [list_refused, show_request, download_receipt]


def _usage_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def figures(account_id: UUID, span: Any, group: UsageGroup) -> dict[str, Any]:
        wanted = UsageFilter(period=span.period, account_id=account_id)
        rows, has_more = rows_of(wanted, span, group)
        key_ids = [row.group.key for row in rows if row.group.key is not None]
        return {
            "rows": rows,
            "has_more": has_more,
            "series": tools.usage.usage(wanted, by=(span.group,), zone=span.zone, limit=500).items,
            "names": names_of(tools.ports, key_ids) | addresses(account_id, rows),
        }

    def rows_of(wanted: UsageFilter, span: Any, group: UsageGroup) -> tuple[Sequence[UsageRow], bool]:
        """Days in their order, all else by what it cost; and whether there is more than a page has."""
        if group == "day":
            return tools.usage.usage(wanted, by=(group,), zone=span.zone, limit=PAGE_ROWS).items, False
        found = tools.usage.dearest(wanted, by=group, zone=span.zone, limit=_USAGE_ROWS + 1)
        return found[:_USAGE_ROWS], len(found) > _USAGE_ROWS

    def turn_of(account_id: UUID, span: Any, group: UsageGroup) -> Turn:
        wanted = UsageFilter(period=span.period, account_id=account_id)

        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.usage.usage(wanted, by=(group,), zone=span.zone, after=at, limit=PAGE_ROWS)
            return page.items, page.next_after

        return turn

    def addresses(account_id: UUID, rows: Sequence[UsageRow]) -> dict[UUID, str]:
        """Of those among the rows' members who are members still."""
        members = tools.directory.members.get(account_id, NO_MEMBERS).members
        found = [members[row.group.member] for row in rows if row.group.member in members]
        opened = {one.person_id: open_email(tools.ports.personal, one.person_id, one.pii) for one in found}
        return {person_id: address for person_id, address in opened.items() if address}

    @get("/app/{account_id:uuid}/usage", opt=_READ)
    async def show_usage(
        *,
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        span: FromQuery[str] = "month",
        first: Annotated[str, FROM] = "",
        last: Annotated[str, UNTIL] = "",
        by: FromQuery[str] = "alias",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        zone, now_us = visit_of(request).zone, tools.ports.clock.now_us()
        chosen, group = chosen_span(span, first, last, zone=zone, now_us=now_us), _GROUPS.get(by, "alias")
        if form in FORMS:
            return await stream_of(turn_of(account_id, chosen, group), name="usage", form=form)
        found = await asyncio.to_thread(figures, account_id, chosen, group)
        return pages.page(
            request,
            "workspace/usage.html",
            span=chosen,
            by=group,
            chart=chart(chosen, found["series"]),
            **found,
        )

    return [show_usage]


def _statement_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def statement(account_id: UUID, month: str, zone: str, after: str | None) -> tuple[Statement, Any]:
        found = tools.statements.statement(
            account_id, month_of(month, zone=zone), zone=zone, after=after, limit=_LINES
        )
        ids = [line.key_id for line in found.lines if line.key_id is not None]
        return found, names_of(tools.ports, ids)

    @get("/app/{account_id:uuid}/statements", opt=_READ)
    async def show_statement(
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        month: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        zone = visit_of(request).zone
        months = looking.months(tools.ports.clock.now_us(), zone)
        chosen = month if month in months else months[0]
        try:
            found, names = await asyncio.to_thread(statement, account_id, chosen, zone, after or None)
        except BadField:
            return pages.see(f"/app/{account_id}/statements?month={chosen}")
        return pages.page(
            request,
            "workspace/statement.html",
            statement=found,
            names=names,
            months=months,
            month=chosen,
        )

    @get("/app/{account_id:uuid}/statements/{form:str}", opt=_READ)
    async def read_statement(
        request: Request[Any, Any, Any],
        account_id: FromPath[UUID],
        form: FromPath[str],
        month: FromQuery[str] = "",
    ) -> Response[Any]:
        """The whole month as a file."""
        home = f"/app/{account_id}/statements"
        return await asyncio.to_thread(
            statement_answer, pages, request, account_id, month=month, form=form, home=home
        )

    return [show_statement, read_statement]
