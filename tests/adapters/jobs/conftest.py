"""Migrated databases, and a Redis namespace of each test's own."""

import secrets
from collections.abc import Iterator

import pytest
from dramatiq.brokers.redis import RedisBroker

from adapters.jobs.broker import make_broker
from tests.databases import migrated_template


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def broker(redis_url: str) -> Iterator[RedisBroker]:
    made = make_broker(redis_url, namespace=f"test-{secrets.token_hex(6)}")
    yield made
    made.flush_all()
    made.close()
    made.client.close()
