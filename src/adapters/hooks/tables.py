"""The tables `hook_cursor`, `hook_endpoints`, `hook_messages` and `hook_attempts` as commands and surfaces use them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from application.eventlog import LogUnavailable
from application.hooks.kinds import Message
from application.hooks.ports import Attempt, EndpointRow, MessagePage, MessageRow, MessageState
from application.queries import PAGE_ROWS_MAX
from domain.hooks.endpoint import Endpoint

Pool = ConnectionPool[psycopg.Connection[Any]]

ATTEMPTS_SHOWN: Final = 20
PUT: Final = """
    INSERT INTO hook_messages (endpoint_id, message_id, position, kind, body) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""
_ENDPOINTS: Final = """
    SELECT endpoint, (SELECT count(*) FROM hook_messages AS m WHERE m.endpoint_id = e.endpoint_id AND m.state = 'waiting'),
        delivered_at, failed_at
    FROM hook_endpoints AS e WHERE state <> 'removed' AND """
_OF_ACCOUNT: Final = f"{_ENDPOINTS} account_id = %s ORDER BY endpoint_id"
_EVERY: Final = f"""{_ENDPOINTS} (%(after)s::uuid IS NULL OR endpoint_id > %(after)s)
    AND (NOT %(failing)s OR state = 'disabled' OR failed_at > coalesce(delivered_at, '-infinity'))
    ORDER BY endpoint_id LIMIT %(limit)s"""
_MESSAGES: Final = """
    SELECT message_id, kind, position, state, tries, next_at, made_at, delivered_at, body FROM hook_messages
    WHERE endpoint_id = %(endpoint)s AND (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(before)s::text IS NULL OR (made_at, message_id) <
            (SELECT made_at, message_id FROM hook_messages WHERE endpoint_id = %(endpoint)s AND message_id = %(before)s))
    ORDER BY made_at DESC, message_id DESC LIMIT %(limit)s"""
_ATTEMPTS: Final = """
    SELECT message_id, number, at, status, error, duration_ms FROM hook_attempts
    WHERE endpoint_id = %s AND message_id = ANY(%s) ORDER BY message_id, number DESC"""
_REPLAY: Final = """
    UPDATE hook_messages SET state = 'waiting', tries = 0, next_at = clock_timestamp()
    WHERE endpoint_id = %(endpoint)s AND (message_id = %(message)s OR position >= %(position)s)"""
_FORGET: Final = """
    DELETE FROM hook_messages WHERE made_at < clock_timestamp() - make_interval(days => %s)"""


def run(pool: Pool, statement: str, values: Any) -> list[tuple[Any, ...]]:
    """One statement, which is a transaction of its own.

    Raises:
        LogUnavailable: the database is away.
    """
    try:
        with pool.connection() as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description is not None else []
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
        raise LogUnavailable(f"the queue of messages: {type(error).__name__}") from None


class PostgresHookQueue:
    """See `application.hooks.ports.HookQueue`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def endpoints(self, account_id: UUID) -> tuple[EndpointRow, ...]:
        return tuple(_endpoint_row(row) for row in run(self._pool, _OF_ACCOUNT, [account_id]))

    def every(
        self, *, is_failing: bool = False, after: UUID | None = None, limit: int = 100
    ) -> tuple[EndpointRow, ...]:
        wanted = {"failing": is_failing, "after": after, "limit": max(1, min(limit, PAGE_ROWS_MAX))}
        return tuple(_endpoint_row(row) for row in run(self._pool, _EVERY, wanted))

    def messages(
        self,
        endpoint_id: UUID,
        *,
        state: MessageState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> MessagePage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        wanted = {"endpoint": endpoint_id, "state": state, "before": before, "limit": size + 1}
        rows = run(self._pool, _MESSAGES, wanted)
        tries = self._tries(endpoint_id, [row[0] for row in rows[:size]])
        return MessagePage(
            items=tuple(_message(row, tries) for row in rows[:size]),
            next_before=rows[size - 1][0] if len(rows) > size else None,
        )

    def put(self, endpoint_id: UUID, message: Message) -> None:
        run(self._pool, PUT, put_values(endpoint_id, message))

    def replay(self, endpoint_id: UUID, *, from_position: int | None, message_id: str | None) -> int:
        wanted = {"endpoint": endpoint_id, "message": message_id, "position": from_position}
        return len(run(self._pool, f"{_REPLAY} RETURNING 1", wanted))

    def forget(self, *, days: int) -> None:
        """Drop messages that are older, with their tries, whatever became of them."""
        run(self._pool, _FORGET, [days])

    def _tries(self, endpoint_id: UUID, message_ids: list[str]) -> dict[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = {}
        for message_id, number, at, status, error, duration_ms in run(
            self._pool, _ATTEMPTS, [endpoint_id, message_ids]
        ):
            attempt = Attempt(
                number=number, at_us=us_of(at) or 0, status=status, error=error, duration_ms=duration_ms
            )
            found.setdefault(message_id, []).append(attempt)
        return found


def put_values(endpoint_id: UUID, message: Message) -> list[object]:
    return [endpoint_id, message.message_id, message.position, message.kind, message.body]


def endpoint_of(text: str) -> Endpoint:
    return msgspec.json.decode(text, type=Endpoint)


def us_of(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000_000)


def _endpoint_row(row: tuple[Any, ...]) -> EndpointRow:
    text, waiting, delivered, failed = row
    return EndpointRow(
        endpoint=endpoint_of(text), waiting=waiting, delivered_us=us_of(delivered), failed_us=us_of(failed)
    )


def _message(row: Iterable[Any], tries: dict[str, list[Attempt]]) -> MessageRow:
    message_id, kind, position, state, count, next_at, made_at, delivered_at, body = row
    return MessageRow(
        message_id=message_id,
        kind=kind,
        position=position,
        state=state,
        tries=count,
        next_us=us_of(next_at) if state == "waiting" else None,
        made_us=us_of(made_at) or 0,
        delivered_us=us_of(delivered_at),
        body=msgspec.Raw(body),
        attempts=tuple(tries.get(message_id, ())[:ATTEMPTS_SHOWN]),
    )
