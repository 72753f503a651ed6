"""Who may use which connection: the kept-alive connections of one origin, and the bounded queue for them.

A slot is the right to have one connection, connecting included. Who leases a connection holds its slot and gives it
back by `release`, exactly once, also when the connection broke. An idle connection holds its own slot.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from adapters.upstream.connection import Connection
from application.upstream import UpstreamBusy, UpstreamConnectError, UpstreamTimeout

Dial = Callable[["Pool", float], Awaitable[Connection]]
"""Opens a connection before the given time, or raises what `Upstream.send` may raise before anything was sent."""


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Per origin (scheme, host and port)."""

    connections_max: int = 1024
    waiting_max: int = 1024
    """Requests that wait for a connection; one more is refused at once."""
    idle_max: int = 256
    idle_s: float = 10.0
    """How long a connection is kept unused: less than upstreams keep it, so that we close first."""


class PoolCounts(msgspec.Struct, frozen=True):
    """For metrics: `open` includes those being opened and the idle ones."""

    open: int
    idle: int
    waiting: int


class Pool:
    """The connections of one origin. Belongs to one event loop."""

    __slots__ = (
        "_dial", "_idle", "_is_closed", "_limits", "_loop", "_open", "_sweeper", "_waiters", "authority",
    )  # fmt: skip

    def __init__(
        self,
        *,
        authority: bytes,
        loop: asyncio.AbstractEventLoop,
        limits: PoolLimits,
        dial: Dial,
    ) -> None:
        self.authority = authority
        self._loop = loop
        self._limits = limits
        self._dial = dial
        # In the order in which they became idle: the newest, at the right, is used first.
        self._idle: deque[Connection] = deque()
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def counts(self) -> PoolCounts:
        return PoolCounts(open=self._open, idle=len(self._idle), waiting=len(self._waiters))

    def take_idle(self) -> Connection | None:
        """Lease the connection that was used last, if one is there that should still be open."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_usable and connection.idle_until > self._loop.time():
                return connection
            connection.cut()
            self._free_slot()
        return None

    async def obtain(self, connect_at: float) -> Connection:
        """Lease a connection: a new one, or once all are in use, the first that comes free.

        Raises:
            UpstreamBusy: the queue is full.
            UpstreamTimeout: none came free, or could be opened, before `connect_at`.
            UpstreamConnectError: the upstream cannot be reached, or the client was closed.
        """
        if self._open >= self._limits.connections_max:
            connection = await self._queue(connect_at)
            if connection is not None:
                return connection
        else:
            self._open += 1
        return await self.redial(connect_at)

    async def redial(self, connect_at: float) -> Connection:
        """Open a connection for a slot that the caller holds; the slot is given back if this fails."""
        try:
            self._refuse_if_closed()
            connection = await self._dial(self, connect_at)
        except BaseException:
            self._free_slot()
            raise
        if self._is_closed:
            connection.cut()
            self._free_slot()
        self._refuse_if_closed()
        return connection

    def release(self, connection: Connection) -> None:
        """End a lease: the connection goes to who waits longest, or becomes idle, or is cut."""
        if connection.park():
            self._hand_on(connection)
        else:
            self._free_slot()

    def on_idle_lost(self, connection: Connection) -> None:
        """A connection that nobody leases ended or spoke: it and its slot are gone."""
        try:
            self._idle.remove(connection)
        except ValueError:
            return  # Cut by this pool, or on its way to a waiter, who will notice.
        self._free_slot()

    def close(self) -> None:
        """Refuse who waits and cut what is idle. Leased connections are cut by the client."""
        self._is_closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(_closed())
        while self._idle:
            self._idle.pop().cut()
            self._free_slot()
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def _queue(self, connect_at: float) -> Connection | None:
        """Wait for a connection, or (None) for a slot to open one."""
        if len(self._waiters) >= self._limits.waiting_max:
            raise UpstreamBusy("busy", "all connections are in use and the queue is full")
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(connect_at):
                connection = await waiter
        except BaseException as error:
            self._leave_queue(waiter)
            if isinstance(error, TimeoutError):
                raise UpstreamTimeout("connect") from None
            raise
        if connection is None or connection.is_usable:
            return connection
        connection.cut()
        return None  # It broke on its way here; its slot is ours.

    def _leave_queue(self, waiter: "asyncio.Future[Connection | None]") -> None:
        """Give up waiting; what was handed over in the same moment goes on to the next."""
        if waiter.cancel() or waiter.cancelled():
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)
        elif waiter.exception() is None:
            connection = waiter.result()
            if connection is not None and connection.is_usable:
                self._hand_on(connection)
            else:
                self._free_slot()

    def _hand_on(self, connection: Connection) -> None:
        """Find a use for a parked connection."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        elif self._is_closed or len(self._idle) >= self._limits.idle_max:
            connection.cut()
            self._free_slot()
        else:
            connection.idle_until = self._loop.time() + self._limits.idle_s
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_at(connection.idle_until, self._sweep)

    def _free_slot(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._open -= 1

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise _closed()

    def _next_waiter(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _sweep(self) -> None:
        self._sweeper = None
        now = self._loop.time()
        while self._idle and self._idle[0].idle_until <= now:
            self._idle.popleft().cut()
            self._free_slot()
        if self._idle:
            self._sweeper = self._loop.call_at(self._idle[0].idle_until, self._sweep)


def _closed() -> UpstreamConnectError:
    return UpstreamConnectError("closed", "the client is closed")
