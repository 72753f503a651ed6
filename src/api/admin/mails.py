"""The GET route of mails."""

from typing import Annotated, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.mail.outbox import MailPage, MailState

_READ: Final = {PERMISSION: "read"}


def mail_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What is to be sent, and what became of what was."""

    @get("/mails", opt=_READ, sync_to_thread=True)
    def list_mails(
        *,
        mail_state: Annotated[MailState | None, QueryParameter(name="state")] = None,
        before: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> MailPage:
        """Newest first; `next_before` is the `before` of the next page. What a mail says, and to whom, is not shown. Those that are
        parked wait for an operator.
        """
        return tools.ports.outbox.page(state=mail_state, before=before, limit=limit)

    return [list_mails]
