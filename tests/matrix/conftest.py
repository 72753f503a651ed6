"""A gateway process of this folder's own, and the whole matrix played through it once."""

import base64
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.api.v1.gateway_world import World, running_world
from tests.matrix.play import Played, play


@pytest.fixture(scope="session")
def matrix_world(
    postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, question, query = postgres_url.partition("?")
    environment = {
        "DATABASE_URL": f"{head[: head.rindex('/')]}/{name}{question}{query}",
        "REDIS_URL": redis_url,
        "TOKENOK_MASTER_KEY": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
        "PYTHONWARNINGS": "default::ResourceWarning,default::RuntimeWarning",
    }
    scratch = tmp_path_factory.mktemp("matrix")
    with running_world(environment, scratch) as running:
        yield running
    # Written when the process has ended: what was dropped without an end would be told there.
    log = (scratch / "gateway.log").read_text()
    for word in ("ResourceWarning", "RuntimeWarning", "never retrieved", "was destroyed"):
        assert word not in log, log[-4_000:]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def played(matrix_world: World) -> Played:
    return play(matrix_world)
