"""One world for all tests of `/v1`: they share the gateway, not accounts or requests."""

import base64
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.api.v1.gateway_world import World, running_world
from tests.sound_ledger import require_sound_ledger


@pytest.fixture(scope="session")
def world(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, question, query = postgres_url.partition("?")
    environment = {
        "DATABASE_URL": f"{head[: head.rindex('/')]}/{name}{question}{query}",
        "REDIS_URL": redis_url,
        "TOKENOK_MASTER_KEY": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
        "BODY_BYTES_MAX": str(1024 * 1024),
        "UPLOAD_BYTES_MAX": str(64 * 1024 * 1024),
        "DRAIN_S": "2",
        "CLIENT_WRITE_S": "1",
        "PING_S": "0.5",
        "IDEMPOTENCY_ANSWER_BYTES_MAX": str(256 * 1024),
    }
    with running_world(environment, tmp_path_factory.mktemp("v1")) as running:
        yield running
    require_sound_ledger(environment["DATABASE_URL"])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
