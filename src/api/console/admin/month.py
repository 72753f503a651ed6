"""`/console/money/month`: a month of money from two sides, what differs first.

Both sides are added up as facts come, so a large month takes no longer than a small one.
"""

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, file_of
from api.console.pages import Pages

_READ: Final = {NEEDS: Needs("staff", "read")}
_ZONE: Final = "UTC"  #: in which months are compared


def month_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    @get("/console/money/month", opt=_READ)
    async def show_month(
        request: Request[Any, Any, Any], month: FromQuery[str] = "", form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        months = looking.months(tools.ports.clock.now_us(), _ZONE)
        # Who comes to close a month wants the one that is over.
        chosen = month if month in months else months[1]
        found = await asyncio.to_thread(tools.months.month, chosen)
        if form in FORMS:
            return file_of(found.items, name=f"month-{chosen}", form=form)
        return pages.page(
            request,
            "admin/month.html",
            months=months,
            found=found,
            differing=[one for one in found.items if one.difference],
            agreeing=[one for one in found.items if not one.difference],
        )

    return [show_month]
