"""One client connection: parses HTTP/1.1, keeps pipelined requests in order, holds back when the peer does not read.

Owns the connection's buffers and limits. What a request means is the handler's business.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, cast

import httptools

from sandbox.messages import Request, plain

BODY_BYTES_MAX: Final = 64 * 1024 * 1024
HEADER_BYTES_MAX: Final = 128 * 1024
WRITE_BUFFER_BYTES: Final = 64 * 1024
_WAITING_MAX: Final = 64
_WANTED: Final = frozenset((b"authorization", b"x-request-id", b"expect"))


class Handler(Protocol):
    """What the connection hands whole requests to."""

    connections: "set[Connection]"

    def handle(self, connection: "Connection", request: Request) -> None:
        """Answer at once with `connection.write`, or start `connection.run`."""
        ...


class Connection(asyncio.Protocol):
    """An asyncio protocol. One exchange runs at a time; others wait their turn in order."""

    __slots__ = (
        "_body", "_handler", "_header_bytes", "_headers", "_loop", "_parser", "_paused_reading", "_resumed", "_task",
        "_url", "_waiting", "lost", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, handler: Handler, loop: asyncio.AbstractEventLoop) -> None:
        self._handler = handler
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._body: bytes | bytearray = b""
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._resumed: asyncio.Future[None] | None = None
        self._paused_reading = False
        self.lost = False

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the base class.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._handler.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it went does not matter
        self.lost = True
        self._waiting.clear()
        self._handler.connections.discard(self)
        self._wake()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        if self._resumed is None:
            self._resumed = self._loop.create_future()

    def resume_writing(self) -> None:
        self._wake()
        self._next()

    def _wake(self) -> None:
        if self._resumed is not None:
            if not self._resumed.done():
                self._resumed.set_result(None)
            self._resumed = None

    def data_received(self, data: bytes) -> None:
        while data:
            data = self._feed(data)

    def _feed(self, data: bytes) -> bytes:
        """Parse; returns what the parser left, which is not the next request's fault."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            # The request was handed over already and is answered without the upgrade (an h2c offer, say).
            return data[offer.args[0] :]
        except httptools.HttpParserError:
            self.refuse(400)
        return b""

    # The parser's side.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._header_bytes = 0
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        name = name.lower()
        if name in _WANTED:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        if self._header_bytes > HEADER_BYTES_MAX:
            self.refuse(431)
        elif self._headers and self._headers.get(b"expect", b"").lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if not self._body:
            self._body = body
            return
        if len(self._body) + len(body) > BODY_BYTES_MAX:
            self.refuse(413)
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += body

    def on_message_complete(self) -> None:
        if self.lost or self.transport.is_closing():
            return
        path, _, query = self._url.partition(b"?")
        parser, headers = self._parser, self._headers
        request = Request(
            parser.get_method(),
            path,
            query,
            bytes(self._body),
            headers.get(b"authorization"),
            headers.get(b"x-request-id"),
            parser.should_keep_alive(),
            parser.get_http_version() != "1.0",
        )
        self._body = b""
        if self._task is not None or self._resumed is not None or self._waiting:
            self._waiting.append(request)
            if len(self._waiting) >= _WAITING_MAX and not self._paused_reading:
                self._paused_reading = True
                self.transport.pause_reading()
            return
        self._handler.handle(self, request)

    # The handler's side.

    def write(self, data: bytes, *, keep_alive: bool) -> None:
        """Send a whole answer at once."""
        self.transport.write(data)
        if not keep_alive:
            self.transport.close()

    def run(self, step: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Answer in a task of its own; it returns whether the connection may go on, and no other answer overtakes it."""
        self._task = self._loop.create_task(self._run(step))

    async def _run(self, step: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        keep_alive = False
        try:
            keep_alive = await step()
        finally:
            self._task = None
            if not keep_alive:
                self.transport.close()
            self._next()

    async def drained(self) -> None:
        """Return once the write buffer has room."""
        if self._resumed is not None:
            await self._resumed

    def refuse(self, status: int) -> None:
        """Answer a request that cannot be read, and close: what follows it has no meaning."""
        if not self.transport.is_closing():
            if self._task is None:
                self.transport.write(plain(status, b"", id_="unread", close=True))
            self.transport.close()

    def _next(self) -> None:
        """Hand over waiting requests until one takes its time or the socket is full."""
        while (
            self._waiting and self._task is None and self._resumed is None and not self.transport.is_closing()
        ):
            self._handler.handle(self, self._waiting.popleft())
        if (
            self._paused_reading
            and len(self._waiting) < _WAITING_MAX // 2
            and not self.transport.is_closing()
        ):
            self._paused_reading = False
            self.transport.resume_reading()
