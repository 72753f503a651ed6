"""Wake-ups of read models: a message carries a name, never an event, and may get lost or come twice."""

import time
from collections.abc import Callable
from typing import Final

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError

QUEUE: Final = "projections"
ACTOR: Final = "project"
#: Not longer than a worker stays with a read model that is idle, so that no wake-up is held back by an old one.
_COALESCE_MS: Final = 500
_AGE_MS_MAX: Final = 60_000
_REST_S: Final = 5.0

log = structlog.get_logger()


class ProjectionWakeups:
    """The sending side. Safe to use from threads. Other work has a queue and an actor of its own."""

    def __init__(self, broker: RedisBroker, *, queue: str = QUEUE, actor: str = ACTOR) -> None:
        self._broker = broker
        self._queue, self._actor = queue, actor
        self._rests_until_s = 0.0
        broker.declare_queue(queue)

    def poke(self, name: str) -> bool:
        """Wake some worker; those who poke in the same moment send one message between them.

        False: Redis does not answer; it is left alone for some seconds then.
        """
        if time.monotonic() < self._rests_until_s:
            return False
        try:
            key = f"{self._broker.namespace}:wake:{name}"
            if self._broker.client.set(key, b"", nx=True, px=_COALESCE_MS):
                self._broker.enqueue(self._message(name))
        except (redis.RedisError, BrokerError, OSError) as error:
            self._rests_until_s = time.monotonic() + _REST_S
            log.warning("wakeups_unavailable", error=type(error).__name__)
            return False
        return True

    def _message(self, name: str) -> dramatiq.Message[None]:
        return dramatiq.Message(
            queue_name=self._queue,
            actor_name=self._actor,
            args=(name,),
            kwargs={},
            options={"max_age": _AGE_MS_MAX},
        )


def declare_projecting(
    broker: RedisBroker, project: Callable[[str], object], *, queue: str = QUEUE, actor: str = ACTOR
) -> None:
    """The receiving side: have workers of `broker` call `project` with the name. A failure is not retried here:
    whatever is left undone, the next wake-up or poll does.
    """

    def run(name: str) -> None:
        project(name)

    dramatiq.actor(actor_name=actor, queue_name=queue, broker=broker, max_age=_AGE_MS_MAX)(run)
