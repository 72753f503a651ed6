"""The read model `work`."""

from uuid import UUID

import pytest

from domain.work import WorkAsked, WorkEnded, work_stream
from projections.generations import install
from projections.projection import Pool
from projections.work import WorkList, WorkReader
from tests.histories import numbered, sample
from tests.projections.lab import Lab

FIRST, SECOND, THIRD = (UUID(int=number) for number in range(1, 4))


@pytest.fixture
def alone(pool: Pool) -> Lab:
    with pool.connection() as connection:
        install(connection, [WorkList()])
    return Lab(pool, [WorkList()])


def test_nothing_is_there_before_a_worker_has_run(pool: Pool) -> None:
    assert WorkReader(pool).unfinished(limit=5) == []


@pytest.mark.parametrize("batch_events", [1, 100])
def test_work_is_listed_with_its_end(alone: Lab, batch_events: int) -> None:
    """Newest first for people, and the oldest that waits first for workers; an end that nothing began is passed over."""
    for work_id in (FIRST, SECOND):
        alone.log.extend(numbered(work_stream(work_id), 1, [sample(WorkAsked, work_id=work_id)]))
    alone.log.extend(numbered(work_stream(FIRST), 2, [sample(WorkEnded, work_id=FIRST)]))
    alone.log.extend(numbered(work_stream(THIRD), 1, [sample(WorkEnded, work_id=THIRD)]))
    alone.catch_up(batch_events=batch_events)
    reader = WorkReader(alone.pool)
    page = reader.work(limit=1)
    assert [one.work_id for one in page.items] == [SECOND]
    (older,) = reader.work(before_position=page.next_before).items
    assert (older.work_id, older.outcome, older.figures["rows"]) == (FIRST, "done", 3)
    assert [one.work_id for one in reader.unfinished(limit=5)] == [SECOND]
    assert reader.one(FIRST) == older
    assert reader.one(THIRD) is None
