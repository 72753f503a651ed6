"""Read model `refund_requests`: refunds that customers asked for, and how operators decided about them.

For the queue of operators. Must not be used to decide about a request: it lags behind the log. The order's stream decides
that, and tells the customer.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from application.queries import PAGE_ROWS_MAX, clean
from application.refunds.queries import RefundRequestFilter, RefundRequestPage, RefundRequestRow
from application.reports.reviews import queue_of
from domain.recharge.request_events import (
    REFUND_REQUEST_EVENTS,
    RefundRequestAccepted,
    RefundRequestDeclined,
    RefundRequestFiled,
)
from domain.recharge.returns import RequestState
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_NAMES: Final = RefundRequestRow.__struct_fields__
_COLUMNS: Final = ", ".join(_NAMES)
_REQUESTS: Final = Table(
    name="refund_requests",
    key="refund_id",
    columns="""
        refund_id uuid PRIMARY KEY,
        order_id uuid NOT NULL,
        account_id uuid NOT NULL,
        state text NOT NULL,
        reason text NOT NULL,
        unspent_minor bigint NOT NULL,
        currency text NOT NULL,
        filed_us bigint NOT NULL,
        filed_by text NOT NULL,
        position bigint NOT NULL,
        decided_us bigint,
        decided_by text,
        declined_because text
    """,
    indexes=("(position)", "(account_id, position)", "(order_id)", "(filed_us) WHERE state = 'open'"),
)
_LOAD: Final = f"SELECT {_COLUMNS} FROM {{schema}}.refund_requests WHERE refund_id = ANY(%s::uuid[])"  # noqa: S608  # our names
_STORE: Final = f"""
    INSERT INTO {{schema}}.refund_requests ({_COLUMNS})
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::text[],
        %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
    WHERE {{moved}}
    ON CONFLICT (refund_id) DO UPDATE SET state = excluded.state, decided_us = excluded.decided_us,
        decided_by = excluded.decided_by, declined_because = excluded.declined_because
"""  # noqa: S608  # our names
_QUEUE: Final = "SELECT count(*), min(filed_us) FROM refund_requests WHERE state = 'open'"


class RefundRequests:
    """The fold: a row for each, which its decision completes."""

    name: ClassVar[str] = "refund_requests"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_REQUESTS,)
    topics: ClassVar[frozenset[str]] = topics_of(REFUND_REQUEST_EVENTS)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        touched = {fact.event.refund_id for fact in facts}  # type: ignore[attr-defined]  # all kinds have one
        loaded = connection.execute(_LOAD.format(schema=schema), [array_literal(list(touched))])
        rows = {row[0]: RefundRequestRow(**dict(zip(_NAMES, row, strict=True))) for row in loaded}
        for fact in facts:
            _fold(rows, fact)
        return [Write(_STORE, column_literals(map(msgspec.structs.astuple, rows.values())))] if rows else []


def _fold(rows: dict[UUID, RefundRequestRow], fact: Located) -> None:
    event: Any = fact.event
    if isinstance(event, RefundRequestFiled):
        rows.setdefault(event.refund_id, _filed(fact.position, event))
        return
    filed = rows.get(event.refund_id)
    if filed is None or fact.position < filed.position:  # decided about what nobody filed: no lawful log
        return
    state: RequestState = "withdrawn"
    if isinstance(event, RefundRequestAccepted):
        state = "accepted"
    elif isinstance(event, RefundRequestDeclined):
        state = "declined"
    rows[event.refund_id] = msgspec.structs.replace(
        filed,
        state=state,
        decided_us=event.occurred_us,
        decided_by=event.actor,
        declined_because=clean(event.reason) if state == "declined" else None,
    )


def _filed(position: int, event: RefundRequestFiled) -> RefundRequestRow:
    return RefundRequestRow(
        refund_id=event.refund_id,
        order_id=event.order_id,
        account_id=event.account_id,
        state="open",
        reason=event.reason,
        unspent_minor=event.unspent_minor,
        currency=clean(event.currency),
        filed_us=event.occurred_us,
        filed_by=event.actor,
        position=position,
    )


class RefundRequestReader:
    """The questions: implements `application.refunds.queries.RefundRequestQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def requests(
        self, wanted: RefundRequestFilter, *, now_us: int, after_position: int = 0, limit: int = 100
    ) -> RefundRequestPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        given = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        conditions = {f"{name} = %s": value for name, value in given.items() if value is not None}
        where = " AND ".join([*conditions, "position > %s"])
        statement = f"SELECT {_COLUMNS} FROM refund_requests WHERE {where} ORDER BY position LIMIT %s"  # noqa: S608  # our names
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.cursor(row_factory=class_row(RefundRequestRow))
            values = [*conditions.values(), after_position, size + 1]
            found = rows.execute(statement, values).fetchall()
            waiting, oldest_us = connection.execute(_QUEUE).fetchone() or (0, None)
        return RefundRequestPage(
            items=tuple(found[:size]),
            queue=queue_of(waiting, oldest_us, now_us=now_us),
            next_after=found[size - 1].position if len(found) > size else None,
        )
