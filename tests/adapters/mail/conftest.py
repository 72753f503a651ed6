"""A migrated database and a pool of connections to it."""

from collections.abc import Iterator

import pytest
from psycopg_pool import ConnectionPool

from adapters.vault.session import Pool
from tests.databases import migrated_template


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with ConnectionPool(
        database_url, min_size=1, max_size=4, timeout=30, kwargs={"autocommit": True}
    ) as opened:
        yield opened
