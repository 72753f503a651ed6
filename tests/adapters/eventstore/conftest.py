"""Migrated databases, both implementations of the event store, and a Postgres of our own that may be broken."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.embedded import EmbeddedServers
from adapters.eventstore.memory import MemoryEventStore
from adapters.eventstore.migrations import migrate
from adapters.eventstore.store import PostgresEventStore


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    """Every `database_url` in this folder is migrated, unless a module overrides this."""
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name}))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def shared_url(postgres_url: str, database_template: str) -> Iterator[str]:
    """One migrated database for all tests of a module: for those that need no empty log, since it takes a while."""
    name = f"shared_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(database_template)
            )
        )
        yield make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name})
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_store(database_url: str) -> Iterator[PostgresEventStore]:
    """On an empty log."""
    with PostgresEventStore(database_url) as store:
        yield store


@pytest.fixture
def shared_store(shared_url: str) -> Iterator[PostgresEventStore]:
    """On a log that other tests of the module write, too."""
    with PostgresEventStore(shared_url) as store:
        yield store


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> PostgresEventStore | MemoryEventStore:
    """What is claimed of it holds for both."""
    if request.param == "memory":
        return MemoryEventStore()
    found = request.getfixturevalue("shared_store")
    assert isinstance(found, PostgresEventStore)
    return found


@pytest.fixture(scope="module")
def breakable_servers() -> Iterator[EmbeddedServers]:
    """Servers that nobody else uses, to be stopped and frozen."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tokenok-faults-")))
        scratch.chmod(0o711)
        yield stack.enter_context(EmbeddedServers(scratch / "data"))


@pytest.fixture(scope="module")
def breakable_url(breakable_servers: EmbeddedServers) -> str:
    url = breakable_servers.start_postgres()
    migrate(url)
    return url
