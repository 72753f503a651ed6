"""Read model `request_log`: one row per request and one per attempt, for logs, support and reports.

Must not be used to decide about money or to bill: it lags behind the log, and a statement is made from the
events themselves. A request of which the log holds an end but no admission still gets a row, with `admitted_us`
empty: `ledger verify` reports it, and hiding it would not make it go away.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from psycopg.rows import class_row, kwargs_row

from application.queries import (
    CHAT,
    NOT_PASSED_OVER,
    PAGE_ROWS_MAX,
    AttemptRow,
    RequestDetail,
    RequestFilter,
    RequestPage,
    RequestPlace,
    RequestRow,
    clean,
    passed_over_of,
    passed_over_text,
)
from domain.event import Event
from domain.ledger.events import (
    Attempt,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from projections.arrays import array_literal
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_Columns = tuple[tuple[str, str, str], ...]

#: How a request began: name, type, constraint. Set by its admission, or by its end if the log holds no admission.
_BEGIN = (
    ("request_id", "uuid", "PRIMARY KEY"),
    ("account_id", "uuid", "NOT NULL"),
    ("lease_id", "uuid", "NOT NULL"),
    ("first_position", "bigint", "NOT NULL"),
    ("hold_nano", "bigint", "NOT NULL"),
    ("key_id", "uuid", ""),
    ("alias", "text", ""),
    ("stream", "boolean", ""),
    ("client_ref", "text", ""),
    ("admitted_us", "bigint", ""),
)
#: How it ended; every end replaces all of it.
_END = (
    ("last_position", "bigint", "NOT NULL"),
    ("state", "text", "NOT NULL DEFAULT 'admitted'"),
    ("charge_nano", "bigint", "NOT NULL DEFAULT 0"),
    ("shortfall_nano", "bigint", "NOT NULL DEFAULT 0"),
    ("attempts", "bigint", "NOT NULL DEFAULT 0"),
    ("usage_flags", "text", "NOT NULL DEFAULT ''"),  # joined by commas
    ("price_version", "bigint", ""),
    ("input_tokens", "bigint", ""),
    ("cached_input_tokens", "bigint", ""),
    ("cache_write_tokens", "bigint", ""),
    ("output_tokens", "bigint", ""),
    ("reasoning_tokens", "bigint", ""),
    ("usage_source", "text", ""),
    ("result", "text", ""),
    ("code", "text", ""),
    ("provider", "text", ""),
    ("deployment_id", "uuid", ""),
    ("first_byte_ms", "bigint", ""),
    ("total_ms", "bigint", ""),
    ("ended_us", "bigint", ""),
    ("operation", "text", ""),
    ("factor_ppm", "bigint", ""),
    ("images", "bigint", ""),
    ("audio_ms", "bigint", ""),
    ("characters", "bigint", ""),
    ("searches", "bigint", ""),
    ("passed_over", "text", "NOT NULL DEFAULT '[]'"),  # JSON, in the order of the plan
)
_ATTEMPT = (
    ("request_id", "uuid", "NOT NULL"),
    ("position", "bigint", "NOT NULL"),  # of the event that tells of the attempt
    ("number", "bigint", "NOT NULL"),
    ("deployment_id", "uuid", "NOT NULL"),
    ("provider", "text", "NOT NULL"),
    ("model", "text", "NOT NULL"),
    ("status", "bigint", "NOT NULL"),
    ("outcome", "text", "NOT NULL"),
    ("started_us", "bigint", "NOT NULL"),
    ("duration_ms", "bigint", "NOT NULL"),
    ("upstream_request_id", "text", ""),
    ("credential_id", "uuid", ""),
    ("first_byte_ms", "bigint", ""),
)


_STATE = len(_BEGIN) + 1
_attempt = attrgetter(*(name for name, _, _ in _ATTEMPT[3:]))


def _ddl(columns: _Columns) -> str:
    return ", ".join(" ".join(column) for column in columns)


_REQUESTS = Table(
    name="request_log",
    key="request_id",
    columns=_ddl(_BEGIN + _END),
    # Rows double in size when their request ends. With room for that on their page, and no indexed column changed, no
    # index is written twice: seen 100 % of the ends with 40, 69 % with 50, 33 % with 70, and a smaller table too.
    fillfactor=40,
    indexes=(
        "(first_position)",
        "(account_id, first_position)",
        "(key_id, first_position)",
        # Cut, because an index refuses long values, and a client writes what it likes.
        "(left(client_ref, 256), first_position) WHERE client_ref IS NOT NULL",
    ),
)
_ATTEMPTS = Table(
    name="request_attempts",
    key="request_id, position, number",
    columns=f"{_ddl(_ATTEMPT)}, PRIMARY KEY (request_id, position, number)",
)


class _Row(msgspec.Struct, gc=False):
    """A row as a batch leaves it; the fields stand in the order of the columns."""

    request_id: UUID
    account_id: UUID
    lease_id: UUID
    first_position: int
    hold_nano: int
    key_id: UUID | None = None
    alias: str | None = None
    stream: bool | None = None
    client_ref: str | None = None
    admitted_us: int | None = None
    last_position: int = 0
    state: str = "admitted"
    charge_nano: int = 0
    shortfall_nano: int = 0
    attempts: int = 0
    usage_flags: str = ""
    price_version: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_source: str | None = None
    result: str | None = None
    code: str | None = None
    provider: str | None = None
    deployment_id: UUID | None = None
    first_byte_ms: int | None = None
    total_ms: int | None = None
    ended_us: int | None = None
    operation: str | None = None
    factor_ppm: int | None = None
    images: int | None = None
    audio_ms: int | None = None
    characters: int | None = None
    searches: int | None = None
    passed_over: str = NOT_PASSED_OVER

    @classmethod
    def opened_by(cls, event: Any, at: Located) -> "_Row":
        """What the first event of a request tells; an abandoned one knows neither key nor alias."""
        return cls(
            request_id=event.request_id,
            account_id=event.account_id,
            lease_id=at.stream_id,
            first_position=at.position,
            hold_nano=event.hold_nano,
            key_id=getattr(event, "key_id", None),
            alias=getattr(event, "alias", None),
            last_position=at.position,
        )


class _Changes(msgspec.Struct):
    begun: dict[UUID, _Row] = {}  #: admitted in this batch: the row is all there is to say
    ended: dict[UUID, _Row] = {}  #: admitted before this batch: only the end is news
    attempts: list[tuple[object, ...]] = []

    def ending(self, event: Any, at: Located) -> _Row:
        """The row of the request that `event` ends, without what an earlier end may have said."""
        rows = self.begun if event.request_id in self.begun else self.ended
        row = rows.get(event.request_id)
        if row is None:
            row = _Row.opened_by(event, at)
        elif row.state != "admitted":
            row = _Row(*msgspec.structs.astuple(row)[: len(_BEGIN)])
        rows[event.request_id] = row
        row.last_position = at.position
        row.ended_us = event.occurred_us
        return row

    def tried(self, row: _Row, attempts: tuple[Attempt, ...]) -> None:
        row.attempts = len(attempts)
        for number, attempt in enumerate(attempts, start=1):
            self.attempts.append((row.request_id, row.last_position, number, *_attempt(attempt)))


def _admitted(changes: _Changes, event: RequestAdmitted, at: Located) -> None:
    row = _Row.opened_by(event, at)
    row.stream = event.stream
    row.client_ref = event.client_ref
    row.admitted_us = event.occurred_us
    changes.ended.pop(event.request_id, None)
    changes.begun[event.request_id] = row


def _charged(changes: _Changes, event: UsageCharged, at: Located) -> None:
    row = changes.ending(event, at)
    row.state = "charged"
    row.charge_nano = event.charge_nano
    row.shortfall_nano = event.shortfall_nano
    row.price_version = event.price_version
    row.input_tokens = event.units.input
    row.cached_input_tokens = event.units.cached_input
    row.cache_write_tokens = event.units.cache_write + event.units.cache_write_long
    row.output_tokens = event.units.output
    row.reasoning_tokens = event.units.reasoning
    row.usage_source = event.usage_source
    row.usage_flags = ",".join(event.usage_flags)
    row.result = event.result
    row.provider = event.provider
    row.deployment_id = event.deployment_id
    row.first_byte_ms = event.first_byte_ms
    row.total_ms = event.total_ms
    row.operation = event.operation or CHAT
    row.factor_ppm = event.factor_ppm or None
    row.images = event.units.images
    row.audio_ms = event.units.audio_ms
    row.characters = event.units.characters
    row.searches = event.units.searches
    row.passed_over = passed_over_text(event.passed_over or ())
    changes.tried(row, event.attempts)


def _released(changes: _Changes, event: RequestReleased, at: Located) -> None:
    row = changes.ending(event, at)
    row.state = "released"
    row.code = event.code
    row.total_ms = event.total_ms
    row.passed_over = passed_over_text(event.passed_over or ())
    changes.tried(row, event.attempts)


def _abandoned(changes: _Changes, event: RequestAbandoned, at: Located) -> None:
    changes.ending(event, at).state = "abandoned"


_FOLDS: dict[type[Event], Callable[[_Changes, Any, Located], None]] = {
    RequestAdmitted: _admitted,
    UsageCharged: _charged,
    RequestReleased: _released,
    RequestAbandoned: _abandoned,
}


def _columns(table: str, columns: _Columns) -> str:
    return f"{table} ({', '.join(name for name, _, _ in columns)})"


def _insert(table: str, columns: _Columns) -> str:
    names = ", ".join(name for name, _, _ in columns)
    arrays = ", ".join(f"%s::{kind}[]" for _, kind, _ in columns)
    return f"INSERT INTO {{schema}}.{table} AS old ({names}) SELECT * FROM unnest({arrays}) WHERE {{moved}} ON CONFLICT "  # noqa: S608


def _unless_newer(replaced: _Columns) -> str:
    """Of rows that exist replace these columns, unless they know of a newer event already."""
    changes = ", ".join(f"{name} = excluded.{name}" for name, _, _ in replaced)
    return f"(request_id) DO UPDATE SET {changes} WHERE excluded.last_position > old.last_position"


_OPEN = _BEGIN + _END[:1]  # the rest has its defaults
_STORE_OPEN = _insert("request_log", _OPEN) + _unless_newer(_BEGIN[1:] + _END)
_STORE_WHOLE = _insert("request_log", _BEGIN + _END) + _unless_newer(_BEGIN[1:] + _END)
_STORE_ENDED = _insert("request_log", _BEGIN + _END) + _unless_newer(_END)
_STORE_ATTEMPTS = _insert("request_attempts", _ATTEMPT) + "DO NOTHING"
_NEW_OPEN = _columns("request_log", _OPEN)
_NEW_WHOLE = _columns("request_log", _BEGIN + _END)
_NEW_ATTEMPTS = _columns("request_attempts", _ATTEMPT)


class RequestLog:
    """The fold. A row remembers the newest event in it and ignores older ones."""

    name: ClassVar[str] = "request_log"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[Table, ...]] = (_REQUESTS, _ATTEMPTS)
    topics: ClassVar[frozenset[str]] = topics_of(_FOLDS)

    def fold(self, _connection: Connection, _schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        changes = _Changes()
        for fact in facts:
            _FOLDS[type(fact.event)](changes, fact.event, fact)
        begun = [msgspec.structs.astuple(row) for row in changes.begun.values()]
        rows = (
            (_STORE_OPEN, [row[: len(_OPEN)] for row in begun if row[_STATE] == "admitted"], _NEW_OPEN),
            (_STORE_WHOLE, [row for row in begun if row[_STATE] != "admitted"], _NEW_WHOLE),
            (_STORE_ENDED, [msgspec.structs.astuple(row) for row in changes.ended.values()], ""),
            (_STORE_ATTEMPTS, changes.attempts, _NEW_ATTEMPTS),
        )
        return [Write(statement, rows=some, new_in=new_in) for statement, some, new_in in rows if some]


def _select(table: str, columns: _Columns) -> str:
    return f"SELECT {', '.join(name for name, _, _ in columns)} FROM {table}"  # noqa: S608


_SELECT = _select("request_log", _BEGIN + _END)
_SELECT_OF = f"{_SELECT} WHERE request_id = ANY(%s::uuid[])"
_SELECT_ATTEMPTS_OF = (
    _select("request_attempts", _ATTEMPT)
    + " WHERE request_id = ANY(%s::uuid[]) ORDER BY request_id, position, number"
)
_PLACE = """
    SELECT first_position, last_position, state = 'admitted' AS is_open FROM request_log
    WHERE request_id = %s AND admitted_us IS NOT NULL
