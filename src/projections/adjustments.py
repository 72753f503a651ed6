"""Read model `adjustments`: who asked for which correction of credit, and what became of it.

For showing what waits for a second operator. Must not be used to decide whether something may be posted: it lags behind
the log. The adjustment's own stream decides that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from application.queries import PAGE_ROWS_MAX, clean
from application.reports.adjustments import AdjustmentFilter, AdjustmentPage, AdjustmentRow
from domain.ledger.adjustments import (
    ADJUSTMENT_EVENTS,
    AdjustmentDenied,
    AdjustmentRequested,
)
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_COLUMNS: Final = ", ".join(AdjustmentRow.__struct_fields__)
_ADJUSTMENTS: Final = Table(
    name="adjustments",
    key="adjustment_id",
    columns="""
        adjustment_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        kind text NOT NULL,
        amount_nano bigint NOT NULL,
        reason text NOT NULL,
        ref uuid,
        lot_id uuid,
        state text NOT NULL,
        requested_by text NOT NULL,
        requested_us bigint NOT NULL,
        decided_by text,
        decided_us bigint,
        denied_because text,
        position bigint NOT NULL
    """,
    indexes=("(position)", "(account_id, position)", "(position) WHERE state = 'waiting'"),
)
_LOAD: Final = f"SELECT {_COLUMNS} FROM {{schema}}.adjustments WHERE adjustment_id = ANY(%s::uuid[])"  # noqa: S608  # our names
_STORE: Final = f"""
    INSERT INTO {{schema}}.adjustments ({_COLUMNS})
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::uuid[], %s::uuid[],
        %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[])
    WHERE {{moved}}
    ON CONFLICT (adjustment_id) DO UPDATE SET state = excluded.state, decided_by = excluded.decided_by,
        decided_us = excluded.decided_us, denied_because = excluded.denied_because
"""  # noqa: S608  # our names


class Adjustments:
    """The fold: a row for each, which its decision completes."""

    name: ClassVar[str] = "adjustments"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_ADJUSTMENTS,)
    topics: ClassVar[frozenset[str]] = topics_of(ADJUSTMENT_EVENTS)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        touched = {fact.event.adjustment_id for fact in facts}  # type: ignore[attr-defined]  # all kinds have one
        loaded = connection.execute(_LOAD.format(schema=schema), [array_literal(list(touched))])
        rows = {
            row[0]: AdjustmentRow(**dict(zip(AdjustmentRow.__struct_fields__, row, strict=True)))
            for row in loaded
        }
        for fact in facts:
            _fold(rows, fact)
        return [Write(_STORE, column_literals(map(msgspec.structs.astuple, rows.values())))] if rows else []


def _fold(rows: dict[UUID, AdjustmentRow], fact: Located) -> None:
    event: Any = fact.event  # each of the kinds has an adjustment
    if isinstance(event, AdjustmentRequested):
        rows.setdefault(event.adjustment_id, _asked(fact.position, event))
        return
    asked = rows.get(event.adjustment_id)
    if asked is None or fact.position < asked.position:  # decided about what nobody asked for: no lawful log
        return
    is_denied = isinstance(event, AdjustmentDenied)
    rows[event.adjustment_id] = msgspec.structs.replace(
        asked,
        state="denied" if is_denied else "posted",
        decided_by=event.actor,
        decided_us=event.occurred_us,
        denied_because=clean(event.reason) if is_denied else None,
    )


def _asked(position: int, event: AdjustmentRequested) -> AdjustmentRow:
    return AdjustmentRow(
        adjustment_id=event.adjustment_id,
        account_id=event.account_id,
        kind=event.kind,
        amount_nano=event.amount_nano,
        reason=clean(event.reason),
        ref=event.ref or None,
        lot_id=event.lot_id or None,
        state="waiting" if event.waits else "posted",
        requested_by=event.actor,
        requested_us=event.occurred_us,
        decided_by=None,
        decided_us=None,
        denied_because=None,
        position=position,
    )


class AdjustmentReader:
    """The questions: implements `application.reports.adjustments.AdjustmentQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def adjustments(
        self, wanted: AdjustmentFilter, *, before_position: int | None = None, limit: int = 100
    ) -> AdjustmentPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        given = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        conditions = {f"{name} = %s": value for name, value in given.items() if value is not None}
        if before_position is not None:
            conditions["position < %s"] = before_position
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        statement = f"SELECT {_COLUMNS} FROM adjustments {where} ORDER BY position DESC LIMIT %s"  # noqa: S608  # our names
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(AdjustmentRow)) as rows,
        ):
            found = rows.execute(statement, [*conditions.values(), size + 1]).fetchall()
        return AdjustmentPage(
            items=tuple(found[:size]), next_before=found[size - 1].position if len(found) > size else None
        )
