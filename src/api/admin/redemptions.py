"""The GET routes of codes: which batches there are, and who has redeemed how many."""

from typing import Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.promotions.queries import BatchPage, RedemptionPage

_READ: Final = {PERMISSION: "read"}


def redemption_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """For whoever looks after a campaign."""

    @get("/codes", opt=_READ, sync_to_thread=True)
    def list_batches(before_position: FromQuery[int | None] = None, limit: Limit = PAGE_ROWS) -> BatchPage:
        """Batches of codes, newest first, with how many of each were redeemed; never a code."""
        return tools.codes.batches(before_position=before_position, limit=limit)

    @get("/codes/redemptions", opt=_READ, sync_to_thread=True)
    def list_redemptions(
        *,
        batch_id: FromQuery[UUID | None] = None,
        account_id: FromQuery[UUID | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> RedemptionPage:
        """Codes that were redeemed, newest first: of a batch, or by an account."""
        return tools.codes.redemptions(
            batch_id=batch_id, account_id=account_id, before_position=before_position, limit=limit
        )

    return [list_batches, list_redemptions]
