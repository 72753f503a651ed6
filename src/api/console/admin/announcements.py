"""What customers are told: the list, and a form for one in all languages."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.pages import Pages
from domain.announcements import Announcement

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATE_ORDER: Final = {"live": 0, "scheduled": 1, "over": 2}


class AnnouncementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One announcement, and where it is in its time."""

    one: Announcement
    state: str


def announcement_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/announcements`."""
    tools = pages.tools.admin

    @get("/console/announcements", opt=_READ)
    async def list_announcements(request: Request[Any, Any, Any], edit: FromQuery[str] = "") -> Response[str]:
        known, now_us = tools.directory.announcements.by_id, tools.ports.clock.now_us()
        rows = [AnnouncementRow(one=one, state=_state(one, now_us)) for one in known.values()]
        rows.sort(key=lambda row: (_STATE_ORDER[row.state], -row.one.from_us))
        wanted = looking.uuid_of(edit)
        edited = known.get(wanted) if wanted else None
        ids = {account_id for row in rows for account_id in row.one.account_ids}
        return pages.page(
            request,
            "admin/announcements.html",
            names=await asyncio.to_thread(names_of, tools.ports, sorted(ids)),
            tables={"announcements": rows},
            rows=rows,
            edited=edited,
            is_new=edit == "new",
        )

    return [list_announcements]


def _state(one: Announcement, now_us: int) -> str:
    if one.is_over(now_us):
        return "over"
    return "live" if one.is_live(now_us) else "scheduled"
