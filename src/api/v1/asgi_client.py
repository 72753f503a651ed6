"""One client behind an ASGI server."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from litestar.types import Receive, Send

from application.gateway.client import BodyTooLarge, BodyTooSlow, ClientGone, Headers

BODY_S_MAX = 30.0
"""A body that takes longer is cut: slow senders must not pile up."""
UPLOAD_S_MAX = 600.0
"""Of an upload, which may take `BODY_S_MAX` for each of its pieces."""
WRITE_S = 60.0
"""A client that takes nothing for so long has left, whatever its connection says, until `watch` sets another time."""
LOOKS = 2
"""A write that is seen waiting is looked at so often within its time; it ends at the last of these looks."""


class AsgiClient:
    """Implements `application.gateway.client.Client`.

    Writes are guarded by one timer a request instead of one a write: it looks whether a write that it saw waiting waits
    still. So a write is cut between once and one and a half times its time after it began.
    """

    __slots__ = (
        "_body_bytes_max",
        "_body_s_max",
        "_guard",
        "_looks",
        "_on_gone",
        "_receive",
        "_seen",
        "_send",
        "_task",
        "_watcher",
        "_write_s",
        "_writes",
        "announced_bytes",
        "gone",
        "started",
    )

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        body_bytes_max: int,
        body_s_max: float = BODY_S_MAX,
    ) -> None:
        self.gone = False
        self.started = False  #: the head of the answer was sent
        self.announced_bytes = 0  #: the length that the request's head gives for its body
        self._receive = receive
        self._send: Any = send
        self._body_bytes_max = body_bytes_max
        self._body_s_max = body_s_max
        self._watcher: asyncio.Task[None] | None = None
        self._on_gone: Callable[[], None] | None = None
        self._write_s = WRITE_S
        self._writes = 0  # begun and ended together: odd while one waits
        self._seen = self._looks = 0  # of the guard: the write it saw waiting, and how often
        self._guard: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None

    async def body(self) -> bytes:
        if self.announced_bytes > self._body_bytes_max:
            raise BodyTooLarge
        self._task = asyncio.current_task()
        guard = asyncio.get_running_loop().call_later(self._body_s_max, self._cut_body)
        try:
            first: Any = await self._next_part()
            if first.get("more_body", False):
                return await self._rest(first.get("body", b""))
        except asyncio.CancelledError:
            if not self._is_cut():
                raise
            self._looks = 0
            raise BodyTooSlow from None
        finally:
            guard.cancel()
        data: bytes = first.get("body", b"")
        if len(data) > self._body_bytes_max:
            raise BodyTooLarge
        return data

    def _cut_body(self) -> None:
        """As `asyncio.timeout` would, for less: every request comes by here."""
        assert self._task is not None
        self._looks = LOOKS
        self._task.cancel()

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

    async def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        if self.announced_bytes > bytes_max:
            raise BodyTooLarge
        loop = asyncio.get_running_loop()
        size, more, until_s = 0, True, loop.time() + UPLOAD_S_MAX
        while more:
            try:
                async with asyncio.timeout(min(self._body_s_max, until_s - loop.time())):
                    message = await self._next_part()
            except TimeoutError:
                raise BodyTooSlow from None
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > bytes_max:
                raise BodyTooLarge
            more = message.get("more_body", False)
            if part:
                yield part

    async def _next_part(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            raise ClientGone
        return message

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        self._on_gone = on_gone
        self._write_s = write_s
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while not self.gone:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._leave()

    def _leave(self) -> None:
        if not self.gone:
            self.gone = True
            if self._on_gone is not None:
                self._on_gone()

    def unwatch(self) -> None:
        """The answer is complete: what the connection does now is no longer this request's business."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._guard is not None:
            self._guard.cancel()

    # --- writing: the server waits in `send` while the client does not keep up

    async def start(self, status: int, headers: Headers) -> None:
        if not self.gone:
            self.started = True
            self._task = asyncio.current_task()
            self._look_later()
            await self._write({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, data: bytes) -> None:
        if not self.gone:  # as `_write`, without a call: this runs for every chunk
            self._writes += 1
            try:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
            except asyncio.CancelledError:
                if not self._is_cut():
                    raise
            finally:
                self._writes += 1

    async def end(self, data: bytes = b"") -> None:
        if not self.gone:
            await self._write({"type": "http.response.body", "body": data, "more_body": False})

    async def _write(self, message: dict[str, Any]) -> None:
        self._writes += 1
        try:
            await self._send(message)
        except asyncio.CancelledError:
            if not self._is_cut():
                raise
        finally:
            self._writes += 1

    def _is_cut(self) -> bool:
        """Whether the interruption of a write is the guard's, and nobody else's as well."""
        return self._looks == LOOKS and self._task is not None and self._task.uncancel() == 0

    def _look_later(self) -> None:
        self._guard = asyncio.get_running_loop().call_later(self._write_s / LOOKS, self._look)

    def _look(self) -> None:
        """Runs only while the request's task waits for something: if a write is open, it is in that write."""
        if self._writes & 1 and self._writes == self._seen:
            self._looks += 1
            if self._looks == LOOKS and self._task is not None:
                self._leave()
                self._task.cancel()
                return
        else:
            self._seen, self._looks = self._writes, 0
        self._look_later()
