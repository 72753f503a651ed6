"""The table `verifications`: what `ledger verify` said and when."""

from typing import Any, Final

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from application.reports.health import Verification

_RECORD: Final = """
    INSERT INTO verifications (verified_us, ok, position, violations, trial_balance_sha256)
    VALUES (%s, %s, %s, %s, %s)
"""
_LAST: Final = """
    SELECT verified_us, ok, position, violations, trial_balance_sha256
    FROM verifications ORDER BY id DESC LIMIT 1
"""


class PostgresVerifications:
    """See `application.reports.health.Verifications`. The pool belongs to the caller."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        self._pool = pool

    def record(self, one: Verification) -> None:
        values = (one.verified_us, one.ok, one.position, one.violations, one.trial_balance_sha256)
        with self._pool.connection() as connection:
            connection.execute(_RECORD, values)

    def last(self) -> Verification | None:
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Verification)) as rows,
        ):
            return rows.execute(_LAST).fetchone()
