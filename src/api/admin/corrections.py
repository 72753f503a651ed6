"""The GET routes of corrections: adjustments, and what waits for somebody to decide."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.reports.adjustments import AdjustmentFilter, AdjustmentPage
from domain.ledger.adjustments import AdjustmentState

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

    return [list_adjustments]
