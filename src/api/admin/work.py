"""The GET route of long work."""

from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.work.queries import WorkView, work_view

_READ: Final = {PERMISSION: "read"}


def work_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """For whoever has asked for it."""

    @get("/work", opt=_READ, sync_to_thread=True)
    def list_work(before_position: FromQuery[int | None] = None, limit: Limit = PAGE_ROWS) -> WorkView:
        """Rebuilds and exports, newest first, with how far those are that are under way, in positions of the log."""
        return work_view(tools.work, tools.runs, before_position=before_position, limit=limit)

    return [list_work]
