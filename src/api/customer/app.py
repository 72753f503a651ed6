"""The customers' API as one router: a POST for every command that customers have, and the GETs. ADR 79."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, Router, post
from litestar.handlers import HTTPRouteHandler

from api.admin.access import PERMISSION
from api.admin.docs import docs_routes
from api.admin.headers import PRIVATE
from api.admin.openapi import Offered, Surface, document
from api.admin.problems import on_error
from api.admin.tools import AdminTools
from api.customer.access import Identify, customer_of, make_guard
from api.customer.acting import do
from api.customer.commands import ALLOWED, Allowed
from api.customer.hooks import hook_routes
from api.customer.pace import REQUESTS_A_MINUTE, Pace
from api.customer.reading import account_routes, budget_routes, order_routes
from api.customer.spending import credit_routes, report_routes

PREFIX: Final = "/api"
BODY_BYTES_MAX: Final = 64 * 1024
_SURFACE: Final = Surface(
    title="Tokenok customer API",
    about=f"""\
What a customer's own programs do with an account: one POST for each command, and GETs for what there is.

* **Authentication.** A management key as `Authorization: Bearer tk_mgmt_...`. It belongs to one account, and may do there
  what its role allows: `admin`, `developer`, `billing` or `viewer`. Whoever manages the account's members makes them.
  API keys (`tk_live_...`) call models, and nothing here.
* **Amounts** of credit are integers of nano-credits: 1 credit is 1 000 000 000. Money is integers of the currency's minor
  unit, such as cents. **Times** are microseconds since 1970, UTC.
* **Repeating.** Send an `Idempotency-Key` with a POST, and the same request may be sent again: it is done once.
* **Errors** are `application/problem+json` with a stable `code`. What is another account's is not there: 404.
* **Pace.** {REQUESTS_A_MINUTE} requests a minute; above it 429 with `retry-after`.
* **Reading one's own write.** A command's answer has the `position` of its last event; lists follow the log within
  moments.
""",
    prefix=PREFIX,
    scheme="management",
    token="A management key of the account.",  # noqa: S106  # says what one is
)
_OFFERED: Final = tuple(
    Offered(entry=one.entry, permission=one.permission, fields=one.fields) for one in ALLOWED
)


def customer_router(tools: AdminTools, *, identify: Identify) -> Router:
    """Mount it into the application; it authenticates every route of its own but its description."""
    reading = [
        *account_routes(tools),
        *credit_routes(tools),
        *report_routes(tools),
        *budget_routes(tools),
        *order_routes(tools),
        *hook_routes(tools),
    ]
    guarded = Router(
        path="/",
        route_handlers=[*(_command_route(tools, one) for one in ALLOWED), *reading],
        guards=[make_guard(identify, Pace(tools.ports.clock))],
        response_headers=PRIVATE,
    )
    return Router(
        path=PREFIX,
        route_handlers=[guarded, *docs_routes(document(_SURFACE, _OFFERED, reading), prefix=PREFIX)],
        exception_handlers={Exception: on_error},
        request_max_body_size=BODY_BYTES_MAX,
    )


def _command_route(tools: AdminTools, allowed: Allowed) -> HTTPRouteHandler:
    entry = allowed.entry

    @post(entry.path, opt={PERMISSION: allowed.permission}, name=f"customer_{entry.noun}_{entry.verb}")
    async def command(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = await request.body()
        answer = await asyncio.to_thread(
            do,
            allowed,
            body,
            key=request.headers.get("idempotency-key"),
            customer=customer_of(request),
            ports=tools.ports,
            idempotency=tools.idempotency,
            orders=tools.orders,
        )
        tools.wake()
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return command
