"""Money that goes back: refunds and disputes of all orders, refunds that customers ask for, and accounts that owe for what
they had spent of it.

What is done about a refund is done on its order's page.
"""

import asyncio
from typing import Annotated, Any, Final, get_args

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application.recharge.returns import SHOWN_STATES, ReturnFilter, ReturnKind
from application.refunds.queries import RefundRequestFilter, RefundRequestPage
from domain.recharge.returns import RequestState

_READ: Final = {NEEDS: Needs("staff", "read")}
_REQUEST_STATES: Final = get_args(RequestState)
_KINDS: Final = get_args(ReturnKind)


def refund_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/refunds`, `/console/refunds/requests`, `/console/refunds/debts`."""
    return [*_return_routes(pages), *_request_routes(pages), *_debt_routes(pages)]


def _return_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(wanted: ReturnFilter) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.returns.returns(wanted, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def found(wanted: ReturnFilter, before: int | None) -> dict[str, Any]:
        page = tools.returns.returns(wanted, before_position=before, limit=looking.PAGE_ROWS)
        return {
            "page": page,
            "names": names_of(tools.ports, list({row.account_id for row in page.items})),
            "people": looking.people(tools.ports, (row.requested_by for row in page.items)),
        }

    @get("/console/refunds", opt=_READ)
    async def list_refunds(
        *,
        request: Request[Any, Any, Any],
        whole: Annotated[str, QueryParameter(name="all")] = "",
        kind: FromQuery[str] = "",
        return_state: Annotated[str, QueryParameter(name="state")] = "",
        account: FromQuery[str] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = ReturnFilter(
            is_open=not whole,
            kind=looking.one_of(kind, _KINDS),
            state=looking.one_of(return_state, SHOWN_STATES),
            account_id=looking.uuid_of(account),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="refunds-and-disputes", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(before))
        filters = {"all": whole, "kind": kind, "state": return_state, "account": account}
        return pages.page(
            request, "admin/refunds.html", filters=filters, kinds=_KINDS, states=SHOWN_STATES, **context
        )

    return [list_refunds]


def _request_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def page_of(wanted: RefundRequestFilter, after: int, limit: int) -> RefundRequestPage:
        now_us = tools.ports.clock.now_us()
        return tools.refund_requests.requests(wanted, now_us=now_us, after_position=after, limit=limit)

    def turn_of(wanted: RefundRequestFilter) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = page_of(wanted, at or 0, PAGE_ROWS)
            return page.items, page.next_after

        return turn

    def found(wanted: RefundRequestFilter, after: int) -> dict[str, Any]:
        page = page_of(wanted, after, looking.PAGE_ROWS)
        labels = [label for row in page.items for label in (row.filed_by, row.decided_by)]
        return {
            "page": page,
            "names": names_of(tools.ports, list({row.account_id for row in page.items})),
            "people": looking.people(tools.ports, labels),
        }

    @get("/console/refunds/requests", opt=_READ)
    async def list_refund_requests(
        *,
        request: Request[Any, Any, Any],
        request_state: Annotated[str, QueryParameter(name="state")] = "open",
        account: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = RefundRequestFilter(
            state=looking.one_of(request_state, _REQUEST_STATES), account_id=looking.uuid_of(account)
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="refund-requests", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(after) or 0)
        filters = {"state": request_state, "account": account}
        return pages.page(
            request, "admin/refund_requests.html", filters=filters, states=_REQUEST_STATES, **context
        )

    return [list_refund_requests]


def _debt_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn(at: Any, limit: int = PAGE_ROWS) -> tuple[Any, Any]:
        rows = tools.balances.debts(after=at, limit=limit)
        return rows, rows[-1].account_id if len(rows) == limit else None

    def found(after: str) -> dict[str, Any]:
        rows, next_after = turn(looking.uuid_of(after), looking.PAGE_ROWS)
        names = names_of(tools.ports, [row.account_id for row in rows])
        return {"rows": rows, "next_after": next_after, "names": names}

    @get("/console/refunds/debts", opt=_READ)
    async def list_debts(
        request: Request[Any, Any, Any], after: FromQuery[str] = "", form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn, name="debts", form=form)
        return pages.page(request, "admin/debts.html", **await asyncio.to_thread(found, after))

    return [list_debts]
