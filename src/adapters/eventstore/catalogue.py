"""What the database knows of the archive, and the closing and letting go of parts. For operators' commands: it has a
connection of its own, with as much time as a large part takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from adapters.eventstore.connection import BoundedConnection, Limits, connect
from application.archive.ports import DetachRefused, Part
from application.archive.segment import Manifest, Range
from application.eventlog import LogUnavailable

_LIMITS: Final = Limits(answer_s=4 * 3600.0, statement_s=4 * 3600.0, lock_s=2.0, idle_in_transaction_s=60.0)
_PARTS: Final = (
    "SELECT table_name, first_position, last_position, closed_at FROM log_parts ORDER BY first_position"
)
_MANIFESTS: Final = "SELECT manifest FROM archive_segments ORDER BY last_position"
_ADD: Final = """
    INSERT INTO archive_segments (first_position, last_position, events, manifest) VALUES (%s, %s, %s, %s)"""


class PostgresArchiveCatalogue:
    """Implements `application.archive.ports.ArchiveCatalogue`."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def until_position(self) -> int:
        with self._connection() as connection:
            row = connection.execute("SELECT until_position FROM log_archive").fetchone()
        assert row is not None
        return int(row[0])

    def parts(self) -> list[Part]:
        with self._connection() as connection, connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_PARTS).fetchall()
        return [Part(table, Range(first, last), closed_at_us) for table, first, last, closed_at_us in rows]

    def close_part(self) -> int | None:
        with self._connection() as connection:
            row = connection.execute("SELECT tokenok_close_part()").fetchone()
        assert row is not None
        return None if row[0] is None else int(row[0])

    def manifests(self) -> list[bytes]:
        with self._connection() as connection:
            return [bytes(raw) for (raw,) in connection.execute(_MANIFESTS)]

    def add(self, manifest: Manifest) -> None:
        with self._connection() as connection:
            connection.execute(
                _ADD,
                (manifest.first_position, manifest.last_position, manifest.events, manifest.encode()),
            )

    def wallets(self, part: Part) -> list[UUID]:
        query = sql.SQL("SELECT DISTINCT originator_id FROM {} WHERE topic LIKE 'wallet.%'")
        with self._connection() as connection:
            return [stream for (stream,) in connection.execute(query.format(sql.Identifier(part.table)))]

    def detach(self, part: Part, *, rested_s: float) -> None:
        with self._connection() as connection:
            connection.execute(
                "SELECT tokenok_detach_part(%s, make_interval(secs => %s))", (part.table, rested_s)
            )

    @contextmanager
    def _connection(self) -> Iterator[BoundedConnection]:
        try:
            with connect(
                self._database_url, limits=_LIMITS, application_name="tokenok-archive"
            ) as connection:
                yield connection
        except psycopg.errors.RestrictViolation as error:
            raise DetachRefused(error.diag.message_primary or "") from error
        except psycopg.Error as error:
            raise LogUnavailable(str(error)) from error
