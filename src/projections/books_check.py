"""A look at all accounts and all open holds, and what the last one found: implements `application.reports.health.BooksChecks`.

Owns the table `books_checks`. The scheduler looks; whoever is asked for the health of the books reads what it found.
"""

from typing import Any, Final

from msgspec.structs import asdict
from psycopg.rows import dict_row

from application.clock import Clock
from application.reports.health import BooksCheck
from projections.projection import Connection, Pool

_ZERO_SUM: Final = "SELECT coalesce(sum(balance_nano), 0) FROM trial_balance"
_HOLDS: Final = "SELECT count(*), coalesce(sum(hold_nano), 0), min(since_us) FROM open_holds"
#: Where the balances have come as far as the books, an account that did not move since is in both as of one position.
_DRIFT: Final = """
    WITH own AS (
        SELECT split_part(name, ':', 2)::uuid AS account_id, sum(balance_nano) AS posted_nano
        FROM trial_balance WHERE name LIKE 'wallet:%' OR name LIKE 'leased:%' OR name LIKE 'frozen:%' GROUP BY 1
    ), reached AS (
        SELECT books.position FROM projections books, projections balances
        WHERE books.name = 'trial_balance' AND balances.name = 'balances' AND balances.position >= books.position
    )
    SELECT coalesce(sum(abs(balances.posted_nano - coalesce(own.posted_nano, 0))), 0), count(*)
    FROM balances JOIN reached ON balances.updated_position <= reached.position LEFT JOIN own USING (account_id)
"""
_COLUMNS: Final = BooksCheck.__struct_fields__
_KEEP: Final = (
    f"INSERT INTO books_checks (id, {', '.join(_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES (1, {', '.join(f'%({name})s' for name in _COLUMNS)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS)}"
)
_LAST: Final = f"SELECT {', '.join(_COLUMNS)} FROM books_checks"  # noqa: S608  # our own names


class PostgresBooksChecks:
    """All that one look finds is of one moment. The pool belongs to the caller."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def check(self) -> BooksCheck:
        with self._pool.connection() as connection:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                found = self._look(connection)
            connection.execute(_KEEP, asdict(found))
        return found

    def last(self) -> BooksCheck | None:
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
            row = rows.execute(_LAST).fetchone()
        if row is None:
            return None
        figures: dict[str, Any] = {name: None if value is None else int(value) for name, value in row.items()}
        return BooksCheck(**figures)

    def _look(self, connection: Connection) -> BooksCheck:
        (zero_sum_nano,) = _row(connection, _ZERO_SUM)
        drift_nano, accounts = _row(connection, _DRIFT)
        holds, held_nano, since_us = _row(connection, _HOLDS)
        return BooksCheck(
            checked_us=self._clock.now_us(),
            zero_sum_nano=int(zero_sum_nano),
            drift_nano=int(drift_nano),
            accounts_compared=accounts,
            open_holds=holds,
            held_nano=int(held_nano),
            oldest_hold_us=since_us,
        )


def _row(connection: Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row
