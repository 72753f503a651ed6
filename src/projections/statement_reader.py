"""The questions to the read model `statement`: implements `application.reports.statement.StatementQueries`."""

from datetime import date
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
        SELECT '{CHARGE}' AS kind, -charge_nano AS amount_nano FROM statement_days
            WHERE account_id = %(account_id)s AND day_us >= %(first_us)s AND day_us < %(last_us)s AND charge_nano <> 0
        UNION ALL SELECT '{CHARGE}', -charge_nano FROM statement_charges WHERE account_id = %(account_id)s
            AND (slot_us >= %(from_us)s AND slot_us < %(first_us)s OR slot_us >= %(last_us)s AND slot_us < %(until_us)s)
        UNION ALL SELECT kind, amount_nano FROM statement_entries WHERE {_IN_PERIOD}
    ) AS changes GROUP BY kind ORDER BY kind COLLATE "C"
"""  # noqa: S608  # our own texts
_MIDNIGHT: Final = """
    SELECT (extract(epoch FROM (
        date_trunc('day', to_timestamp(%(from_us)s / 1000000) AT TIME ZONE %(zone)s) + %(days)s * interval '1 day'
    ) AT TIME ZONE %(zone)s) * 1000000)::bigint
"""
_BEGIN: Final = "SELECT (extract(epoch FROM %(day)s::timestamp AT TIME ZONE %(zone)s) * 1000000)::bigint"
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
        values |= _whole_days(period)
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
                    next_after=_cursor(lines[size - 1]) if len(lines) > size else None,
                )
        except errors.InvalidParameterValue:
            raise BadField("zone", "is not known to the database") from None


def _lines(connection: Connection, values: dict[str, Any]) -> list[StatementLine]:
    """The first lines, one more than asked for.

    What is booked later stands behind in the log, so lines are read in runs of whole days, each twice as long as the one
    before, until there are enough: a page adds up what it shows, and not the rest of the month.
    """
    from_us, until_us = values["from_us"], values["until_us"]
    if values["day"] is not None:
        from_us = max(from_us, _number(connection, _BEGIN, values))
    lines: list[StatementLine] = []
    days = 1
    while from_us < until_us and len(lines) < values["limit"]:
        midnight_us = _number(connection, _MIDNIGHT, {**values, "from_us": from_us, "days": days})
        run = {**values, "from_us": from_us, "until_us": min(midnight_us, until_us)}
        lines += _lines_of_run(connection, run)
        from_us, days = midnight_us, days * 2
    return lines[: values["limit"]]


def _lines_of_run(connection: Connection, values: dict[str, Any]) -> list[StatementLine]:
    """Charges and others together."""
    with connection.cursor(row_factory=dict_row) as rows:
        lines = [_charge_line(row) for row in rows.execute(_CHARGES, values)]
        lines += [StatementLine(**row) for row in rows.execute(_ENTRIES, values)]
    return sorted(lines, key=lambda line: (line.first_position, line.place))


def _charge_line(row: dict[str, Any]) -> StatementLine:
    units = StatementUnits(**{name: row.pop(name) for name in _UNITS})
    return StatementLine(units=units, **row)


def _cursor(line: StatementLine) -> str:
    return f"{line.day}.{line.first_position}.{line.place}"


def _after(cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {"day": None, "after_position": 0, "after_place": 0}
    day, _, rest = cursor.partition(".")
    position, _, place = rest.partition(".")
    try:
        return {"day": date.fromisoformat(day), "after_position": int(position), "after_place": int(place)}
    except ValueError:
        raise BadField("after", "must be the next_after of another page") from None


def _whole_days(period: Period) -> dict[str, int]:
    """The days of UTC that lie in a period as a whole; none if it is shorter."""
    first_us = -(-period.from_us // DAY_US) * DAY_US
    last_us = period.until_us // DAY_US * DAY_US
    if first_us >= last_us:
        return {"first_us": period.until_us, "last_us": period.until_us}
    return {"first_us": first_us, "last_us": last_us}


def _balance(connection: Connection, account_id: UUID, at_us: int) -> int:
    """What the account owned just before a time: whole days, and the rest of the last one."""
    values = {"account_id": account_id, "at_us": at_us, "day_us": at_us - at_us % DAY_US}
    return _number(connection, _BALANCE, values)


def _number(connection: Connection, statement: str, values: dict[str, Any]) -> int:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])
