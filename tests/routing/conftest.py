"""One installation for all tests of routing; each leaves the provider well."""

import base64
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.routing.routing_world import RoutingWorld, routing_world
from tests.sound_ledger import require_sound_ledger


@pytest.fixture(scope="session")
def environment(postgres_url: str, redis_url: str) -> Iterator[dict[str, str]]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, question, query = postgres_url.partition("?")
    yield {
        "DATABASE_URL": f"{head[: head.rindex('/')]}/{name}{question}{query}",
        "REDIS_URL": redis_url,
        "TOKENOK_MASTER_KEY": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
        "DRAIN_S": "2",
    }
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def installation(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RoutingWorld]:
    with routing_world(environment, tmp_path_factory.mktemp("routing")) as running:
        yield running
    require_sound_ledger(environment["DATABASE_URL"])


@pytest.fixture
def world(installation: RoutingWorld) -> Iterator[RoutingWorld]:
    yield installation
    installation.be_well()
