"""The GET routes of corrections: adjustments, and what waits for somebody to decide."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.charges.remarks import Disputes, read_disputes
from application.queries import ReviewState
from application.reports.adjustments import AdjustmentFilter, AdjustmentPage
from application.reports.reviews import ReviewFilter, ReviewPage
from application.repricing.answer import PlanAnswer, plan_answer
from application.repricing.plan import plan_repricing
from domain.ledger.adjustments import AdjustmentState
from domain.ledger.charges import DisputeCause
from domain.repricing import RepricingQuestion

_READ: Final = {PERMISSION: "read"}


def correction_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What operators correct."""

    @get("/adjustments", opt=_READ, sync_to_thread=True)
    def list_adjustments(
        *,
        adjustment_state: Annotated[AdjustmentState | None, QueryParameter(name="state")] = None,
        account_id: FromQuery[UUID | None] = None,
        ref: FromQuery[UUID | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> AdjustmentPage:
        """Corrections of credit, newest first; those in the state `waiting` need a second operator."""
        wanted = AdjustmentFilter(state=adjustment_state, account_id=account_id, ref=ref)
        return tools.adjustments.adjustments(wanted, before_position=before_position, limit=limit)

    @get("/charges/reviews", opt=_READ, sync_to_thread=True)
    def list_reviews(
        *,
        review_state: Annotated[ReviewState | None, QueryParameter(name="state")] = None,
        account_id: FromQuery[UUID | None] = None,
        request_id: FromQuery[UUID | None] = None,
        cause: FromQuery[DisputeCause | None] = None,
        after_position: FromQuery[int] = 0,
        limit: Limit = PAGE_ROWS,
    ) -> ReviewPage:
        """Charges that were held because their usage cannot be, or disputed, oldest first; `queue` tells how many wait, and how long."""
        wanted = ReviewFilter(state=review_state, account_id=account_id, request_id=request_id, cause=cause)
        now_us = tools.ports.clock.now_us()
        return tools.reviews.reviews(wanted, now_us=now_us, after_position=after_position, limit=limit)

    @get("/charges/disputes/{request_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_charge_disputes(request_id: FromPath[UUID]) -> Disputes:
        """How the charge of a request was disputed, with what the customer remarked."""
        return read_disputes(tools.ports, request_id)

    @get("/repricing/plan", opt=_READ, sync_to_thread=True)
    def read_repricing_plan(
        *,
        alias: FromQuery[str],
        from_us: FromQuery[int],
        until_us: FromQuery[int],
        new_price_version: FromQuery[int],
        price_version: FromQuery[int | None] = None,
    ) -> PlanAnswer:
        """What charges of the past would have cost by another version of the prices; reads the whole log, and writes nothing."""
        question = RepricingQuestion(
            alias=alias,
            from_us=from_us,
            until_us=until_us,
            new_price_version=new_price_version,
            price_version=price_version,
        )
        return plan_answer(plan_repricing(tools.ports.store, question))

    return [list_adjustments, list_reviews, read_charge_disputes, read_repricing_plan]
