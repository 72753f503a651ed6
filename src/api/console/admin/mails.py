"""Mails that wait, have left or are parked. What a mail says, and to whom it is, is not shown."""

import asyncio
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, stream_of
from api.console.pages import Pages
from application.directory import Directory
from application.mail.outbox import MailState
from domain.invoicing.billing import buyer_subject

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
        whose = _accounts_of({row.subject_id for row in page.items}, tools.directory)
        operators = {row.subject_id for row in page.items} & tools.directory.staff.operators.keys()
        return {
            "page": page,
            "parked": len(outbox.page(state="parked", limit=looking.PAGE_ROWS).items),
            "whose": whose,
            "names": names_of(tools.ports, list({*whose.values(), *operators})),
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
            mail_on=tools.ports.mail_on,
            only_written=any(one.name == "MAIL_DIR" and one.is_set for one in pages.tools.settings),
            **context,
        )

    return [list_mails]


def _accounts_of(subjects: set[UUID], directory: Directory) -> dict[UUID, UUID]:
    """Each of them with its account: of somebody in several, one. Whoever is in none is left out."""
    whose = {one: one for one in subjects if one in directory.accounts}
    for one in subjects - whose.keys():
        if accounts := directory.memberships.get(one):
            whose[one] = min(accounts)
    if rest := subjects - whose.keys():
        buyers = ((buyer_subject(account_id), account_id) for account_id in directory.accounts)
        whose |= {subject: account_id for subject, account_id in buyers if subject in rest}
    return whose
