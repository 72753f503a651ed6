"""Wakes the worker for messages of payment providers, and looks for due ones without being woken.

A wake-up may get lost or come twice. The queue in Postgres says what is due.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog
from dramatiq.brokers.redis import RedisBroker

from adapters.jobs.wakeups import ProjectionWakeups, declare_projecting
from application.eventlog import LogUnavailable

_QUEUE: Final = "webhooks"
_ACTOR: Final = "handle-webhooks"
_NAME: Final = "webhooks"
_LOOK_S: Final = 1.0

log = structlog.get_logger()


class WebhookWakeups:
    """The sending side. Safe to use from threads."""

    def __init__(self, broker: RedisBroker) -> None:
        self._wakeups = ProjectionWakeups(broker, queue=_QUEUE, actor=_ACTOR)

    def poke(self) -> bool:
        """Wake some worker; false: Redis does not answer, and a worker will look by itself."""
        return self._wakeups.poke(_NAME)


class WebhookHandling:
    """The receiving side, in one worker process: one round at a time, woken or by itself."""

    def __init__(self, broker: RedisBroker, handle_due: Callable[[], int], *, stop: threading.Event) -> None:
        """`handle_due` says how many there were."""
        self._handle_due = handle_due
        self._stop = stop
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._look, name="webhooks", daemon=True)
        declare_projecting(broker, lambda _name: self.round(), queue=_QUEUE, actor=_ACTOR)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for the round that is under way; `stop` must be set."""
        self._thread.join()

    def round(self) -> None:
        """Handle what is due until nothing is, unless somebody in this process is at it."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            while not self._stop.is_set() and self._handle_due():
                pass
        except LogUnavailable as error:
            log.warning("webhooks_wait", error=str(error))
        except Exception as error:  # one fault must not end the thread
            log.exception("webhooks_failed", error=type(error).__name__)
        finally:
            self._turn.release()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_S):
            self.round()
