"""Corrections of credit: adjustments with a second pair of eyes, and repricing of the past."""

import asyncio
from typing import Annotated, Any, Final, get_args

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.files import AS, FORMS, PAGE_ROWS, every, file_of, stream_of
from api.console.pages import Pages
from application.command import load
from application.reports.adjustments import AdjustmentFilter
from application.repricing.answer import PlanAnswer, plan_answer
from application.repricing.plan import plan_repricing
from domain import repricing
from domain.ledger.adjustments import AdjustmentState
from domain.refusal import Refusal
from domain.repricing import REPRICING_STREAM, RepricingQuestion, RepricingRunPosted, Runs

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATES: Final = get_args(AdjustmentState)
_RUN_ADJUSTMENTS_MAX: Final = 10_000


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A repricing run, and how many of its adjustments are in which state."""

    run: RepricingRunPosted
    counts: dict[str, int]
    wanted: int


def correction_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/adjustments`, `/console/repricing`."""
    return [*_adjustment_routes(pages), *_repricing_routes(pages)]


def _adjustment_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(wanted: AdjustmentFilter) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.adjustments.adjustments(wanted, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def found(wanted: AdjustmentFilter, before: int | None) -> dict[str, Any]:
        page = tools.adjustments.adjustments(wanted, before_position=before, limit=looking.PAGE_ROWS)
        waiting = tools.adjustments.adjustments(AdjustmentFilter(state="waiting"), limit=looking.PAGE_ROWS)
        people = [
            one
            for row in page.items
            for label in (row.requested_by, row.decided_by or "")
            if (one := looking.uuid_of(label.partition(":")[2]))
        ]
        names = names_of(tools.ports, list({*(row.account_id for row in page.items), *people}))
        return {
            "page": page,
            "names": names,
            "people": {str(key): name for key, name in names.items()},
            "waiting": len(waiting.items),
        }

    @get("/console/adjustments", opt=_READ)
    async def list_adjustments(
        *,
        request: Request[Any, Any, Any],
        adjustment_state: Annotated[str, QueryParameter(name="state")] = "",
        account: FromQuery[str] = "",
        ref: FromQuery[str] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        wanted = AdjustmentFilter(
            state=looking.one_of(adjustment_state, _STATES),
            account_id=looking.uuid_of(account),
            ref=looking.uuid_of(ref),
        )
        if form in FORMS:
            return await stream_of(turn_of(wanted), name="adjustments", form=form)
        context = await asyncio.to_thread(found, wanted, looking.number_of(before))
        return pages.page(
            request,
            "admin/adjustments.html",
            filters={"state": adjustment_state, "account": account, "ref": ref},
            approval_nano=tools.ports.approval_nano,
            **context,
        )

    return [list_adjustments]


def _repricing_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def runs() -> list[RunRow]:
        posted = load(tools.ports.store, REPRICING_STREAM, Runs(), repricing.evolve).posted
        return [_progress(pages, run) for run in reversed(posted[-20:])]

    def planned(question: RepricingQuestion) -> PlanAnswer:
        return plan_answer(plan_repricing(tools.ports.store, question))

    @get("/console/repricing", opt=_READ)
    async def show_repricing(
        *,
        request: Request[Any, Any, Any],
        alias: FromQuery[str] = "",
        begin: Annotated[str, QueryParameter(name="from")] = "",
        end: Annotated[str, QueryParameter(name="until")] = "",
        new: FromQuery[str] = "",
        old: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        zone = visit_of(request).zone
        question = _question(alias.strip(), begin, end, new, old, zone=zone)
        plan, refusal = None, None
        if question is not None:
            try:
                plan = await asyncio.to_thread(planned, question)
            except Refusal as error:
                refusal = error
        if plan is not None and form in FORMS:
            return file_of(plan.items, name="repricing", form=form)
        found = await asyncio.to_thread(runs)
        shown = [] if plan is None else sorted(plan.items, key=lambda row: -abs(row.due_nano))[:200]
        ids = [row.account_id for row in shown]
        return pages.page(
            request,
            "admin/repricing.html",
            tables={"runs": found},
            filters={"alias": alias, "from": begin, "until": end, "new": new, "old": old},
            question=question,
            plan=plan,
            rows=shown,
            refusal=refusal,
            detail="" if refusal is None else pages.detail(visit_of(request), refusal),
            runs=found,
            names=await asyncio.to_thread(names_of, tools.ports, ids),
            versions={
                name: [one.version for one in reversed(prices)]
                for name, prices in sorted(tools.directory.prices.items())
            },
            approval_nano=tools.ports.approval_nano,
        )

    return [show_repricing]


def _question(alias: str, begin: str, end: str, new: str, old: str, *, zone: str) -> RepricingQuestion | None:
    """What is asked; none while something of it is missing."""
    from_us, until_us = looking.day_us(begin, zone), looking.day_us(end, zone, end=True)
    version = looking.number_of(new)
    if not alias or from_us is None or until_us is None or version is None:
        return None
    return RepricingQuestion(
        alias=alias,
        from_us=from_us,
        until_us=until_us,
        new_price_version=version,
        price_version=looking.number_of(old),
    )


def _progress(pages: Pages, run: RepricingRunPosted) -> RunRow:
    queries = pages.tools.admin.adjustments

    def turn(at: Any) -> tuple[Any, Any]:
        page = queries.adjustments(AdjustmentFilter(ref=run.run_id), before_position=at, limit=PAGE_ROWS)
        return page.items, page.next_before

    counts: dict[str, int] = {}
    for row in every(turn)[:_RUN_ADJUSTMENTS_MAX]:
        counts[row.state] = counts.get(row.state, 0) + 1
    return RunRow(run=run, counts=counts, wanted=sum(1 for _ in run.adjustments()))
