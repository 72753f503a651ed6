"""The gateway as it runs, and the provider's own count of what it was asked."""

from collections.abc import Callable

import httpx
import pytest

from domain.catalogue.provider import ProviderRegistered
from domain.topics import REGISTRY
from tests.api.v1.conftest import world
from tests.api.v1.gateway_world import World

__all__ = ["world"]

LINES_MAX = 10_000


@pytest.fixture(scope="session")
def provider_calls(world: World) -> Callable[[], int]:
    """How many requests the provider has received until now."""
    log = world.ports.store.read_log(after_position=0, limit=1_000)
    registered = (one for one in log if one.topic == ProviderRegistered.TOPIC)
    provider = REGISTRY.decode(ProviderRegistered.TOPIC, next(registered).state)
    assert isinstance(provider, ProviderRegistered)
    journal = provider.base_url.removesuffix("/v1") + "/_sandbox/journal"

    def count() -> int:
        lines = httpx.get(journal, params={"limit": LINES_MAX}, trust_env=False).json()["lines"]
        assert len(lines) < LINES_MAX
        return sum(line["event"] == "accepted" for line in lines)

    return count
