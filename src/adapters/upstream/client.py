"""The hot path's HTTP/1.1 client: pools, the one retry, and the life of all connections.

Implements `application.upstream.Upstream`. Belongs to one event loop.
"""

import asyncio
import math
from functools import partial
from typing import Final

from adapters.upstream.answer import AnswerLimits
from adapters.upstream.connection import READ_BYTES, Connection, Deadlines, StaleConnection
from adapters.upstream.dial import Dialer, Resolve, resolve_by_system
from adapters.upstream.pool import Pool, PoolCounts, PoolLimits
from adapters.upstream.request_head import encode_head
from adapters.upstream.response import Response
from adapters.upstream.tls import ResumingContext, make_tls_context
from application.upstream import ParsedUrl, UpstreamRequest

Origin = tuple[str, str, int]
"""Scheme, host, port."""

_POOLS_MAX: Final = 256
"""Pools without a connection are dropped when there are more; upstreams in use are never too many."""


class UpstreamClient:
    """Made outside of the loop, used inside. `resolve` sees every host before it is connected to, IP addresses too."""

    def __init__(
        self,
        *,
        pool_limits: PoolLimits | None = None,
        answer_limits: AnswerLimits | None = None,
        resolve: Resolve = resolve_by_system,
        tls: ResumingContext | None = None,
    ) -> None:
        self._pool_limits = pool_limits or PoolLimits()
        self._answer_limits = answer_limits or AnswerLimits()
        self._dialer = Dialer(resolve=resolve, tls=tls or make_tls_context())
        self._pools: dict[Origin, Pool] = {}
        self._buffer = bytearray(READ_BYTES)
        self._alive: set[Connection] = set()
        self._all_lost = asyncio.Event()
        self._is_closed = False

    async def send(
        self, request: UpstreamRequest, *, connect_s: float, first_byte_s: float, total_s: float | None = None
    ) -> Response:
        loop = asyncio.get_running_loop()
        pool = self._pool_of(request.url, loop)
        head = encode_head(request, pool.authority)
        now = loop.time()
        total_at = math.inf if total_s is None else now + total_s
        deadlines = Deadlines(wait_s=first_byte_s, total_at=total_at)
        connection = pool.take_idle() or await pool.obtain(min(now + connect_s, total_at))
        while True:
            try:
                await connection.exchange(
                    head, request.body, head_only=request.method == b"HEAD", deadlines=deadlines
                )
            except StaleConnection:
                # Its slot stays ours, so the retry neither waits nor meets another stale connection: it is the only one.
                connection = await pool.redial(min(loop.time() + connect_s, total_at))
            except BaseException:
                pool.release(connection)
                raise
            else:
                self._keep_session(connection, request.url)
                return Response(connection=connection, pool=pool, loop=loop, total_at=total_at)

    async def aclose(self) -> None:
        self._is_closed = True
        for pool in self._pools.values():
            pool.close()
        for connection in list(self._alive):
            connection.cut()
        while self._alive:
            self._all_lost.clear()
            await self._all_lost.wait()

    def counts(self) -> dict[Origin, PoolCounts]:
        """Connections and waiting requests by origin, for metrics."""
        return {origin: pool.counts() for origin, pool in self._pools.items()}

    def _pool_of(self, url: ParsedUrl, loop: asyncio.AbstractEventLoop) -> Pool:
        origin = (url.scheme, url.host, url.port)
        pool = self._pools.get(origin)
        if pool is None:
            if len(self._pools) >= _POOLS_MAX:
                self._pools = {key: kept for key, kept in self._pools.items() if kept.counts().open}
            pool = Pool(
                authority=url.authority(), loop=loop, limits=self._pool_limits, dial=partial(self._dial, url)
            )
            if self._is_closed:
                pool.close()
            self._pools[origin] = pool
        return pool

    async def _dial(self, url: ParsedUrl, pool: Pool, connect_at: float) -> Connection:
        loop = asyncio.get_running_loop()

        def make() -> Connection:
            return Connection(
                loop=loop,
                buffer=self._buffer,
                limits=self._answer_limits,
                on_idle_lost=pool.on_idle_lost,
                on_lost=self._on_lost,
            )

        connection = await self._dialer.dial(url, make, connect_at)
        # Not on `connection_made`: uvloop reports no loss of a connection that was made while its dialling was cancelled.
        if connection.is_open:
            self._alive.add(connection)
        return connection

    def _keep_session(self, connection: Connection, url: ParsedUrl) -> None:
        session = connection.tls_session()
        if session is not None:
            self._dialer.tls.remember(url.host, session)

    def _on_lost(self, connection: Connection) -> None:
        self._alive.discard(connection)
        if not self._alive:
            self._all_lost.set()
