"""`POST /webhooks/{provider}`: messages of payment providers. Who sends one proves it by its signature, and by nothing else.

Each provider reads its own word in the answer. Answered as soon as the message is kept; a worker handles it. An answer that is no success makes the provider send again.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, Response, Router, post
from litestar.params import FromPath

from api.admin.codes import status_of
from api.admin.problems import on_error, problem
from application.checkout.ports import Acknowledgement, BadNotice
from application.checkout.receive import RAW_BYTES_MAX, receive
from application.command import Ports

PREFIX: Final = "/webhooks"

log = structlog.get_logger()


def webhook_router(ports: Ports, *, wake: Callable[[], object]) -> Router:
    """`wake` wakes a worker; it may block, and it may fail in silence."""

    @post("/{provider:str}", status_code=200, name="webhook")
    async def webhook(provider: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        acknowledgement = ports.checkouts.get(provider).acknowledgement
        body = await request.body()
        headers = [(name.lower(), value) for name, value in request.headers.items()]

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

        try:
            await asyncio.to_thread(work)
        except BadNotice as error:
            log.warning("webhook_refused", path=request.scope["path"], reason=str(error))
            return _refused(acknowledgement, error)
        return Response(acknowledgement.done, media_type=acknowledgement.media_type)

    return Router(
        path=PREFIX,
        route_handlers=[webhook],
        exception_handlers={Exception: on_error},
        request_max_body_size=RAW_BYTES_MAX,
    )


def _refused(acknowledgement: Acknowledgement, error: BadNotice) -> Response[bytes]:
    if acknowledgement.refused is None:
        return problem(error.code, str(error))
    return Response(
        acknowledgement.refused, status_code=status_of(error.code), media_type=acknowledgement.media_type
    )
