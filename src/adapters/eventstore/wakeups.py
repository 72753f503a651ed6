"""Wake-ups between processes over NOTIFY: hints that something is new, never the news itself.

They may get lost, so every listener is also woken when it has heard nothing for a while, and when a connection was
lost and made again. PgBouncer in transaction mode does not carry them; the periodic wake-up still comes.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import structlog

from adapters.eventstore.connection import Limits, connect, connection_arguments

LISTEN: Final = "LISTEN tokenok_log"
# Even a transaction that only notifies writes a commit record; nobody needs to wait for the disk.
NOTIFY: Final = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('tokenok_log', %s)"
MESSAGE_CHARS_MAX: Final = 1000
_OUTBOX_MAX: Final = 1000
_RECONNECT_S: Final = 0.5

log = structlog.get_logger()


def listen(
    database_url: str, *, stop: threading.Event, poll_s: float = 1.0, limits: Limits | None = None
) -> Iterator[str]:
    """Messages as they come; an empty one at the start, after each gap in listening, and each `poll_s` of silence.

    For a thread: pull what is new whenever this yields. It listens before it yields first, so nothing falls in
    between. Ends within `poll_s` after `stop` is set.
    """
    bounds = limits or Limits()
    while not stop.is_set():
        try:
            with connect(database_url, limits=bounds, application_name="tokenok-listen") as connection:
                connection.execute(LISTEN)
                yield ""
                while not stop.is_set():
                    messages = [
                        notify.payload for notify in connection.notifies(timeout=poll_s, stop_after=1)
                    ]
                    yield from messages or [""]
        except psycopg.OperationalError:
            stop.wait(min(poll_s, _RECONNECT_S))
            yield ""


class PostgresWakeups:
    """Sends and receives wake-ups on the event loop. `receive("")` means: something may have been missed, look."""

    def __init__(self, database_url: str, *, poll_s: float = 1.0, limits: Limits | None = None) -> None:
        bounds = limits or Limits()
        self._arguments = connection_arguments(
            database_url, limits=bounds, application_name="tokenok-wakeups"
        )
        self._poll_s = poll_s
        self._receivers: list[Callable[[str], None]] = []
        self._outbox: asyncio.Queue[str] = asyncio.Queue(_OUTBOX_MAX)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin on the running event loop."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def poke(self, message: str) -> None:
        """Send to every process, this one included, soon; never blocks, never raises."""
        if len(message) > MESSAGE_CHARS_MAX or self._outbox.full():
            log.warning("wakeup_dropped", chars=len(message), waiting=self._outbox.qsize())
            return
        self._outbox.put_nowait(message)

    def subscribe(self, receive: Callable[[str], None]) -> None:
        """Call `receive` on the event loop for each message, and with `""` when one may have been missed."""
        self._receivers.append(receive)

    async def _send(self) -> None:
        message = ""  # kept over a lost connection: sent twice is better than not at all
        while True:
            try:
                async with await self._connect() as connection:
                    while True:
                        message = message or await self._outbox.get()
                        await connection.execute(NOTIFY, (message,))
                        message = ""
            except psycopg.Error:
                await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(psycopg.Error):
                async with await self._connect() as connection:
                    await connection.execute(LISTEN)
                    self._deliver("")
                    while True:
                        await self._hear(connection)
            self._deliver("")
            await asyncio.sleep(_RECONNECT_S)

    async def _hear(self, connection: psycopg.AsyncConnection[Any]) -> None:
        heard = False
        async for notify in connection.notifies(timeout=self._poll_s, stop_after=1):
            heard = True
            self._deliver(notify.payload)
        if not heard:
            self._deliver("")

    def _deliver(self, message: str) -> None:
        for receive in self._receivers:
            try:
                receive(message)
            except Exception:
                log.exception("wakeup_receiver_failed")

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(**self._arguments, autocommit=True)
