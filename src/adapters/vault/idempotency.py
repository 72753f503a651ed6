"""The table `idempotency`: claims and sealed answers of requests with an idempotency key."""

from typing import Any, Final

import psycopg

from adapters.vault.master_keys import MasterKeys
from adapters.vault.purging import KEEP_S, purge_in_batches
from adapters.vault.sealing import Sealer
from adapters.vault.session import Pool, transaction
from application.idempotency import Answer, IdempotencyInProgress, IdempotencyKeyReused

TAKE_OVER_S: Final = 60

_CLAIM: Final = """
    INSERT INTO idempotency (actor, key, input_sha256) VALUES (%(actor)s, %(key)s, %(input)s)
    ON CONFLICT (actor, key) DO UPDATE SET created_at = clock_timestamp()
    WHERE idempotency.status IS NULL AND idempotency.input_sha256 = excluded.input_sha256
        AND idempotency.created_at < clock_timestamp() - make_interval(secs => %(take_over_s)s)
    RETURNING true"""

_STALE: Final = """
    SELECT actor, key, response FROM idempotency
    WHERE response IS NOT NULL AND substring(response FROM 1 FOR %s) <> %s
    ORDER BY actor, key LIMIT %s FOR UPDATE"""

_PURGE: Final = """
    DELETE FROM idempotency WHERE (actor, key) IN (
        SELECT actor, key FROM idempotency WHERE created_at < clock_timestamp() - make_interval(secs => %s)
        ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)"""


class PostgresIdempotencyStore:
    """See `application.idempotency.IdempotencyStore`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, keys: MasterKeys, *, take_over_s: float = TAKE_OVER_S) -> None:
        self._pool = pool
        self._sealer = Sealer(keys)
        self._take_over_s = take_over_s

    def begin(self, *, actor: str, key: str, input_sha256: bytes) -> Answer | None:
        values = {"actor": actor, "key": key, "input": input_sha256, "take_over_s": self._take_over_s}
        with transaction(self._pool) as connection:
            if connection.execute(_CLAIM, values).fetchone() is not None:
                return None
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT input_sha256, status, response FROM idempotency WHERE actor = %s AND key = %s",
                (actor, key),
            ).fetchone()
        if row is None or (row[1] is None and row[0] == input_sha256):
            raise IdempotencyInProgress("the first request with this idempotency key is not answered yet")
        if row[0] != input_sha256:
            raise IdempotencyKeyReused("this idempotency key came with another input before")
        return Answer(row[1], self._sealer.open(row[2], place=_place(actor, key)))

    def finish(self, *, actor: str, key: str, answer: Answer) -> None:
        sealed = self._sealer.seal(answer.body, place=_place(actor, key))
        with transaction(self._pool) as connection:
            connection.execute(
                "UPDATE idempotency SET status = %s, response = %s WHERE actor = %s AND key = %s",
                (answer.status, sealed, actor, key),
            )

    def abandon(self, *, actor: str, key: str) -> None:
        with transaction(self._pool) as connection:
            connection.execute(
                "DELETE FROM idempotency WHERE actor = %s AND key = %s AND status IS NULL", (actor, key)
            )


def purge(
    pool: Pool, *, older_than_s: float = KEEP_S, batch_rows: int = 5_000, batches_max: int = 100
) -> int:
    """Forget old answers and claims, oldest first; returns how many. Raises as `purge_in_batches`."""
    return purge_in_batches(
        pool, _PURGE, older_than_s=older_than_s, batch_rows=batch_rows, batches_max=batches_max
    )


def reseal_answers(connection: psycopg.Connection[Any], sealer: Sealer, batch_rows: int) -> int:
    """Seal some kept answers with the first master key; returns how many, 0 when none is left."""
    head = sealer.head
    rows = connection.execute(_STALE, (len(head), head, batch_rows)).fetchall()
    for actor, key, sealed in rows:
        place = _place(actor, key)
        connection.execute(
            "UPDATE idempotency SET response = %s WHERE actor = %s AND key = %s",
            (sealer.seal(sealer.open(sealed, place=place), place=place), actor, key),
        )
    return len(rows)


def _place(actor: str, key: str) -> bytes:
    return b"idempotency.response|" + actor.encode() + b"|" + key.encode()
