"""Read model `work`: the long work that operators ask for.

For the list that they look at, and for workers to know where to look. Must not be used to decide whether work is to be done: its
own stream does that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.errors import UndefinedTable

from application.queries import PAGE_ROWS_MAX
from application.work.queries import WorkPage, WorkRow
from domain.work import WORK_EVENTS, Work, WorkAsked, evolve
from projections.folded import FoldTable
from projections.projection import Connection, Located, Pool, Table, Write

_WORK: Final = FoldTable(
    name="work",
    key="work_id",
    key_kind="uuid",
    state=Work,
    evolve=evolve,
    events=WORK_EVENTS,
    begins=(WorkAsked,),
    shown={"is_open": ("boolean", lambda work: work.ended is None)},
    indexes=("(first_position)", "(first_position) WHERE is_open"),
)
_SELECT: Final = "SELECT first_position, state FROM work"
_PAGE: Final = f"""{_SELECT}
    WHERE (%(before)s::bigint IS NULL OR first_position < %(before)s) ORDER BY first_position DESC LIMIT %(limit)s"""
_ONE: Final = f"{_SELECT} WHERE work_id = %s"
_OPEN: Final = f"{_SELECT} WHERE is_open ORDER BY first_position LIMIT %s"


class WorkList:
    """The fold: each work's own."""

    name: ClassVar[str] = "work"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_WORK.table(),)
    topics: ClassVar[frozenset[str]] = _WORK.topics

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        return _WORK.fold(connection, schema, facts)


class WorkReader:
    """The questions: implements `application.work.queries.WorkQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def work(self, *, before_position: int | None = None, limit: int = 100) -> WorkPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        with self._pool.connection() as connection:
            rows = connection.execute(_PAGE, {"before": before_position, "limit": size + 1}).fetchall()
        items = tuple(map(_row, rows[:size]))
        return WorkPage(items=items, next_before=items[-1].position if len(rows) > size else None)

    def one(self, work_id: UUID) -> WorkRow | None:
        with self._pool.connection() as connection:
            row = connection.execute(_ONE, [work_id]).fetchone()
        return None if row is None else _row(row)

    def unfinished(self, *, limit: int) -> list[WorkRow]:
        try:
            with self._pool.connection() as connection:
                return [_row(row) for row in connection.execute(_OPEN, [limit])]
        except UndefinedTable:  # no worker of this version has run yet
            return []


def _row(row: tuple[Any, ...]) -> WorkRow:
    position, state = row
    work = msgspec.json.decode(state, type=Work)
    asked, ended = work.asked, work.ended
    found = WorkRow(
        work_id=asked.work_id,
        kind=asked.kind,
        target=asked.target,
        asked_by=asked.actor,
        asked_us=asked.occurred_us,
        position=position,
    )
    if ended is None:
        return found
    return msgspec.structs.replace(
        found,
        outcome=ended.outcome,
        ended_us=ended.occurred_us,
        figures=ended.figures,
        problem=ended.problem,
    )
