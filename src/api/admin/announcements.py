"""The GET route of announcements: what customers are told, now, later and before."""

from typing import Final

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from api.admin.access import PERMISSION
from api.admin.tools import AdminTools
from domain.announcements import Announcement

_READ: Final = {PERMISSION: "read"}


class AnnouncementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every one that was not withdrawn, the newest begin first; their number has a bound."""

    items: tuple[Announcement, ...]
    next_after: str | None


def announcement_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What customers are told."""

    @get("/announcements", opt=_READ)
    async def list_announcements() -> AnnouncementPage:
        """All of them, with their texts in every language."""
        known = tools.directory.announcements.by_id.values()
        items = tuple(sorted(known, key=lambda one: (-one.from_us, one.announcement_id)))
        return AnnouncementPage(items=items, next_after=None)

    return [list_announcements]
