"""The answer as its caller sees it: hands out the body and gives the connection back exactly once."""

import asyncio
import math
import warnings
from collections.abc import AsyncIterator

from adapters.upstream.answer import DONE
from adapters.upstream.connection import Connection
from adapters.upstream.pool import Pool
from application.upstream import UpstreamAnswerTooLarge, UpstreamClosed, UpstreamTimeout


class Response:
    """Implements `application.upstream.UpstreamResponse`. Holds the connection until the end was handed out."""

    __slots__ = ("_connection", "_loop", "_pool", "_quiet_since", "_total_at", "at_end", "headers", "status")

    def __init__(
        self, *, connection: Connection, pool: Pool, loop: asyncio.AbstractEventLoop, total_at: float
    ) -> None:
        self.status = connection.answer.status
        self.headers = connection.answer.headers
        self.at_end = False
        self._connection: Connection | None = connection
        self._pool = pool
        self._loop = loop
        self._total_at = total_at
        self._quiet_since = math.inf  #: when the present silence was first waited in

    async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
        while True:
            data = self._take()
            if data is not None:
                return data
            assert self._connection is not None
            now = self._loop.time()
            self._quiet_since = min(self._quiet_since, now)
            idle_at = self._quiet_since + idle_s
            until = min(idle_at, self._total_at, math.inf if ping_s is None else now + ping_s)
            if not await self._connection.alarm.wait(until) and not self._has_news():
                if until in (idle_at, self._total_at):
                    self._give_back()
                    raise UpstreamTimeout("idle" if until == idle_at else "total")
                return None

    async def aiter_raw(self, *, idle_s: float) -> AsyncIterator[bytes]:
        while data := await self.receive(idle_s=idle_s):
            yield data

    async def read(self, max_bytes: int, *, idle_s: float) -> bytes:
        body = b""
        # One piece: of a thousand small ones the heap would keep the room when they are gone.
        more = bytearray()
        try:
            while not self.at_end:
                data = self._take() or await self.receive(idle_s=idle_s) or b""
                if len(body) + len(more) + len(data) > max_bytes:
                    raise UpstreamAnswerTooLarge(f"the body has more than {max_bytes} bytes")
                if body:
                    more += data
                else:
                    body = data
        finally:
            self._give_back()
        return body + more if more else body

    async def aclose(self) -> None:
        self._give_back()

    def _take(self) -> bytes | None:
        """What can be handed out without waiting, `b""` at the end; None if that is nothing."""
        connection = self._connection
        if connection is None:
            if self.at_end:
                return b""
            raise UpstreamClosed("the response was closed")
        answer = connection.answer
        data = connection.take() if answer.body else None
        if answer.state == DONE:
            self.at_end = True
            self._give_back()
            return data or b""
        if self._total_at != math.inf and self._loop.time() >= self._total_at:
            self._give_back()
            raise UpstreamTimeout("total")
        if data is None:
            self._raise_if_lost(connection)
        else:
            self._quiet_since = math.inf
        return data

    def _has_news(self) -> bool:
        connection = self._connection
        return connection is None or bool(connection.answer.body) or connection.answer.state == DONE

    def _raise_if_lost(self, connection: Connection) -> None:
        try:
            connection.raise_if_lost()
        except BaseException:
            self._give_back()
            raise

    def _give_back(self) -> None:
        connection = self._connection
        if connection is not None:
            self._connection = None
            self._pool.release(connection)

    def __del__(self) -> None:
        if self._connection is not None:
            warnings.warn(
                "a response was dropped without aclose()", ResourceWarning, source=self, stacklevel=1
            )
            self._give_back()
