"""Sums over quarter hours, grouped as a reader asks, in pages: the SQL that reports have in common."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import errors
from psycopg.rows import dict_row

from application.queries import PAGE_ROWS_MAX, clean
from application.reports.usage import GroupValues, UsageFilter
from domain.refusal import BadField
from domain.zones import zone_of
from projections.projection import Pool
from projections.sums import SumTable

UNKNOWN_KEY: Final = UUID(int=0)  #: in rows of facts that do not tell the key
_TIME: Final = "to_char(to_timestamp(slot_us / 1000000) AT TIME ZONE %(zone)s, '{}') COLLATE \"C\""
_EXPRESSIONS: Final = {
    "hour": _TIME.format('YYYY-MM-DD"T"HH24:00'),
    "day": _TIME.format("YYYY-MM-DD"),
    "month": _TIME.format("YYYY-MM"),
    "account": "account_id",
    "key": "key_id",
    "member": f"coalesce(member_id, '{UNKNOWN_KEY}'::uuid)",
}
_MAKERS: Final = " LEFT JOIN (SELECT key_id, member_id FROM api_keys) AS makers USING (key_id)"
_CONDITIONS: Final = {
    "account_id": "account_id = %(account_id)s",
    "key_id": "key_id = %(key_id)s",
    "alias": "alias = %(alias)s",
}
_IDS: Final = frozenset({"account", "key", "member"})
_COLUMNS: Final = {
    "hour": "slot_us",
    "day": "slot_us",
    "month": "slot_us",
    "account": "account_id",
    "key": "key_id",
    "member": "key_id",
}


def smallest(tables: Sequence[SumTable], *, by: tuple[str, ...], wanted: UsageFilter) -> SumTable:
    """The first table that has every column which a question groups or chooses by; the last has all."""
    needed = {_COLUMNS.get(name, name) for name in by}
    needed |= {name for name in _CONDITIONS if getattr(wanted, name) is not None}
    return next(table for table in tables if needed <= table.key.keys())


class GroupedSums(msgspec.Struct, frozen=True, kw_only=True):
    """A question: the sums of `sums` over rows of `table`, for each group of `by`.

    Raises (when asked):
        BadField: see `application.reports.usage.UsageQueries`.
    """

    table: str
    sums: Sequence[str]
    by: tuple[str, ...]
    wanted: UsageFilter
    zone: str

    def page(
        self, pool: Pool, *, after: str | None, limit: int
    ) -> tuple[list[tuple[GroupValues, dict[str, int]]], str | None]:
        """Groups in their order with their sums, and the `after` of the next page."""
        size = max(1, min(limit, PAGE_ROWS_MAX))
        names = ", ".join(f"by_{name}" for name in self.by)
        found = self._found(pool, after=after, order=names, limit=size + 1)
        shown = [self._split(row) for row in found[:size]]
        return shown, self._cursor(found[size - 1]) if len(found) > size else None

    def most(self, pool: Pool, *, of: str, limit: int) -> list[tuple[GroupValues, dict[str, int]]]:
        """The groups with the largest sums `of`, the largest first."""
        size = max(1, min(limit, PAGE_ROWS_MAX))
        names = ", ".join([f"sum({of}) DESC", *(f"by_{name}" for name in self.by)])
        return [self._split(row) for row in self._found(pool, after=None, order=names, limit=size)]

    def _found(self, pool: Pool, *, after: str | None, order: str, limit: int) -> list[dict[str, Any]]:
        if len(set(self.by)) < len(self.by):
            raise BadField("by", "names a group twice")
        zone_of(self.zone)
        statement, values = self._statement(after, order)
        try:
            with pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
                return rows.execute(statement, {**values, "zone": self.zone, "limit": limit}).fetchall()
        except errors.InvalidParameterValue:
            raise BadField("zone", "is not known to the database") from None

    def _statement(self, after: str | None, order: str) -> tuple[str, dict[str, object]]:
        period = self.wanted.period
        values: dict[str, object] = {"from_us": period.from_us, "until_us": period.until_us}
        conditions = ["slot_us >= %(from_us)s", "slot_us < %(until_us)s"]
        for name, condition in _CONDITIONS.items():
            value = getattr(self.wanted, name)
            if value is not None:
                conditions.append(condition)
                values[name] = clean(value) if isinstance(value, str) else value
        groups = [_EXPRESSIONS.get(name, name) for name in self.by]
        if after is not None:
            bounds = self._bounds(after)
            values |= bounds
            conditions.append(f"({', '.join(groups)}) > ({', '.join(f'%({name})s' for name in bounds)})")
        columns = [f"{group} AS by_{name}" for group, name in zip(groups, self.by, strict=True)]
        columns += [f"sum({name})::bigint AS {name}" for name in self.sums]
        names = ", ".join(f"by_{name}" for name in self.by)
        ordered = f"GROUP BY {names} ORDER BY {order}" if self.by else "HAVING count(*) > 0"
        statement = (
            f"SELECT {', '.join(columns)} FROM {self.table}{_MAKERS if 'member' in self.by else ''} WHERE {' AND '.join(conditions)} "  # noqa: S608
            f"{ordered} LIMIT %(limit)s"
        )
        return statement, values

    def _bounds(self, after: str) -> dict[str, object]:
        try:
            texts = msgspec.json.decode(after, type=list[str])
            found: dict[str, object] = {
                f"after_{name}": UUID(text) if name in _IDS else clean(text)
                for name, text in zip(self.by, texts, strict=True)
            }
        except ValueError:
            raise BadField("after", "must be the next_after of a page with the same groups") from None
        if not found:
            raise BadField("after", "cannot be given without groups")
        return found

    def _cursor(self, row: dict[str, Any]) -> str:
        return msgspec.json.encode([str(row[f"by_{name}"]) for name in self.by]).decode()

    def _split(self, row: dict[str, Any]) -> tuple[GroupValues, dict[str, int]]:
        group = {name: row[f"by_{name}"] for name in self.by}
        known = {name: value for name, value in group.items() if value not in {"", UNKNOWN_KEY}}
        return GroupValues(**known), {name: row[name] for name in self.sums}
