"""The schedule, with a clock that stands still."""

import threading
from collections.abc import Iterator

import pytest
from psycopg_pool import ConnectionPool
from structlog.testing import capture_logs

from adapters.jobs.schedule import Connection, Job, Schedule
from tests.fakes import ManualClock

Pool = ConnectionPool[Connection]


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with ConnectionPool(database_url, min_size=1, max_size=3, kwargs={"autocommit": True}) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _job(name: str, every_s: float = 10.0) -> Job:
    return Job(name, every_s, lambda: None)


def test_a_job_runs_at_once_and_then_on_its_beat(pool: Pool, clock: ManualClock) -> None:
    """Due at the first tick, then each `every_s`, not earlier and not twice."""
    schedule = Schedule(pool, [_job("a")], clock=clock)
    ran = []
    for _ in range(25):
        ran.append(bool(schedule.tick()))
        clock.move(1)
    assert [second for second, did in enumerate(ran) if did] == [0, 10, 20]


def test_late_ticks_do_not_shift_the_beat(pool: Pool, clock: ManualClock) -> None:
    """A tick that comes late runs the job late; the next time is on the old beat."""
    schedule = Schedule(pool, [_job("a")], clock=clock)
    schedule.tick()
    clock.move(13)
    assert schedule.tick() == ["a"]
    clock.move(6.9)
    assert schedule.tick() == []
    clock.move(0.1)
    assert schedule.tick() == ["a"]


def test_what_was_missed_is_caught_up_with_once(pool: Pool, clock: ManualClock) -> None:
    """No scheduler for an hour: one run when it is back, by another process too, then the old beat."""
    Schedule(pool, [_job("a")], clock=clock).tick()
    clock.move(3_605)
    schedule = Schedule(pool, [_job("a")], clock=clock)
    assert schedule.tick() == ["a"]
    assert schedule.tick() == []
    clock.move(5)
    assert schedule.tick() == ["a"]


def test_a_clock_that_is_set_back_stops_nothing(pool: Pool, clock: ManualClock) -> None:
    """F19: a time further ahead than one period is not waited for."""
    schedule = Schedule(pool, [_job("a")], clock=clock)
    schedule.tick()
    clock.move(-3_600)
    assert schedule.tick() == ["a"]
    assert schedule.tick() == []
    clock.move(10)
    assert schedule.tick() == ["a"]


def test_a_job_that_fails_stops_no_other_and_runs_again(pool: Pool, clock: ManualClock) -> None:
    """Its failure is logged; it is due again at its next time."""

    def fail() -> None:
        raise ZeroDivisionError

    schedule = Schedule(pool, [Job("bad", 10, fail), _job("good")], clock=clock)
    with capture_logs() as lines:
        assert set(schedule.tick()) == {"bad", "good"}
        clock.move(10)
        assert set(schedule.tick()) == {"bad", "good"}
    assert [(line["event"], line["job"], line["error"]) for line in lines] == [
        ("job_failed", "bad", "ZeroDivisionError")
    ] * 2


def test_two_schedulers_never_run_a_job_at_once(pool: Pool, clock: ManualClock) -> None:
    """While one works, the other leaves; afterwards it finds nothing left to do."""
    inside, leave = threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        assert leave.wait(60)

    first = threading.Thread(target=Schedule(pool, [Job("a", 10, slow)], clock=clock).tick)
    first.start()
    try:
        assert inside.wait(60)
        second = Schedule(pool, [_job("a")], clock=clock)
        assert second.tick() == []
    finally:
        leave.set()
        first.join()
    assert second.tick() == []
    clock.move(10)
    assert second.tick() == ["a"]


def test_a_scheduler_that_dies_in_a_job_leaves_it_due(pool: Pool, clock: ManualClock) -> None:
    """Killed before the next time was stored: the job runs again, with the next scheduler."""

    class Killed(BaseException):
        """Nothing catches it."""

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        Schedule(pool, [Job("a", 10, die)], clock=clock).tick()
    assert Schedule(pool, [_job("a")], clock=clock).tick() == ["a"]


def test_a_period_may_change_and_jobs_may_go(pool: Pool, clock: ManualClock) -> None:
    """A shorter period counts at once; rows of jobs that this code does not know are left alone."""
    Schedule(pool, [_job("a", 3_600), _job("old")], clock=clock).tick()
    clock.move(60)
    schedule = Schedule(pool, [_job("a", 30)], clock=clock)
    assert schedule.tick() == ["a"]
    clock.move(30)
    assert schedule.tick() == ["a"]
    with pool.connection() as connection:
        names = connection.execute("SELECT name FROM schedule ORDER BY name").fetchall()
    assert names == [("a",), ("old",)]
