"""What runs again and again, by a table in Postgres: any number of schedulers may run, one works at a time.

A job that was missed runs once when a scheduler is back, then on its old beat. A job that fails runs again at its
next time; it may run twice when a scheduler dies in it. So jobs are idempotent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import psycopg
import structlog
from psycopg_pool import ConnectionPool

from application.clock import Clock

_LOCK_KEY: Final = 32773604352356204

_REGISTER: Final = """
    INSERT INTO schedule (name, every_us, next_us) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET every_us = excluded.every_us
"""
_NEXT: Final = "SELECT name, next_us FROM schedule WHERE name = ANY(%s)"
_PUT_OFF: Final = "UPDATE schedule SET next_us = %s WHERE name = %s"

log = structlog.get_logger()

Connection = psycopg.Connection[tuple[Any, ...]]


class Job(msgspec.Struct, frozen=True):
    """One thing to do each `every_s`."""

    name: str
    every_s: float
    run: Callable[[], object]

    @property
    def every_us(self) -> int:
        return int(self.every_s * 1_000_000)


class Schedule:
    """Owns the table `schedule`. Rows of jobs that this code does not know are left alone."""

    def __init__(self, pool: ConnectionPool[Connection], jobs: Sequence[Job], *, clock: Clock) -> None:
        self._pool = pool
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock
        self._is_registered = False

    def tick(self) -> list[str]:
        """Run what is due, unless another scheduler is at it; returns the names.

        Raises:
            psycopg.Error, psycopg_pool.PoolTimeout: the database is away; the next tick does what this one did not.
        """
        ran = []
        with self._pool.connection() as connection, _turn(connection) as is_ours:
            if is_ours:
                self._register(connection)
                for job, due_us in self._due(connection):
                    _run(job)
                    connection.execute(_PUT_OFF, [self._following_us(job, due_us), job.name])
                    ran.append(job.name)
        return ran

    def _register(self, connection: Connection) -> None:
        if not self._is_registered:
            for job in self._jobs.values():
                connection.execute(_REGISTER, [job.name, job.every_us, self._clock.now_us()])
            self._is_registered = True

    def _due(self, connection: Connection) -> list[tuple[Job, int]]:
        """Jobs whose time has come, or lies further ahead than one period: then the clock was set back."""
        now_us = self._clock.now_us()
        found = connection.execute(_NEXT, [list(self._jobs)]).fetchall()
        timed = [(self._jobs[name], next_us) for name, next_us in found]
        due = [(job, at) for job, at in timed if not now_us < at <= now_us + job.every_us]
        return sorted(due, key=lambda item: item[1])

    def _following_us(self, job: Job, due_us: int) -> int:
        """The next beat after now; a beat is kept over missed ones, and begun anew when the clock was set back."""
        now_us = self._clock.now_us()
        if due_us > now_us:
            return now_us + job.every_us
        return due_us + job.every_us * (1 + (now_us - due_us) // job.every_us)


def _run(job: Job) -> None:
    try:
        job.run()
    except Exception as error:  # one job's fault must not stop the others
        log.exception("job_failed", job=job.name, error=type(error).__name__)


@contextmanager
def _turn(connection: Connection) -> Iterator[bool]:
    """Hold the lock of all schedulers, if it is free; it falls with the connection too."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_KEY]).fetchone()
    is_ours = row is not None and bool(row[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_KEY])
