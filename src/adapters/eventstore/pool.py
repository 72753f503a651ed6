"""A few connections, shared by threads. Whoever needs one makes it.

Not `psycopg_pool`: there a worker thread connects, and after a failure the next attempt is a second or more away while
callers wait out their time (seen after a restart of the server); here the database's return is noticed by the next
caller. Dead connections are told by their socket, without a round trip.
"""

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus

from adapters.eventstore.connection import BoundedConnection


class PoolBusy(psycopg.OperationalError):
    """All connections are in use, and none came free in time."""


class Pool:
    """At most `size_max` connections; owns those that nobody uses."""

    def __init__(
        self, open_connection: Callable[[], BoundedConnection], *, size_max: int, wait_s: float
    ) -> None:
        self._open_connection = open_connection
        self._wait_s = wait_s
        self._slots = threading.BoundedSemaphore(size_max)
        self._lock = threading.Lock()
        self._idle: list[BoundedConnection] = []
        self._closed = False

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def connection(self) -> Iterator[BoundedConnection]:
        """A connection in autocommit.

        Raises:
            PoolBusy: after `wait_s`.
            psycopg.OperationalError: the database cannot be reached, or the pool is closed.
        """
        if not self._slots.acquire(timeout=self._wait_s):
            raise PoolBusy(f"all connections are in use since {self._wait_s} s")
        try:
            connection = self._take() or self._open_connection()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._slots.release()

    def _take(self) -> BoundedConnection | None:
        while True:
            with self._lock:
                if self._closed:
                    raise psycopg.OperationalError("the event store is closed")
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: BoundedConnection) -> None:
        with self._lock:
            if not self._closed and connection.info.transaction_status == TransactionStatus.IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _is_alive(connection: BoundedConnection) -> bool:
    """False when the server has said farewell or hung up: nothing else is to be read from an idle connection."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
