"""Long work: what was asked for, how far it is, and the files that exports left."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import File

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.headers import HEADERS
from api.console.pages import Pages
from application.work.files import KEPT_DAYS, download_name, suffix_of
from application.work.queries import WorkRow, WorkView, work_view
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("staff", "read")}


def work_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/work`, and the files of exports."""
    tools = pages.tools.admin

    def turn(at: Any) -> tuple[Any, Any]:
        page = tools.work.work(before_position=at, limit=PAGE_ROWS)
        return page.items, page.next_before

    def found(before: int | None) -> dict[str, Any]:
        view = work_view(tools.work, tools.runs, before_position=before, limit=looking.PAGE_ROWS)
        return {
            "view": view,
            "is_busy": any(one.outcome is None for one in view.items),
            "people": looking.people(tools.ports, (one.asked_by for one in view.items)),
            "read_models": sorted(one.name for one in tools.health.health().read_models),
            "months": looking.months(tools.ports.clock.now_us(), "UTC"),
            "kept": _kept(view, pages.tools.exports),
            "kept_days": KEPT_DAYS,
            "has_exports": pages.tools.exports is not None,
        }

    @get("/console/work", opt=_READ)
    async def list_work(
        request: Request[Any, Any, Any], before: FromQuery[str] = "", form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn, name="work", form=form)
        context = await asyncio.to_thread(found, looking.number_of(before))
        return pages.page(request, "admin/work.html", **context)

    @get("/console/work/{work_id:uuid}/file", opt=_READ)
    async def take_file(work_id: FromPath[UUID]) -> File:
        row = await asyncio.to_thread(tools.work.one, work_id)
        path = None if row is None else place_of(row, pages.tools.exports)
        if row is None or path is None:
            raise NotFound("file", work_id)
        return File(path, filename=download_name(row), media_type="application/octet-stream", headers=HEADERS)

    return [list_work, take_file]


def place_of(row: WorkRow, folder: Path | None) -> Path | None:
    """Where an export's file is; none if there is none, or not any more."""
    if folder is None or row.kind == "rebuild" or row.outcome != "done":
        return None
    path = folder / f"{row.work_id}.{suffix_of(row)}"
    return path if path.is_file() else None


def _kept(view: WorkView, folder: Path | None) -> set[UUID]:
    return {one.work_id for one in view.items if place_of(one, folder) is not None}
