"""The table `work_runs`."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from adapters.vault.session import Pool, transaction
from application.work.queries import Progress

SILENT_US: Final = 30 * 1_000_000
"""A worker that was not heard of for so long is taken for dead."""
_CLAIM: Final = """
    INSERT INTO work_runs AS run (work_id, worker_id, beat_us) VALUES (%(work)s, %(worker)s, %(now)s)
    ON CONFLICT (work_id) DO UPDATE SET worker_id = excluded.worker_id, beat_us = excluded.beat_us, done = 0, whole = 0
        WHERE run.beat_us < %(now)s - %(silent)s"""
_BEAT: Final = """
    UPDATE work_runs SET beat_us = %(now)s, done = %(done)s, whole = %(whole)s
    WHERE work_id = %(work)s AND worker_id = %(worker)s"""


class PostgresRuns:
    """See `application.work.queries.Runs`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, work_id: UUID, worker_id: UUID, *, now_us: int) -> bool:
        values = {"work": work_id, "worker": worker_id, "now": now_us, "silent": SILENT_US}
        with transaction(self._pool) as connection:
            return connection.execute(_CLAIM, values).rowcount == 1

    def beat(self, work_id: UUID, worker_id: UUID, progress: Progress, *, now_us: int) -> bool:
        values = {
            "work": work_id,
            "worker": worker_id,
            "now": now_us,
            "done": progress.done,
            "whole": progress.whole,
        }
        with transaction(self._pool) as connection:
            return connection.execute(_BEAT, values).rowcount == 1

    def give_back(self, work_id: UUID, worker_id: UUID) -> None:
        with transaction(self._pool) as connection:
            connection.execute(
                "DELETE FROM work_runs WHERE work_id = %s AND worker_id = %s", (work_id, worker_id)
            )

    def progress(self, work_ids: Iterable[UUID]) -> dict[UUID, Progress]:
        statement = "SELECT work_id, done, whole FROM work_runs WHERE work_id = ANY(%s)"
        with transaction(self._pool) as connection:
            return {
                work_id: Progress(done, whole)
                for work_id, done, whole in connection.execute(statement, (list(work_ids),))
            }
