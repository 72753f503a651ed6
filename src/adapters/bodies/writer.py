"""The thread that keeps bodies, so that no request waits for it. What does not fit into its queue is dropped and counted.

A body is lost when its process is killed before it was written, and when the database is away: it is no record of money.
"""

import queue
import threading
from typing import Final

import psycopg
import structlog

from adapters.bodies.store import PostgresBodies
from application.bodies.ports import Body
from application.vault import VaultError
from domain.privacy import SubjectErased

_ITEMS_MAX: Final = 1000

log = structlog.get_logger()


class BodyWriter:
    """Implements `application.bodies.ports.BodySink`. Start it before the first offer, close it after the last."""

    def __init__(self, bodies: PostgresBodies, *, body_bytes_max: int, queue_bytes_max: int) -> None:
        self.body_bytes_max = body_bytes_max
        self.kept = 0
        self.dropped = 0  #: no room in the queue
        self.failed = 0  #: could not be written
        self._bodies = bodies
        self._queue_bytes_max = queue_bytes_max
        self._queue: queue.SimpleQueue[Body | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="bodies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, *, timeout_s: float = 10.0) -> None:
        """Write what waits, then stop; give up what is left after `timeout_s`."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        self._abandoned = True
        self._thread.join()

    def offer(self, body: Body) -> None:
        size = _size(body)
        with self._lock:
            if self._queue.qsize() >= _ITEMS_MAX or self._waiting_bytes + size > self._queue_bytes_max:
                self.dropped += 1
                return
            self._waiting_bytes += size
        self._queue.put(body)

    def _run(self) -> None:
        while (body := self._queue.get()) is not None and not self._abandoned:
            self._write(body)
            with self._lock:
                self._waiting_bytes -= _size(body)

    def _write(self, body: Body) -> None:
        try:
            self._bodies.keep(body)
            self.kept += 1
        except SubjectErased:
            return
        except (VaultError, psycopg.Error) as error:
            self.failed += 1
            log.warning("body_not_kept", request_id=str(body.request_id), reason=type(error).__name__)


def _size(body: Body) -> int:
    return len(body.request) + len(body.response)
