"""Read models on a database of each test's own."""

from collections.abc import Iterator

import pytest

from projections.pool import projection_pool
from projections.projection import Pool
from tests.databases import migrated_template
from tests.projections.lab import Lab


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with projection_pool(database_url, size_max=8) as opened:
        yield opened


@pytest.fixture
def lab(pool: Pool) -> Lab:
    return Lab(pool)
