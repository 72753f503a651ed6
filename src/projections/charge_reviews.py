"""Read model `charge_reviews`: charges that were held because their usage cannot be, or disputed, and how operators decided.

For the queue of operators, and for showing customers that one of theirs is looked at. A charge that is disputed again is in
the queue again, in its one row. Must not be used to decide: it lags behind the log. The stream of the charge decides that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from application.queries import PAGE_ROWS_MAX, clean
from application.reports.reviews import ReviewFilter, ReviewPage, ReviewQueue, ReviewRow, queue_of
from domain.ledger.charges import ChargeDisputed, ChargeReviewed
from domain.ledger.events import ChargeHeldForReview
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_COLUMNS: Final = ", ".join(ReviewRow.__struct_fields__)
_CHANGE: Final = tuple(
    name
    for name in ReviewRow.__struct_fields__
    if name not in {"request_id", "account_id", "key_id", "alias", "provider", "reasons", "hold_nano"}
)
_REVIEWS: Final = Table(
    name="charge_reviews",
    key="request_id",
    columns="""
        request_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        key_id uuid NOT NULL,
        alias text NOT NULL,
        provider text NOT NULL,
        reasons text NOT NULL,
        hold_nano bigint NOT NULL,
        charge_nano bigint NOT NULL,
        held_us bigint NOT NULL,
        position bigint NOT NULL,
        state text NOT NULL,
        right_nano bigint,
        reason text,
        decided_by text,
        decided_us bigint,
        adjustment_id uuid,
        cause text,
        disputed_by text,
        disputed_us bigint
    """,
    indexes=("(position)", "(account_id, position)", "(held_us) WHERE state = 'waiting'"),
)
_LOAD: Final = f"SELECT {_COLUMNS} FROM {{schema}}.charge_reviews WHERE request_id = ANY(%s::uuid[])"  # noqa: S608  # our names
_STORE: Final = f"""
    INSERT INTO {{schema}}.charge_reviews ({_COLUMNS})
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[],
        %s::uuid[], %s::text[], %s::text[], %s::bigint[])
    WHERE {{moved}}
    ON CONFLICT (request_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _CHANGE)}
"""  # noqa: S608  # our names
_QUEUE: Final = (
    "SELECT count(*) AS waiting, min(held_us) AS oldest_us FROM charge_reviews WHERE state = 'waiting'"
)


class ChargeReviews:
    """The fold: a row for each charge that is held or disputed, which its review completes.

    A row remembers the fact that put it into the queue, and ignores what is older.
    """

    name: ClassVar[str] = "charge_reviews"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[Table, ...]] = (_REVIEWS,)
    topics: ClassVar[frozenset[str]] = topics_of((ChargeHeldForReview, ChargeDisputed, ChargeReviewed))

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        touched = {fact.event.request_id for fact in facts}  # type: ignore[attr-defined]  # all have one
        loaded = connection.execute(_LOAD.format(schema=schema), [array_literal(list(touched))])
        rows = {row[0]: _row(dict(zip(ReviewRow.__struct_fields__, row, strict=True))) for row in loaded}
        for fact in facts:
            _fold(rows, fact)
        return [Write(_STORE, column_literals(map(_cells, rows.values())))] if rows else []


def _fold(rows: dict[UUID, ReviewRow], fact: Located) -> None:
    event: Any = fact.event
    known = rows.get(event.request_id)
    if known is not None and fact.position <= known.position:
        return
    match event:
        case ChargeHeldForReview():
            row = _waiting(event, fact.position, reasons=tuple(clean(one) for one in event.reasons))
        case ChargeDisputed():
            row = _disputed(known, event, fact.position)
        case ChargeReviewed() if known is not None:
            row = _reviewed(known, event)
        case _:  # decided about what was not in the queue: no lawful log
            return
    rows[event.request_id] = row


def _waiting(
    event: ChargeHeldForReview | ChargeDisputed, position: int, *, reasons: tuple[str, ...]
) -> ReviewRow:
    return ReviewRow(
        request_id=event.request_id,
        account_id=event.account_id,
        key_id=event.key_id,
        alias=clean(event.alias),
        provider=clean(event.provider),
        reasons=reasons,
        hold_nano=event.hold_nano,
        charge_nano=event.charge_nano,
        held_us=event.occurred_us,
        position=position,
        state="waiting",
    )


def _disputed(known: ReviewRow | None, event: ChargeDisputed, position: int) -> ReviewRow:
    """What waited already, because it was held, goes on waiting since then."""
    row = _waiting(event, position, reasons=() if known is None else known.reasons)
    since_us = known.held_us if known is not None and known.state == "waiting" else event.occurred_us
    return msgspec.structs.replace(
        row,
        held_us=since_us,
        cause=event.cause,
        disputed_by=event.actor,
        disputed_us=event.occurred_us,
    )


def _reviewed(known: ReviewRow, event: ChargeReviewed) -> ReviewRow:
    return msgspec.structs.replace(
        known,
        state=event.outcome,
        right_nano=event.right_nano,
        reason=clean(event.reason),
        decided_by=event.actor,
        decided_us=event.occurred_us,
        adjustment_id=event.adjustment_id or None,
    )


def _cells(row: ReviewRow) -> tuple[object, ...]:
    return msgspec.structs.astuple(msgspec.structs.replace(row, reasons=",".join(row.reasons)))


def _row(columns: dict[str, Any]) -> ReviewRow:
    reasons = columns.pop("reasons")
    return ReviewRow(reasons=tuple(reasons.split(",")) if reasons else (), **columns)


class ReviewReader:
    """The questions: implements `application.reports.reviews.ReviewQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def reviews(
        self, wanted: ReviewFilter, *, now_us: int, after_position: int = 0, limit: int = 100
    ) -> ReviewPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        given = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        conditions = {f"{name} = %s": value for name, value in given.items() if value is not None}
        where = " AND ".join([*conditions, "position > %s"])
        statement = f"SELECT {_COLUMNS} FROM charge_reviews WHERE {where} ORDER BY position LIMIT %s"  # noqa: S608  # our names
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.cursor(row_factory=dict_row)
            found = [
                _row(row) for row in rows.execute(statement, [*conditions.values(), after_position, size + 1])
            ]
            queue = _queue(connection, now_us=now_us)
        return ReviewPage(
            items=tuple(found[:size]),
            queue=queue,
            next_after=found[size - 1].position if len(found) > size else None,
        )

    def queue(self, *, now_us: int) -> ReviewQueue:
        with self._pool.connection() as connection:
            return _queue(connection, now_us=now_us)


def _queue(connection: Connection, *, now_us: int) -> ReviewQueue:
    waiting, oldest_us = connection.execute(_QUEUE).fetchone() or (0, None)
    return queue_of(waiting, oldest_us, now_us=now_us)
