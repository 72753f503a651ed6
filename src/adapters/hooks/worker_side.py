"""The same tables as the worker uses them: what reads the log, and what sends."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from adapters.hooks.tables import PUT, Pool, endpoint_of, put_values, run
from application.eventlog import LogUnavailable
from application.hooks.kinds import Message
from application.hooks.ports import Sent, Turn, Waiting
from domain.hooks.endpoint import Endpoint

AT_ONCE_PER_ENDPOINT: Final = 2
_CLAIM: Final = """
    UPDATE hook_messages AS row SET tries = row.tries + 1, next_at = clock_timestamp() + make_interval(secs => %(rest)s)
    FROM (
        SELECT m.endpoint_id, m.message_id, e.endpoint FROM hook_endpoints AS e CROSS JOIN LATERAL (
            SELECT endpoint_id, message_id FROM hook_messages
            WHERE endpoint_id = e.endpoint_id AND state = 'waiting' AND next_at <= clock_timestamp()
            ORDER BY next_at, position LIMIT %(each)s FOR UPDATE SKIP LOCKED
        ) AS m
        WHERE e.state = 'enabled' AND NOT e.endpoint_id = ANY(%(busy)s) LIMIT %(limit)s
    ) AS due
    WHERE row.endpoint_id = due.endpoint_id AND row.message_id = due.message_id
    RETURNING due.endpoint, row.message_id, row.kind, row.body, row.tries"""
_NOTE: Final = """
    WITH noted AS (
        UPDATE hook_messages SET state = %(state)s,
            next_at = clock_timestamp() + make_interval(secs => %(wait)s),
            delivered_at = CASE WHEN %(state)s = 'delivered' THEN clock_timestamp() ELSE delivered_at END
        WHERE endpoint_id = %(endpoint)s AND message_id = %(message)s RETURNING 1
    ), counted AS (
        UPDATE hook_endpoints SET
            delivered_at = CASE WHEN %(state)s = 'delivered' THEN clock_timestamp() ELSE delivered_at END,
            failed_at = CASE WHEN %(state)s = 'delivered' THEN failed_at ELSE clock_timestamp() END
        WHERE endpoint_id = %(endpoint)s
    )
    INSERT INTO hook_attempts (endpoint_id, message_id, number, status, error, duration_ms)
    SELECT %(endpoint)s, %(message)s, 1 + coalesce((SELECT max(number) FROM hook_attempts
        WHERE endpoint_id = %(endpoint)s AND message_id = %(message)s), 0), %(status)s, %(error)s, %(duration)s
    FROM noted"""
_IS_FAILING: Final = """
    SELECT coalesce(e.delivered_at < m.made_at, true) FROM hook_messages AS m JOIN hook_endpoints AS e USING (endpoint_id)
    WHERE m.endpoint_id = %s AND m.message_id = %s"""
_KEEP: Final = """
    INSERT INTO hook_endpoints (endpoint_id, account_id, state, endpoint) VALUES (%s, %s, %s, %s)
    ON CONFLICT (endpoint_id) DO UPDATE SET state = excluded.state, endpoint = excluded.endpoint"""


class PostgresClaims:
    """See `application.hooks.ports.Claims`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, *, limit: int, rest_s: float, busy: Sequence[UUID]) -> list[Waiting]:
        wanted = {"rest": rest_s, "each": AT_ONCE_PER_ENDPOINT, "busy": list(busy), "limit": limit}
        found = [
            Waiting(
                endpoint=endpoint_of(text), message_id=message_id, kind=kind, body=bytes(body), tries=tries
            )
            for text, message_id, kind, body, tries in run(self._pool, _CLAIM, wanted)
        ]
        return sorted(found, key=lambda one: one.message_id)

    def note(self, waiting: Waiting, sent: Sent, *, wait_s: float | None, delivered: bool) -> None:
        state = "delivered" if delivered else "abandoned" if wait_s is None else "waiting"
        values = {
            "endpoint": waiting.endpoint.endpoint_id,
            "message": waiting.message_id,
            "state": state,
            "wait": wait_s or 0,
            "status": sent.status,
            "error": sent.error,
            "duration": sent.duration_ms,
        }
        run(self._pool, _NOTE, values)

    def is_failing(self, endpoint_id: UUID, message_id: str) -> bool:
        rows = run(self._pool, _IS_FAILING, [endpoint_id, message_id])
        return bool(rows and rows[0][0])


class PostgresCollecting:
    """See `application.hooks.ports.Collecting`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def turn(self) -> Iterator[Turn | None]:
        try:
            with self._pool.connection() as connection, connection.transaction():
                row = connection.execute("SELECT position FROM hook_cursor FOR UPDATE SKIP LOCKED").fetchone()
                yield None if row is None else _Turn(connection, row[0])
        except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
            raise LogUnavailable(f"the queue of messages: {type(error).__name__}") from None


class _Turn:
    def __init__(self, connection: psycopg.Connection[Any], position: int) -> None:
        self.position = position
        self._connection = connection
        self._known: bool | None = None

    def endpoint(self, endpoint_id: UUID) -> Endpoint | None:
        found = self._rows("SELECT endpoint FROM hook_endpoints WHERE endpoint_id = %s", [endpoint_id])
        return endpoint_of(found[0][0]) if found else None

    def keep(self, endpoint: Endpoint) -> None:
        self._known = None
        text = msgspec.json.encode(endpoint).decode()
        values = [endpoint.endpoint_id, endpoint.account_id, endpoint.state, text]
        self._connection.execute(_KEEP, values)
        if endpoint.state == "removed":
            self._connection.execute(
                "DELETE FROM hook_messages WHERE endpoint_id = %s", [endpoint.endpoint_id]
            )

    def has_endpoints(self) -> bool:
        if self._known is None:
            self._known = bool(
                self._rows("SELECT 1 FROM hook_endpoints WHERE state <> 'removed' LIMIT 1", [])
            )
        return self._known

    def endpoints_of(self, account_id: UUID) -> list[Endpoint]:
        found = self._rows(
            "SELECT endpoint FROM hook_endpoints WHERE account_id = %s AND state <> 'removed'", [account_id]
        )
        return [endpoint_of(text) for (text,) in found]

    def put(self, endpoint_id: UUID, message: Message) -> None:
        self._connection.execute(PUT, put_values(endpoint_id, message))

    def move_to(self, position: int) -> None:
        self._connection.execute("UPDATE hook_cursor SET position = %s", [position])

    def _rows(self, statement: str, values: list[object]) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()
