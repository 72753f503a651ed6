"""One connection to an upstream: writes a request, waits for its answer, holds the bytes that nobody took yet.

Owns the transport and its flow control both ways. Who may use a connection, and when, is the pool's business.
Times are the event loop's clock, in seconds.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, cast

from adapters.upstream.alarm import Alarm
from adapters.upstream.answer import BODY, DONE, HEAD, IDLE, Answer, AnswerLimits
from application.upstream import (
    BodySource,
    Phase,
    UpstreamClosed,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRequestRefused,
    UpstreamTimeout,
)

READ_BYTES: Final = 32 * 1024
"""The most that one read takes. With `UNREAD_BYTES_MAX`, what a stream that nobody reads keeps: under 64 KiB over TCP."""
UNREAD_BYTES_MAX: Final = 32 * 1024
"""Reading pauses when this much waits to be taken."""
WRITE_BYTES: Final = 64 * 1024
"""Bodies up to this go out in one write with the head; larger ones in pieces, as fast as the upstream takes them."""


class StaleConnection(UpstreamClosed):
    """A kept-alive connection turned out to be closed; not one byte of an answer was read. Never leaves the client."""


class Deadlines:
    """How long an exchange may wait for a head: `wait_s` without progress, and never beyond `total_at`."""

    __slots__ = ("total_at", "wait_s")

    def __init__(self, *, wait_s: float, total_at: float) -> None:
        self.wait_s = wait_s
        self.total_at = total_at

    def next(self, now: float) -> tuple[float, Phase]:
        """When to give up a wait that begins `now`, and what it is called then."""
        until = now + self.wait_s
        return (self.total_at, "total") if self.total_at < until else (until, "first_byte")


class Connection(asyncio.BufferedProtocol):
    """An asyncio protocol. `answer` and `alarm` are there for the response, which is made once a head has come."""

    __slots__ = (
        "_error", "_exchanges", "_is_read_paused", "_is_sent", "_is_tls", "_is_write_paused", "_loop",
        "_on_idle_lost", "_on_lost", "_transport", "_unread_bytes", "_view", "alarm", "answer", "idle_until",
    )  # fmt: skip

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        buffer: bytearray,
        limits: AnswerLimits,
        on_idle_lost: Callable[["Connection"], None],
        on_lost: Callable[["Connection"], None],
    ) -> None:
        """`buffer` is shared by all connections of a loop: it is filled and emptied within one callback."""
        self._loop = loop
        self._view = memoryview(buffer)
        self._on_idle_lost = on_idle_lost
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._error: UpstreamError | None = None
        self._exchanges = self._unread_bytes = 0
        self._is_sent = self._is_tls = self._is_read_paused = self._is_write_paused = False
        self.answer = Answer(limits)
        self.alarm = Alarm(loop)
        self.idle_until = 0.0

    # What the pool and the response use.

    @property
    def is_open(self) -> bool:
        """Made, and not yet reported lost."""
        return self._transport is not None

    @property
    def is_usable(self) -> bool:
        """Idle and, as far as can be known, open."""
        transport = self._transport
        answer = self.answer
        return (
            answer.state == IDLE
            and answer.is_reusable
            and transport is not None
            and not transport.is_closing()
        )

    async def exchange(
        self, head: bytes, body: bytes | BodySource, *, head_only: bool, deadlines: Deadlines
    ) -> None:
        """Write a request and wait until the head of its answer is complete.

        Whatever it raises, the connection must not be used again, only be parked (which cuts it).

        Raises:
            StaleConnection, UpstreamTimeout, UpstreamProtocolError, UpstreamClosed: as their docstrings say.
        """
        answer = self.answer
        answer.begin(head_only=head_only)
        self._exchanges += 1
        self._is_sent = False
        if not isinstance(body, bytes):
            await self._write_pieces(head, body, deadlines)
        elif len(body) <= WRITE_BYTES:
            self._write(head + body if body else head)
            self._is_sent = True
        else:
            await self._write_large(head, body, deadlines)
        until, phase = deadlines.next(self._loop.time())
        is_on_time = True
        while answer.state == HEAD:
            self._raise_unless(is_on_time, phase)
            is_on_time = await self.alarm.wait(until)

    def take(self) -> bytes:
        """All of the body that has arrived and was not taken yet."""
        body = self.answer.body
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        self._unread_bytes = 0
        if self._is_read_paused:
            self._is_read_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def raise_if_lost(self) -> None:
        if self._error is not None:
            raise self._error

    def park(self) -> bool:
        """End the exchange: True if the connection can serve another one; else it is cut."""
        answer = self.answer
        transport = self._transport
        # A rest of the request that the upstream did not take would be read as the beginning of the next one.
        if (
            answer.state == DONE
            and answer.is_reusable
            and self._is_sent
            and transport is not None
            and not transport.is_closing()
            and not transport.get_write_buffer_size()
        ):
            self.take()
            answer.state = IDLE
            return True
        self.cut()
        return False

    def cut(self) -> None:
        """Close at once. Who waits on this connection gets `UpstreamClosed`."""
        if self._error is None and self.answer.state != DONE:
            self._error = UpstreamClosed("cut by this side")
        self.answer.is_reusable = False
        if self._transport is not None and not self._loop.is_closed():
            self._transport.abort()
        self.alarm.stop()

    def tls_session(self) -> ssl.SSLSession | None:
        """What a later connection may resume; asked for once, after the first answer (TLS 1.3 sends it late)."""
        if not self._is_tls or self._exchanges != 1 or self._transport is None:
            return None
        session: ssl.SSLSession | None = self._transport.get_extra_info("ssl_object").session
        return session

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._is_tls = transport.get_extra_info("ssl_object") is not None
        if self._is_tls:
            # Else the layer below reads on while we pause, and drops what we did not take when the connection ends.
            transport.set_read_buffer_limits(high=1, low=0)  # type: ignore[attr-defined]  # all TLS transports have it

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._view  # Not the bytearray: asyncio's TLS slices it, and would write into the copy.

    def buffer_updated(self, nbytes: int) -> None:
        answer = self.answer
        before = answer.state
        if before == IDLE or self._error is not None:
            self.cut()  # Bytes that no request asked for.
            return
        try:
            answer.feed(self._view[:nbytes])
        except UpstreamProtocolError as error:
            self._fail(error)
            return
        if answer.state != before or answer.body:
            self.alarm.ring()
        if answer.body and answer.state == BODY:
            self._unread_bytes += nbytes
            # A full buffer over TLS means that more may be decrypted already, and lost if the connection ends meanwhile.
            if self._unread_bytes >= UNREAD_BYTES_MAX and not (self._is_tls and nbytes == READ_BYTES):
                self._pause_reading()

    def eof_received(self) -> None:
        """The upstream ended its side.

        Over TLS uvloop tells this of a closing alert only, so that a cut is not taken for the end of a body. asyncio's own
        loop makes no difference between the two.
        """
        try:
            self.answer.feed_eof()
        except UpstreamProtocolError as error:
            self._fail(error)
        else:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end()
        self._transport = None
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._is_write_paused = True

    def resume_writing(self) -> None:
        self._is_write_paused = False
        self.alarm.ring()

    # Inside.

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is not None:  # Else it is lost already, and the wait that follows says so.
            self._transport.write(data)

    async def _write_pieces(self, head: bytes, body: BodySource, deadlines: Deadlines) -> None:
        """As `_write_large`, from a source; what the source raises goes through, and the connection is cut."""
        self._write(head)
        left_bytes = body.size_bytes
        async with aclosing(body.pieces()) as pieces:
            async for piece in pieces:
                left_bytes -= len(piece)
                if left_bytes < 0:
                    break
                if not await self._write_piece(piece, deadlines):
                    return
        if left_bytes:
            raise UpstreamRequestRefused("the body has another size than announced")
        self._is_sent = True

    async def _write_piece(self, piece: bytes | memoryview, deadlines: Deadlines) -> bool:
        """Write once the upstream takes more; false if it has begun to answer instead."""
        until, phase = deadlines.next(self._loop.time())
        is_on_time = True
        while self._is_write_paused and self.answer.state == HEAD:
            self._raise_unless(is_on_time, phase)
            is_on_time = await self.alarm.wait(until)
        if self.answer.state != HEAD:
            return False
        self._write(piece)
        return True

    async def _write_large(self, head: bytes, body: bytes, deadlines: Deadlines) -> None:
        """Write piece by piece. Stops once an answer has begun; the connection is then not used again."""
        self._write(head)
        view = memoryview(body)
        for start in range(0, len(body), WRITE_BYTES):
            if not await self._write_piece(view[start : start + WRITE_BYTES], deadlines):
                return
        self._is_sent = True

    def _raise_unless(self, is_on_time: bool, phase: Phase) -> None:  # noqa: FBT001  # a private shorthand
        self.raise_if_lost()
        if not is_on_time:
            raise UpstreamTimeout(phase)

    def _pause_reading(self) -> None:
        if not self._is_read_paused and self._transport is not None and not self._transport.is_closing():
            self._is_read_paused = True
            self._transport.pause_reading()

    def _fail(self, error: UpstreamError) -> None:
        if self._error is None:
            self._error = error
        self.cut()

    def _end(self) -> None:
        """Nothing more can come."""
        answer = self.answer
        if answer.state == IDLE:
            self._on_idle_lost(self)
        elif answer.state != DONE:
            is_stale = self._exchanges > 1 and not answer.is_touched
            self._fail(StaleConnection() if is_stale else UpstreamClosed("the connection was lost"))
        self.cut()
