"""`POST /webhooks/{provider}`: messages of payment providers. Who sends one proves it by its signature, and by nothing else.

Answered as soon as the message is kept; a worker handles it. An answer that is no success makes the provider send again.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, Response, Router, post
from litestar.params import FromPath

from api.admin.problems import on_error, problem
from application.checkout.ports import BadNotice
from application.checkout.receive import RAW_BYTES_MAX, receive
from application.command import Ports

PREFIX: Final = "/webhooks"

log = structlog.get_logger()


def webhook_router(ports: Ports, *, wake: Callable[[], object]) -> Router:
    """`wake` wakes a worker; it may block, and it may fail in silence."""

    @post("/{provider:str}", status_code=200, name="webhook")
    async def webhook(provider: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        body = await request.body()
        headers = [(name.lower(), value) for name, value in request.headers.multi_items()]

        def work() -> None:
            kept = receive(
                provider,
                body,
                headers,
                checkouts=ports.checkouts,
                inbox=ports.inbox,
                store=ports.store,
                clock=ports.clock,
            )
            if kept == "kept":
                wake()

        await asyncio.to_thread(work)
        return Response(b"", media_type="text/plain")

    return Router(
        path=PREFIX,
        route_handlers=[webhook],
        exception_handlers={BadNotice: _on_bad_notice, Exception: on_error},
        request_max_body_size=RAW_BYTES_MAX,
    )


def _on_bad_notice(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.warning("webhook_refused", path=request.scope["path"], reason=str(error))
    return problem("bad_notice", str(error))
