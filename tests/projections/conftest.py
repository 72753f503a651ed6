"""Read models on one database of this folder's own, emptied for each test."""

from collections.abc import Iterator

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from projections.balances import Balances
from projections.generations import install
from projections.pool import projection_pool
from projections.projection import Pool
from projections.registry import all_projections
from projections.request_log import RequestLog
from tests.databases import migrated_template
from tests.projections.lab import CONNECTIONS, Lab

PAIR = (Balances(), RequestLog())
PACE_US = 7 * 60 * 10**6


@pytest.fixture(scope="session")
def projections_url(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name})


@pytest.fixture(scope="session")
def shared_pool(projections_url: str) -> Iterator[Pool]:
    """All connections are there from the start: the pool's threads use `random`, and Hypothesis objects to that."""
    with projection_pool(projections_url, size_min=CONNECTIONS, size_max=CONNECTIONS) as pool:
        pool.wait()
        yield pool


@pytest.fixture
def pool(shared_pool: Pool) -> Pool:
    """The two read models that the machinery is tried with, as the migration makes them: empty, of generation 1."""
    with shared_pool.connection() as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rm\\_%'").fetchall()
        for (name,) in found:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        connection.execute("DELETE FROM projection_failures")
        connection.execute("DELETE FROM projections")
        install(connection, PAIR)
    return shared_pool


@pytest.fixture
def lab(pool: Pool) -> Lab:
    return Lab(pool, PAIR)


@pytest.fixture
def whole(pool: Pool) -> Lab:
    """All read models, over a log of which a few dozen events make a day."""
    with pool.connection() as connection:
        install(connection, all_projections())
    return Lab(pool, all_projections(), pace_us=PACE_US)
