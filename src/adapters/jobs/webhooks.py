"""Wakes the worker for messages of payment providers, and looks for due ones without being woken.

A wake-up may get lost or come twice. The queue in Postgres says what is due.
"""

import threading
from collections.abc import Callable
from typing import Final

from dramatiq.brokers.redis import RedisBroker

from adapters.jobs.rounds import Rounds
from adapters.jobs.wakeups import ProjectionWakeups, declare_projecting

_QUEUE: Final = "webhooks"
_ACTOR: Final = "handle-webhooks"
_NAME: Final = "webhooks"
_LOOK_S: Final = 1.0


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
        self._rounds = Rounds(_NAME, handle_due, every_s=_LOOK_S, stop=stop)
        declare_projecting(broker, lambda _name: self._rounds.round(), queue=_QUEUE, actor=_ACTOR)

    def start(self) -> None:
        self._rounds.start()

    def join(self) -> None:
        """Wait for the round that is under way; `stop` must be set."""
        self._rounds.join()
