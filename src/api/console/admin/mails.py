"""Mails that wait, have left or are parked. What a mail says, and to whom it is, is not shown."""

import asyncio
from typing import Annotated, Any, Final, get_args

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application.mail.outbox import MailState

_READ: Final = {NEEDS: Needs("staff", "read")}
_STATES: Final = get_args(MailState)


def mail_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/mails`."""
    tools = pages.tools.admin
    outbox = tools.ports.outbox

    def turn_of(state: MailState | None) -> Any:
        def turn(at: Any) -> tuple[Any, Any]:
            page = outbox.page(state=state, before=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def found(state: MailState | None, before: str) -> dict[str, Any]:
        page = outbox.page(state=state, before=before or None, limit=looking.PAGE_ROWS)
        return {
            "page": page,
            "parked": len(outbox.page(state="parked", limit=looking.PAGE_ROWS).items),
            "names": names_of(tools.ports, list({row.subject_id for row in page.items})),
        }

    @get("/console/mails", opt=_READ)
    async def list_mails(
        request: Request[Any, Any, Any],
        mail_state: Annotated[str, QueryParameter(name="state")] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        state: Any = looking.one_of(mail_state, _STATES)
        if form in FORMS:
            return await stream_of(turn_of(state), name="mails", form=form)
        context = await asyncio.to_thread(found, state, before)
        return pages.page(
            request,
            "admin/mails.html",
            filters={"state": mail_state},
            states=_STATES,
            accounts_known=tools.directory.accounts,
            mail_on=tools.ports.mail_on,
            **context,
        )

    return [list_mails]
