"""The questions to the read model `statement`: implements `application.reports.statement.StatementQueries`."""

from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import errors
from psycopg.rows import dict_row

from application.queries import PAGE_ROWS_MAX
from application.reports.period import DAY_US, Period
from application.reports.statement import CHARGE, Statement, StatementLine, StatementUnits
from domain.refusal import BadField
from domain.zones import zone_of
from projections.projection import Connection, Pool
from projections.statement import CHARGES

_BALANCE: Final = """
    SELECT (
        coalesce((SELECT sum(change_nano) FROM statement_days
            WHERE account_id = %(account_id)s AND day_us < %(day_us)s), 0)
        - coalesce((SELECT sum(charge_nano) FROM statement_charges
            WHERE account_id = %(account_id)s AND slot_us >= %(day_us)s AND slot_us < %(at_us)s), 0)
        + coalesce((SELECT sum(amount_nano) FROM statement_entries
            WHERE account_id = %(account_id)s AND slot_us >= %(day_us)s AND slot_us < %(at_us)s), 0)
    )::bigint
"""
_IN_PERIOD: Final = "account_id = %(account_id)s AND slot_us >= %(from_us)s AND slot_us < %(until_us)s"
_TOTALS: Final = f"""
    SELECT kind, sum(amount_nano)::bigint FROM (
        SELECT '{CHARGE}' AS kind, -charge_nano AS amount_nano FROM statement_charges WHERE {_IN_PERIOD}
        UNION ALL SELECT kind, amount_nano FROM statement_entries WHERE {_IN_PERIOD}
    ) AS changes GROUP BY kind ORDER BY kind COLLATE "C"
"""  # noqa: S608  # our own texts
_UNITS: Final = StatementUnits.__struct_fields__
_DAY: Final = "to_char(to_timestamp(slot_us / 1000000) AT TIME ZONE %(zone)s, 'YYYY-MM-DD')"
_CHARGES: Final = f"""
    SELECT {_DAY} AS day, '{CHARGE}' AS kind, -sum(charge_nano)::bigint AS amount_nano,
        min(first_position) AS first_position, max(last_position) AS last_position,
        (array_agg(first_occurred_us ORDER BY first_position))[1] AS occurred_us, sum(charges)::bigint AS charges,
        key_id, alias, price_version, {", ".join(f"sum({name})::bigint AS {name}" for name in _UNITS)}
    FROM {CHARGES.name} WHERE {_IN_PERIOD}
    GROUP BY day, key_id, alias, price_version HAVING min(first_position) > %(after_position)s
    ORDER BY first_position LIMIT %(limit)s
"""  # noqa: S608  # our own texts
_ENTRIES: Final = f"""
    SELECT {_DAY} AS day, kind, amount_nano, position AS first_position, position AS last_position, place, occurred_us,
        counter_account, lot_id, reason
    FROM statement_entries WHERE {_IN_PERIOD} AND (position, place) > (%(after_position)s, %(after_place)s)
    ORDER BY position, place LIMIT %(limit)s
"""  # noqa: S608  # our own texts


class StatementReader:
    """An answer is of one moment; its position says which."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def statement(
        self,
        account_id: UUID,
        period: Period,
        *,
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> Statement:
        return self._read(account_id, period, zone, after, max(1, min(limit, PAGE_ROWS_MAX)))

    def whole_statement(
        self, account_id: UUID, period: Period, *, zone: str = "UTC", lines_max: int
    ) -> Statement:
        found = self._read(account_id, period, zone, None, lines_max)
        if found.next_after is not None:
            raise BadField("period", f"has more than {lines_max} lines; ask for a shorter one")
        return found

    def _read(self, account_id: UUID, period: Period, zone: str, after: str | None, size: int) -> Statement:
        zone_of(zone)
        values = msgspec.structs.asdict(period) | {
            "account_id": account_id,
            "zone": zone,
            "limit": size + 1,
            **_after(after),
        }
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                lines = _lines(connection, values)
                return Statement(
                    account_id=account_id,
                    period=period,
                    zone=zone,
                    position=_number(
                        connection, "SELECT position FROM projections WHERE name = 'statement'", {}
                    ),
                    opening_nano=_balance(connection, account_id, period.from_us),
                    totals_nano=dict(connection.execute(_TOTALS, values).fetchall()),
                    closing_nano=_balance(connection, account_id, period.until_us),
                    lines=tuple(lines[:size]),
                    next_after=f"{lines[size - 1].first_position}.{lines[size - 1].place}"
                    if len(lines) > size
                    else None,
                )
        except errors.InvalidParameterValue:
            raise BadField("zone", "is not known to the database") from None


def _lines(connection: Connection, values: dict[str, Any]) -> list[StatementLine]:
    """The first lines, charges and others together, one more than asked for."""
    with connection.cursor(row_factory=dict_row) as rows:
        lines = [_charge_line(row) for row in rows.execute(_CHARGES, values)]
        lines += [StatementLine(**row) for row in rows.execute(_ENTRIES, values)]
    return sorted(lines, key=lambda line: (line.first_position, line.place))[: values["limit"]]


def _charge_line(row: dict[str, Any]) -> StatementLine:
    units = StatementUnits(**{name: row.pop(name) for name in _UNITS})
    return StatementLine(units=units, **row)


def _after(cursor: str | None) -> dict[str, int]:
    position, _, place = (cursor or "0.0").partition(".")
    try:
        return {"after_position": int(position), "after_place": int(place)}
    except ValueError:
        raise BadField("after", "must be the next_after of another page") from None


def _balance(connection: Connection, account_id: UUID, at_us: int) -> int:
    """What the account owned just before a time: whole days, and the rest of the last one."""
    values = {"account_id": account_id, "at_us": at_us, "day_us": at_us - at_us % DAY_US}
    return _number(connection, _BALANCE, values)


def _number(connection: Connection, statement: str, values: dict[str, Any]) -> int:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])
