"""Who is at which work: one at a time, until they are silent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from adapters.work_runs import SILENT_US, PostgresRuns
from application.work.queries import Progress
from tests.databases import migrated_template

WORK, OTHER = UUID(int=1), UUID(int=2)
ADA, BEN = UUID(int=11), UUID(int=12)


@pytest.fixture(scope="module")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def runs(database_url: str) -> Iterator[PostgresRuns]:
    with ConnectionPool(database_url, kwargs={"autocommit": True}, max_size=4) as pool:
        yield PostgresRuns(pool)


def test_one_worker_at_a_time(runs: PostgresRuns) -> None:
    """Another one gets it when the first gives it back, and not what is somebody else's."""
    assert runs.claim(WORK, ADA, now_us=0)
    assert not runs.claim(WORK, BEN, now_us=SILENT_US)
    assert not runs.claim(WORK, ADA, now_us=1), "nor the same worker twice"
    assert runs.claim(OTHER, BEN, now_us=0)
    runs.give_back(WORK, BEN)
    assert not runs.claim(WORK, BEN, now_us=1)
    runs.give_back(WORK, ADA)
    assert runs.claim(WORK, BEN, now_us=1)


def test_who_is_silent_loses_it(runs: PostgresRuns) -> None:
    """Each beat counts from then on; one of a worker that has lost it changes nothing and says so."""
    runs.claim(WORK, ADA, now_us=0)
    assert runs.beat(WORK, ADA, Progress(3, 9), now_us=SILENT_US)
    assert not runs.claim(WORK, BEN, now_us=2 * SILENT_US)
    assert runs.progress([WORK, OTHER]) == {WORK: Progress(3, 9)}
    assert runs.claim(WORK, BEN, now_us=2 * SILENT_US + 1)
    assert not runs.beat(WORK, ADA, Progress(8, 9), now_us=2 * SILENT_US + 2)
    assert runs.progress([WORK]) == {WORK: Progress(0, 0)}, "it begins anew"


def test_of_many_at_once_one_gets_it(runs: PostgresRuns) -> None:
    """Whoever is first."""
    workers = [UUID(int=number) for number in range(1, 9)]
    with ThreadPoolExecutor(max_workers=4) as threads:
        got = [*threads.map(lambda one: runs.claim(WORK, one, now_us=0), workers)]
    assert got.count(True) == 1
