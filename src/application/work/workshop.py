"""Does long work, one piece after the other. Any number of workshops may run: each piece is done by one at a time.

A worker that dies is known by its silence; another begins anew, which is safe, since read models are switched and files are moved into
their place at the end only.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import structlog

from application.clock import Clock
from application.command import execute
from application.eventlog import EventLogError, EventStore
from application.exporting.ports import ExportRefused
from application.projections import RebuildRunning, UnknownProjection
from application.vault import VaultError
from application.work.queries import Progress, Runs, WorkQueries, WorkRow
from domain import work as rules
from domain.fact import SYSTEM, Stamp
from domain.refusal import Refusal
from domain.work import Outcome, WorkKind, work_stream

BEAT_S: Final = 2.0
AT_ONCE_MAX: Final = 50

Tell = Callable[[int, int], None]
"""How far it is: `(done, whole)` in positions of the log. Raises `GivenUp` when there is no point in going on."""
Perform = Callable[[WorkRow, Tell], dict[str, int]]
"""Does one piece; gives the figures that are noted. Begins anew whatever an earlier try has left."""

log = structlog.get_logger()


class GivenUp(Exception):
    """The worker stops, or another one has the work now."""


class Workshop:
    """`round` does one piece that nobody is at."""

    def __init__(
        self,
        *,
        worker_id: UUID,
        works: WorkQueries,
        runs: Runs,
        store: EventStore,
        clock: Clock,
        performers: Mapping[WorkKind, Perform],
        stop: threading.Event,
    ) -> None:
        self._worker_id = worker_id
        self._works, self._runs, self._store, self._clock = works, runs, store, clock
        self._performers = performers
        self._stop = stop

    def round(self) -> int:
        """How many pieces were taken: 0 or 1.

        Raises:
            EventLogError, VaultError: the database is away; what was under way is begun anew later.
        """
        for row in self._works.unfinished(limit=AT_ONCE_MAX):
            if self._is_open(row.work_id) and self._claim(row.work_id):
                self._do(row)
                return 1
        return 0

    def _claim(self, work_id: UUID) -> bool:
        return self._runs.claim(work_id, self._worker_id, now_us=self._clock.now_us())

    def _is_open(self, work_id: UUID) -> bool:
        """By the log: the read model may not know of the end yet."""
        recorded = self._store.read_stream(work_stream(work_id))
        return bool(recorded) and recorded[-1].topic == rules.WorkAsked.TOPIC

    def _do(self, row: WorkRow) -> None:
        log.info("work_begun", work_id=str(row.work_id), kind=row.kind)
        try:
            with self._beating(row.work_id) as tell:
                figures = self._performers[row.kind](row, tell)
            self._end(row, "done", figures=figures)
        except GivenUp:
            log.info("work_given_up", work_id=str(row.work_id))
        except (EventLogError, VaultError):
            raise
        except Exception as error:
            log.exception("work_failed", work_id=str(row.work_id), error=type(error).__name__)
            self._end(row, "failed", problem=problem_of(error))
        finally:
            self._runs.give_back(row.work_id, self._worker_id)

    def _end(
        self, row: WorkRow, outcome: Outcome, *, figures: dict[str, int] | None = None, problem: str = ""
    ) -> None:
        at = Stamp(now_us=self._clock.now_us(), actor=SYSTEM.label)
        execute(
            self._store,
            work_stream(row.work_id),
            None,
            rules.evolve,
            lambda work: rules.end(
                work,
                work_id=row.work_id,
                outcome=outcome,
                figures=figures or {},
                problem=problem,
                stamp=at,
            ),
        )
        log.info("work_ended", work_id=str(row.work_id), outcome=outcome)

    @contextmanager
    def _beating(self, work_id: UUID) -> Iterator[Tell]:
        """In a thread of its own: a step may take longer than others wait."""
        reached, over, lost = [Progress(0, 0)], threading.Event(), threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_S):
                try:
                    is_ours = self._runs.beat(
                        work_id, self._worker_id, reached[0], now_us=self._clock.now_us()
                    )
                except VaultError as error:
                    log.warning("work_not_beaten", error=type(error).__name__)
                    continue
                if not is_ours:
                    lost.set()

        def tell(done: int, whole: int) -> None:
            reached[0] = Progress(done, whole)
            if lost.is_set() or self._stop.is_set():
                raise GivenUp

        thread = threading.Thread(target=beat, name="work-beat", daemon=True)
        thread.start()
        try:
            yield tell
        finally:
            over.set()
            thread.join()


def problem_of(error: Exception) -> str:
    """A code for people to read about."""
    if isinstance(error, Refusal):
        return error.code
    if isinstance(error, RebuildRunning):
        return "rebuild_running"
    if isinstance(error, UnknownProjection):
        return "unknown_read_model"
    return "export_refused" if isinstance(error, ExportRefused) else "internal_error"
