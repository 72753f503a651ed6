"""A migrated database and a pool of connections to it."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from adapters.eventstore.migrations import migrate
from adapters.vault.session import Pool


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    """Every `database_url` in this folder is migrated."""
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name}))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with ConnectionPool(
        database_url, min_size=1, max_size=4, timeout=30, kwargs={"autocommit": True}
    ) as opened:
        yield opened
