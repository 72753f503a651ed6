"""Codes that customers redeem for credit: batches, and who has redeemed how many of one. A code itself is shown once, by its form's answer."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("staff", "read")}


def code_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/codes`."""
    return [*_batch_routes(pages), *_redemption_routes(pages)]


def _batch_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn(at: Any) -> tuple[Any, Any]:
        page = tools.codes.batches(before_position=at, limit=PAGE_ROWS)
        return page.items, page.next_before

    def found(before: int | None) -> dict[str, Any]:
        page = tools.codes.batches(before_position=before, limit=looking.PAGE_ROWS)
        return {"page": page, "people": looking.people(tools.ports, (row.issued_by for row in page.items))}

    @get("/console/codes", opt=_READ)
    async def list_batches(
        request: Request[Any, Any, Any], before: FromQuery[str] = "", form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn, name="code-batches", form=form)
        context = await asyncio.to_thread(found, looking.number_of(before))
        return pages.page(request, "admin/codes.html", **context)

    return [list_batches]


def _redemption_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def turn_of(batch_id: UUID) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.codes.redemptions(batch_id=batch_id, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def one(batch_id: UUID, before: int | None) -> dict[str, Any]:
        batch = tools.codes.batch(batch_id)
        if batch is None:
            raise NotFound("batch of codes", batch_id)
        page = tools.codes.redemptions(batch_id=batch_id, before_position=before, limit=looking.PAGE_ROWS)
        labels: Iterable[str] = [batch.issued_by, *(row.redeemed_by for row in page.items)]
        return {
            "batch": batch,
            "page": page,
            "names": names_of(tools.ports, list({row.account_id for row in page.items})),
            "people": looking.people(tools.ports, labels),
        }

    @get("/console/codes/{batch_id:uuid}", opt=_READ)
    async def show_batch(
        request: Request[Any, Any, Any],
        batch_id: FromPath[UUID],
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(turn_of(batch_id), name="redemptions", form=form)
        context = await asyncio.to_thread(one, batch_id, looking.number_of(before))
        return pages.page(request, "admin/batch.html", **context)

    return [show_batch]
