"""The questions to the read model `keys`: implements `application.keys.queries.KeyQueries`.

Names are in no read model, since they can be erased. Where a name is searched for, the table that has them is asked in the same statement.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from application.keys.queries import KeyFigures, KeyFilter, KeyPage, KeyRow, KeyState
from application.queries import PAGE_ROWS_MAX, clean
from domain.budgets.budget import Budget
from projections.arrays import array_literal
from projections.keys import KeyLife
from projections.projection import Connection, Pool

_SELECT: Final = """
    SELECT key_id, first_us, state, coalesce(charges, 0), coalesce(charged_nano, 0), last_used_us
    FROM api_keys LEFT JOIN key_uses USING (key_id) WHERE {conditions} ORDER BY key_id {direction} LIMIT %(limit)s
"""
_BUDGETS: Final = """
    SELECT key_id, state FROM key_budgets WHERE key_id = ANY(%s::uuid[]) AND NOT removed ORDER BY budget_id
"""
_FIGURES: Final = """
    SELECT key_id, account_id, coalesce(revoked, false) AS revoked, expires_us, coalesce(charges, 0) AS charges,
        coalesce(charged_nano, 0) AS charged_nano, last_used_us
    FROM api_keys FULL JOIN key_uses USING (key_id)
"""
_STATES: Final[dict[KeyState, str]] = {
    "active": "NOT revoked AND (expires_us IS NULL OR expires_us > %(now_us)s)",
    "expired": "NOT revoked AND expires_us IS NOT NULL AND expires_us <= %(now_us)s",
    "revoked": "revoked",
}
_CONDITIONS: Final = {
    "account_id": "account_id = %(account_id)s",
    "prefix": "prefix = %(prefix)s",
    "begins": "prefix ^@ %(begins)s",
    "named": "key_id IN (SELECT subject_id FROM subject_names WHERE name IS NOT NULL"
    " AND name_pieces(name, 1) @> name_pieces(%(named)s, 3) AND strpos(lower(name), lower(%(named)s)) > 0)",
    "ends_before_us": "expires_us < %(ends_before_us)s",
}


class KeyReader:
    """All of an answer is of one moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def keys(
        self,
        wanted: KeyFilter,
        *,
        now_us: int,
        after: UUID | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> KeyPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        statement, values = page_statement(
            wanted, now_us=now_us, after=after, limit=size + 1, newest_first=newest_first
        )
        found = self._rows(statement, values, now_us)
        return KeyPage(
            items=tuple(found[:size]), next_after=found[size - 1].key_id if len(found) > size else None
        )

    def key(self, key_id: UUID, *, now_us: int) -> KeyRow | None:
        statement = _SELECT.format(conditions="key_id = %(key_id)s", direction="ASC")
        return next(iter(self._rows(statement, {"key_id": key_id, "limit": 1}, now_us)), None)

    def _rows(self, statement: str, values: dict[str, Any], now_us: int) -> list[KeyRow]:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.execute(statement, values).fetchall()
            budgets = _budgets(connection, [key_id for key_id, *_ in rows])
        return [_row(row, budgets.get(row[0], ()), now_us) for row in rows]


def select_figures(connection: Connection) -> Iterator[KeyFigures]:
    """Of every key, and of every one that charges name."""
    with connection.cursor(row_factory=class_row(KeyFigures)) as rows:
        yield from rows.execute(_FIGURES)


def page_statement(
    wanted: KeyFilter, *, now_us: int, after: UUID | None, limit: int, newest_first: bool = False
) -> tuple[str, dict[str, Any]]:
    """A page as SQL, with its parameters."""
    values = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
    conditions = [_CONDITIONS[name] for name in values]
    if wanted.state is not None:
        conditions.append(_STATES[wanted.state])
    if after is not None or not newest_first:
        conditions.append("key_id < %(after)s" if newest_first else "key_id > %(after)s")
    texts = {name: clean(value) for name, value in values.items() if isinstance(value, str)}
    own = {"after": after or UUID(int=0), "now_us": now_us, "limit": limit}
    statement = _SELECT.format(
        conditions=" AND ".join(conditions or ["true"]), direction="DESC" if newest_first else "ASC"
    )
    return statement, values | texts | own


def _budgets(connection: Connection, key_ids: Sequence[UUID]) -> dict[UUID, tuple[Budget, ...]]:
    found: dict[UUID, tuple[Budget, ...]] = {}
    if key_ids:
        for key_id, text in connection.execute(_BUDGETS, [array_literal(key_ids)]):
            found[key_id] = (*found.get(key_id, ()), msgspec.json.decode(text, type=Budget))
    return found


def _row(row: tuple[Any, ...], budgets: tuple[Budget, ...], now_us: int) -> KeyRow:
    key_id, created_us, state, charges, charged_nano, last_used_us = row
    life = msgspec.json.decode(state, type=KeyLife)
    return KeyRow(
        key_id=key_id,
        account_id=life.account_id,
        state=_state(life, now_us),
        secrets=life.secrets,
        limits=life.limits,
        budgets=budgets,
        expires_us=life.expires_us,
        revoked=life.revoked_us is not None,
        imported=life.imported,
        created_us=created_us,
        rotated_us=life.rotated_us,
        revoked_us=life.revoked_us,
        revoked_because=life.revoked_because,
        last_used_us=last_used_us,
        charges=charges,
        charged_nano=charged_nano,
    )


def _state(life: KeyLife, now_us: int) -> KeyState:
    if life.revoked_us is not None:
        return "revoked"
    return "expired" if life.expires_us is not None and life.expires_us <= now_us else "active"
