"""The admin API as one router: a POST for every command of the table, and the GETs."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, Router, post
from litestar.handlers import HTTPRouteHandler

from api.admin.access import PERMISSION, make_guard, operator_of
from api.admin.announcements import announcement_routes
from api.admin.audit_log import audit_routes
from api.admin.commands import COMMANDS, Entry
from api.admin.corrections import correction_routes
from api.admin.docs import docs_routes
from api.admin.documents import document_routes
from api.admin.execution import run
from api.admin.explaining import explaining_routes
from api.admin.money import money_routes
from api.admin.openapi import document
from api.admin.orders import order_routes
from api.admin.problems import on_error
from api.admin.reading import catalogue_routes, directory_routes, read_model_routes
from api.admin.reports import report_routes
from api.admin.sealing import sealing_routes
from api.admin.tools import AdminTools
from api.admin.webhooks import webhook_routes

PREFIX: Final = "/api/admin"
BODY_BYTES_MAX: Final = 1024 * 1024


def admin_router(tools: AdminTools) -> Router:
    """Mount it into the application; it authenticates every route of its own but its description."""
    reading = [
        *directory_routes(tools),
        *catalogue_routes(tools),
        *read_model_routes(tools),
        *report_routes(tools),
        *order_routes(tools),
        *webhook_routes(tools),
        *money_routes(tools),
        *audit_routes(tools),
        *announcement_routes(tools),
        *correction_routes(tools),
        *sealing_routes(tools),
        *explaining_routes(tools),
        *document_routes(tools),
    ]
    guarded = Router(
        path="/",
        route_handlers=[*(_command_route(tools, entry) for entry in COMMANDS), *reading],
        guards=[make_guard(tools.directory)],
    )
    return Router(
        path=PREFIX,
        route_handlers=[guarded, *docs_routes(document(reading, prefix=PREFIX))],
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
        headers = {"cache-control": "no-store"}
        return Response(
            answer.body, status_code=answer.status, media_type="application/json", headers=headers
        )

    return command
