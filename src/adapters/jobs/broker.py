"""The Dramatiq broker, set up for messages that are only wake-ups."""

from typing import Final

import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit

NAMESPACE: Final = "tokenok-jobs"
#: With Dramatiq's own settings the message of a killed worker came back only after more than 100 s: heartbeats count
#: for a minute, and one command in a thousand does the housekeeping. So: one in ten, and ten seconds.
_MAINTENANCE_CHANCE: Final = 100_000  # in a million
_HEARTBEAT_MS: Final = 10_000
_ANSWER_S: Final = 2.0


def make_broker(redis_url: str, *, namespace: str = NAMESPACE) -> RedisBroker:
    """A broker of its own, not Dramatiq's global one. Connects when first used; a silent Redis raises in seconds."""
    client = redis.Redis.from_url(redis_url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S)
    return RedisBroker(  # type: ignore[no-untyped-call]  # the library has no types here
        client=client,
        namespace=namespace,
        middleware=[AgeLimit()],
        maintenance_chance=_MAINTENANCE_CHANCE,
        heartbeat_timeout=_HEARTBEAT_MS,
    )
