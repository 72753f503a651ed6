"""One client behind an ASGI server."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import Receive, Scope, Send

from application.gateway.client import BodyTooLarge, BodyTooSlow, ClientGone, Headers

BODY_S_MAX = 30.0
"""A body that takes longer is cut: slow senders must not pile up (`threats`, case 13)."""


class AsgiClient:
    """Implements `application.gateway.client.Client`."""

    __slots__ = (
        "_body_bytes_max",
        "_body_s_max",
        "_receive",
        "_scope",
        "_send",
        "_watcher",
        "gone",
        "started",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        body_bytes_max: int,
        body_s_max: float = BODY_S_MAX,
    ) -> None:
        self.gone = False
        self.started = False  #: the head of the answer was sent
        self._scope = scope
        self._receive = receive
        self._send: Any = send
        self._body_bytes_max = body_bytes_max
        self._body_s_max = body_s_max
        self._watcher: asyncio.Task[None] | None = None

    async def body(self) -> bytes:
        try:
            async with asyncio.timeout(self._body_s_max):
                first: Any = await self._next_part()
                if first.get("more_body", False):
                    return await self._rest(first.get("body", b""))
        except TimeoutError:
            raise BodyTooSlow from None
        data: bytes = first.get("body", b"")
        if len(data) > self._body_bytes_max:
            raise BodyTooLarge
        return data

    async def _rest(self, first: bytes) -> bytes:
        parts, size, more = [first], len(first), True
        while more:
            message = await self._next_part()
            part = message.get("body", b"")
            size += len(part)
            if size > self._body_bytes_max:
                raise BodyTooLarge
            parts.append(part)
            more = message.get("more_body", False)
        return b"".join(parts)

    async def _next_part(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            raise ClientGone
        return message

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch(on_gone))

    async def _watch(self, on_gone: Callable[[], None]) -> None:
        while not self.gone:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                on_gone()

    def unwatch(self) -> None:
        """The answer is complete: what the connection does now is no longer this request's business."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def start(self, status: int, headers: Headers) -> None:
        if not self.gone:
            self.started = True
            await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, data: bytes) -> None:
        if not self.gone:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        if not self.gone:
            await self._send({"type": "http.response.body", "body": data, "more_body": False})