"""
_REVIEW = (
    "SELECT state FROM charge_reviews WHERE request_id = %s"  # another read model, perhaps a moment behind
)
_CONDITIONS = {
    "account_id": "account_id = %s",
    "key_id": "key_id = %s",
    "state": "state = %s",
    "alias": "alias = %s",
    "client_ref": "left(client_ref, 256) = left(%s, 256) AND client_ref = %s",
    "admitted_from_us": "admitted_us >= %s",
    "admitted_until_us": "admitted_us < %s",
    "price_version": "price_version = %s",
    "last_position_from": "last_position >= %s",
    "last_position_to": "last_position <= %s",
}


def _request(**columns: Any) -> RequestRow:
    flags, passed_over = columns.pop("usage_flags"), columns.pop("passed_over")
    return RequestRow(
        usage_flags=tuple(flags.split(",")) if flags else (),
        passed_over=passed_over_of(passed_over),
        **columns,
    )


def select(connection: Connection, request_ids: Sequence[UUID]) -> dict[UUID, RequestDetail]:
    """The named requests, those that are there."""
    ids = [array_literal(request_ids)]
    attempts: dict[UUID, list[AttemptRow]] = {}
    tries = connection.cursor(row_factory=class_row(AttemptRow))
    for attempt in tries.execute(_SELECT_ATTEMPTS_OF, ids):
        attempts.setdefault(attempt.request_id, []).append(attempt)
    rows = connection.cursor(row_factory=kwargs_row(_request)).execute(_SELECT_OF, ids)
    return {
        row.request_id: RequestDetail(request=row, attempts=tuple(attempts.get(row.request_id, ())))
        for row in rows
    }


class RequestReader:
    """The queries: implements `RequestQueries` and `RequestPlaces` of `application.queries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def requests(
        self, wanted: RequestFilter, *, before_position: int | None = None, limit: int = 50
    ) -> RequestPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        conditions, values = _where(wanted)
        if before_position is not None:
            conditions.append("first_position < %s")
            values.append(before_position)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        statement = f"{_SELECT}{where} ORDER BY first_position DESC LIMIT %s"
        with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=kwargs_row(_request))
            found = rows.execute(statement, [*values, size + 1]).fetchall()
        shown = tuple(found[:size])
        return RequestPage(
            requests=shown, next_before=shown[-1].first_position if len(found) > size else None
        )

    def request(self, request_id: UUID) -> RequestDetail | None:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            detail = select(connection, [request_id]).get(request_id)
            if detail is None:
                return None
            review = connection.execute(_REVIEW, [request_id]).fetchone()
            return detail if review is None else msgspec.structs.replace(detail, review=review[0])

    def place(self, request_id: UUID) -> RequestPlace | None:
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(RequestPlace)) as rows,
        ):
            return rows.execute(_PLACE, [request_id]).fetchone()


def _where(wanted: RequestFilter) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    for name, value in msgspec.structs.asdict(wanted).items():
        if value is not None:
            condition = _CONDITIONS[name]
            conditions.append(condition)
            values += [clean(value) if isinstance(value, str) else value] * condition.count("%s")
    return conditions, values
