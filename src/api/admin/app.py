"""The admin API as one router: a POST for every command of the table, and the GETs."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, Router, post
from litestar.handlers import HTTPRouteHandler

from api.admin.access import PERMISSION, make_guard, operator_of
from api.admin.announcements import announcement_routes
from api.admin.audit_log import audit_routes
from api.admin.catalogue import catalogue_routes
from api.admin.commands import COMMANDS
from api.admin.corrections import correction_routes
from api.admin.docs import docs_routes
from api.admin.documents import document_routes
from api.admin.execution import run
from api.admin.explaining import explaining_routes
from api.admin.headers import PRIVATE
from api.admin.hooks import hook_routes
from api.admin.keys import key_routes
from api.admin.mails import mail_routes
from api.admin.money import money_routes
from api.admin.openapi import Offered, Surface, document
from api.admin.orders import order_routes
from api.admin.postpaid import postpaid_routes
from api.admin.problems import on_error
from api.admin.reading import directory_routes, read_model_routes
from api.admin.redemptions import redemption_routes
from api.admin.refunds import refund_routes
from api.admin.reports import report_routes
from api.admin.sealing import sealing_routes
from api.admin.tables.entry import Entry
from api.admin.tools import AdminTools
from api.admin.webhooks import webhook_routes
from api.admin.work import work_routes

PREFIX: Final = "/api/admin"
BODY_BYTES_MAX: Final = 1024 * 1024
_ABOUT: Final = """\
Everything that operators do: one POST for each command, and GETs for what there is.

* **Authentication.** An operator's token as `Authorization: Bearer ...`. `tokenok up` prints the first one;
  `tokenok operator register` makes others. What a route needs is said with it: a role allows some permissions.
* **Amounts** are integers of nano-credits: 1 credit is 1 000 000 000. **Times** are microseconds since 1970, UTC.
* **Repeating.** Send an `Idempotency-Key` with a POST, and the same request may be sent again: it is done once.
* **Errors** are `application/problem+json` with a stable `code`.
* **Reading one's own write.** A command's answer has the `position` of its last event; lists follow the log within
  moments.
"""
_SURFACE: Final = Surface(
    title="Tokenok admin API",
    about=_ABOUT,
    prefix=PREFIX,
    scheme="operator",
    token="An operator's token.",  # noqa: S106  # says what one is
)
_OFFERED: Final = tuple(Offered(entry=entry, permission=entry.permission) for entry in COMMANDS)


def admin_router(tools: AdminTools) -> Router:
    """Mount it into the application; it authenticates every route of its own but its description."""
    reading = [
        *directory_routes(tools),
        *key_routes(tools),
        *catalogue_routes(tools),
        *read_model_routes(tools),
        *report_routes(tools),
        *order_routes(tools),
        *postpaid_routes(tools),
        *refund_routes(tools),
        *webhook_routes(tools),
        *hook_routes(tools),
        *mail_routes(tools),
        *money_routes(tools),
        *audit_routes(tools),
        *announcement_routes(tools),
        *correction_routes(tools),
        *redemption_routes(tools),
        *work_routes(tools),
        *sealing_routes(tools),
        *explaining_routes(tools),
        *document_routes(tools),
    ]
    guarded = Router(
        path="/",
        route_handlers=[*(_command_route(tools, entry) for entry in COMMANDS), *reading],
        guards=[make_guard(tools.directory)],
        response_headers=PRIVATE,
    )
    return Router(
        path=PREFIX,
        route_handlers=[guarded, *docs_routes(document(_SURFACE, _OFFERED, reading), prefix=PREFIX)],
        exception_handlers={Exception: on_error},
        request_max_body_size=BODY_BYTES_MAX,
    )


def _command_route(tools: AdminTools, entry: Entry) -> HTTPRouteHandler:
    @post(entry.path, opt={PERMISSION: entry.permission}, name=f"{entry.noun}_{entry.verb}")
    async def command(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = await request.body()
        answer = await asyncio.to_thread(
            run,
            entry,
            body,
            key=request.headers.get("idempotency-key"),
            actor=operator_of(request).actor,
            ports=tools.ports,
            idempotency=tools.idempotency,
        )
        tools.wake()
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return command
