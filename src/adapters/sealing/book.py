"""The tables `sealed_checkpoints` and `sealing_fault`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from application.eventlog import LogUnavailable
from application.sealing.ports import KeptCheckpoint, SealFault

Pool: TypeAlias = ConnectionPool[psycopg.Connection[TupleRow]]

_NEWEST: Final = "SELECT size, position, note FROM sealed_checkpoints ORDER BY size DESC LIMIT 1"
_KEEP: Final = """
    INSERT INTO sealed_checkpoints (size, position, note) VALUES (%s, %s, %s)
    ON CONFLICT (size) DO UPDATE SET position = excluded.position, note = excluded.note"""
_FAULT: Final = "SELECT code, words, (extract(epoch FROM since) * 1000000)::bigint FROM sealing_fault"
_SET_FAULT: Final = """
    INSERT INTO sealing_fault (code, words) VALUES (%s, %s)
    ON CONFLICT (is_only) DO UPDATE SET code = excluded.code, words = excluded.words"""
_CLEAR_FAULT: Final = "DELETE FROM sealing_fault"


class PostgresCheckpointBook:
    """Implements `application.sealing.ports.CheckpointBook`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def newest(self) -> KeptCheckpoint | None:
        with self._connection() as connection:
            row = connection.execute(_NEWEST).fetchone()
        return None if row is None else KeptCheckpoint(size=row[0], position=row[1], note=bytes(row[2]))

    def keep(self, checkpoint: KeptCheckpoint) -> None:
        with self._connection() as connection:
            connection.execute(_KEEP, (checkpoint.size, checkpoint.position, checkpoint.note))

    def fault(self) -> SealFault | None:
        with self._connection() as connection:
            row = connection.execute(_FAULT).fetchone()
        return None if row is None else SealFault(code=row[0], words=row[1], since_us=row[2])

    def set_fault(self, code: str, words: str) -> None:
        with self._connection() as connection:
            connection.execute(_SET_FAULT, (code, words))

    def clear_fault(self) -> None:
        with self._connection() as connection:
            connection.execute(_CLEAR_FAULT)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            raise LogUnavailable(type(error).__name__) from error
