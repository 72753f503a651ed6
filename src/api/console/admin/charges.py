"""Charges that somebody must look at: the queue of those that were held or disputed, and one charge with all that was decided about it."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from api.console.request_page import request_context
from application.charges.remarks import read_disputes
from application.queries import ReviewState
from application.reports.adjustments import AdjustmentFilter
from application.reports.reviews import ReviewFilter
from domain.ledger.charges import DisputeCause

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATES: Final = get_args(ReviewState)
_CAUSES: Final = get_args(DisputeCause)
_WAITING: Final = "waiting"
_ALL: Final = "all"


def charge_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/charges`."""
    return [*_queue_routes(pages), *_one_routes(pages)]


def _queue_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(wanted: ReviewFilter) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.reviews.reviews(
                wanted, now_us=tools.ports.clock.now_us(), after_position=at or 0, limit=PAGE_ROWS
            )
            return page.items, page.next_after

        return turn

    def found(wanted: ReviewFilter, after: int) -> dict[str, Any]:
        now_us = tools.ports.clock.now_us()
        page = tools.reviews.reviews(wanted, now_us=now_us, after_position=after, limit=looking.PAGE_ROWS)
        return {
            "page": page,
            "names": names_of(tools.ports, list({row.account_id for row in page.items})),
            "people": looking.people(tools.ports, (row.decided_by for row in page.items)),
        }

    @get("/console/charges", opt=_READ)
    async def list_charges(
        *,
        request: Request[Any, Any, Any],
        review_state: Annotated[str, QueryParameter(name="state")] = _WAITING,
        cause: FromQuery[str] = "",
        account: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = ReviewFilter(
            state=looking.one_of(review_state, _STATES),
            cause=looking.one_of(cause, _CAUSES),
            account_id=looking.uuid_of(account),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="charges-to-review", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(after) or 0)
        return pages.page(
            request,
            "admin/charges.html",
            filters={"state": review_state, "cause": cause, "account": account},
            is_narrowed=review_state not in {_WAITING, _ALL} or bool(account or cause),
            causes=_CAUSES,
            **context,
        )

    return [list_charges]


def _one_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def one(request_id: UUID) -> dict[str, Any]:
        context = request_context(pages, request_id)
        reviews = tools.reviews.reviews(
            ReviewFilter(request_id=request_id), now_us=tools.ports.clock.now_us(), limit=1
        )
        wanted = AdjustmentFilter(ref=request_id)
        corrections = tools.adjustments.adjustments(wanted, limit=looking.PAGE_ROWS).items
        labels = [label for row in corrections for label in (row.requested_by, row.decided_by)]
        labels += [label for row in reviews.items for label in (row.decided_by, row.disputed_by)]
        held = next(iter(reviews.items), None)
        return context | {
            "held": held,
            "disputes": read_disputes(tools.ports, request_id).items if held and held.cause else (),
            "corrections": corrections,
            "account_names": names_of(tools.ports, [context["row"].account_id]),
            "people": looking.people(tools.ports, labels),
        }

    @get("/console/charges/{request_id:uuid}", opt=_READ)
    async def show_charge(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> Response[str]:
        context = await asyncio.to_thread(one, request_id)
        return pages.page(
            request,
            "admin/charge.html",
            tables={"adjustments": context["corrections"]},
            approval_nano=tools.ports.approval_nano,
            **context,
        )

    return [show_charge]
