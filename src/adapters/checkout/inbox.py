"""The table `webhook_inbox`: messages of payment providers that wait to be handled, and their bytes for a while.

What became of a message stands in the log; a row is a place in the queue. Bytes are sealed with a key of the provider's
name, as personal data are: a customer's address may stand in them.
"""

from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from application.checkout.inbox import Claimed, QueuedWebhook, WebhookPage
from application.checkout.ports import Notice
from application.eventlog import LogUnavailable
from application.privacy import PersonalData
from application.queries import PAGE_ROWS_MAX, clean
from domain.ids import stream_of
from domain.privacy import Sealed
from domain.recharge.webhooks import WebhookState

Pool = ConnectionPool[psycopg.Connection[Any]]
_SUBJECTS: Final = UUID("c8a5a8f2-7f0b-5d0d-8a9a-0a8f6e6f5b31")
_PUT: Final = """
    INSERT INTO webhook_inbox (provider, event_ref, kind, object_ref, key_id, ciphertext, next_at)
    VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + interval '1 minute') ON CONFLICT DO NOTHING"""
_CLAIM: Final = """
    UPDATE webhook_inbox AS row SET attempts = row.attempts + 1, next_at = clock_timestamp() + make_interval(secs => %s)
    FROM (
        SELECT provider, event_ref FROM webhook_inbox WHERE state = 'waiting' AND next_at <= clock_timestamp()
        ORDER BY next_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE row.provider = due.provider AND row.event_ref = due.event_ref
    RETURNING row.provider, row.event_ref, row.attempts"""
_POSTPONE: Final = """
    UPDATE webhook_inbox SET next_at = clock_timestamp() + make_interval(secs => %s), reason = %s
    WHERE provider = %s AND event_ref = %s AND state = 'waiting'"""
_SETTLE: Final = """
    UPDATE webhook_inbox SET state = %s, reason = %s, order_id = %s, next_at = clock_timestamp(),
        attempts = CASE WHEN %s = 'waiting' THEN 0 ELSE attempts END
    WHERE provider = %s AND event_ref = %s"""
_LIST: Final = """
    SELECT provider, event_ref, kind, object_ref, state, reason, order_id, attempts,
        (extract(epoch FROM received_at) * 1000000)::bigint
    FROM webhook_inbox
    WHERE (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(before)s::bigint IS NULL OR received_at < 'epoch'::timestamptz + %(before)s * interval '1 microsecond')
    ORDER BY received_at DESC LIMIT %(limit)s"""
_FORGET: Final = """
    UPDATE webhook_inbox SET ciphertext = NULL
    WHERE ciphertext IS NOT NULL AND state = 'handled' AND received_at < clock_timestamp() - make_interval(days => %s)"""


class PostgresWebhookQueue:
    """See `application.checkout.inbox.WebhookQueue`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, *, limit: int, rest_s: float) -> list[Claimed]:
        return [Claimed(*row) for row in self._run(_CLAIM, [rest_s, limit])]

    def postpone(self, provider: str, event_ref: str, *, wait_s: float, reason: str) -> None:
        self._run(_POSTPONE, [wait_s, clean(reason), provider, event_ref])

    def settle(
        self, provider: str, event_ref: str, *, state: WebhookState, reason: str, order_id: UUID | None
    ) -> None:
        self._run(_SETTLE, [state, clean(reason), order_id, state, provider, event_ref])

    def page(
        self, *, state: WebhookState | None = None, before_us: int | None = None, limit: int = 100
    ) -> WebhookPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        rows = self._run(_LIST, {"state": state, "before": before_us, "limit": size + 1})
        names = QueuedWebhook.__struct_fields__
        found = [QueuedWebhook(**dict(zip(names, row, strict=True))) for row in rows]
        return WebhookPage(
            items=tuple(found[:size]),
            next_before_us=found[size - 1].received_us if len(found) > size else None,
        )

    def forget_bytes(self, *, days: int) -> None:
        """Drop the bytes of messages that were handled and are older; the rows stay."""
        self._run(_FORGET, [days])

    def _run(self, statement: str, values: Any) -> list[tuple[Any, ...]]:
        """One statement, which is a transaction of its own.

        Raises:
            LogUnavailable: the database is away.
        """
        try:
            with self._pool.connection() as connection:
                found = connection.execute(statement, values)
                return found.fetchall() if found.description is not None else []
        except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
            raise LogUnavailable(f"the queue of webhooks: {type(error).__name__}") from None


class PostgresWebhookInbox(PostgresWebhookQueue):
    """See `application.checkout.inbox.WebhookInbox`."""

    def __init__(self, pool: Pool, personal: PersonalData) -> None:
        super().__init__(pool)
        self._personal = personal

    def put(self, provider: str, notice: Notice, raw: bytes) -> None:
        place = _place(provider, notice.event_ref)
        sealed = self._personal.seal(_subject(provider), raw, place=place)
        self._run(
            _PUT,
            [provider, notice.event_ref, notice.kind, notice.object_ref, sealed.key_id, sealed.ciphertext],
        )

    def read(self, provider: str, event_ref: str) -> bytes | None:
        rows = self._run(
            "SELECT key_id, ciphertext FROM webhook_inbox WHERE provider = %s AND event_ref = %s",
            [provider, event_ref],
        )
        if not rows or rows[0][1] is None:
            return None
        sealed = Sealed(key_id=rows[0][0], ciphertext=rows[0][1])
        return self._personal.open(_subject(provider), sealed, place=_place(provider, event_ref))


def _subject(provider: str) -> UUID:
    return stream_of(_SUBJECTS, provider)


def _place(provider: str, event_ref: str) -> str:
    return f"webhook_inbox.ciphertext|{provider}|{event_ref}"
