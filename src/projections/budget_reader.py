"""The questions to the read model `budgets`: implements `application.budgets.queries` and `raise_alerts.Crossings`."""

from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.errors import UndefinedTable
from psycopg.rows import class_row, dict_row

from application.budgets.queries import AlertPage, BudgetAlert, BudgetPage, BudgetUse
from application.budgets.raise_alerts import Crossing
from application.queries import PAGE_ROWS_MAX
from domain.budgets.budget import Budget
from domain.budgets.window import bucket_at
from projections.projection import Connection, Pool

_BUDGETS: Final = """
    SELECT budget FROM budgets WHERE NOT removed AND budget_id > %(after)s
        AND (%(account_id)s::uuid IS NULL OR account_id = %(account_id)s)
        AND (%(key_id)s::uuid IS NULL OR key_id = %(key_id)s)
    ORDER BY budget_id LIMIT %(limit)s
"""
_USE: Final = """
    SELECT coalesce(sum(spent_nano), 0)::bigint AS spent_nano, coalesce(sum(held_nano), 0)::bigint AS held_nano,
        coalesce(sum(requests), 0)::bigint AS requests
    FROM budget_uses WHERE budget_id = %s AND bucket_us BETWEEN %s AND %s
"""
_ALERTS: Final = """
    SELECT position, budget_id, account_id, key_id, bucket_us, percent, amount_nano, spent_nano, occurred_us
    FROM budget_alerts JOIN budgets USING (budget_id)
    WHERE (%(account_id)s::uuid IS NULL OR account_id = %(account_id)s) AND position < %(before)s
    ORDER BY position DESC LIMIT %(limit)s
"""
_NOT_TOLD: Final = """
    SELECT budget_id, account_id, key_id, bucket_us, percent, amount_nano, spent_nano, position AS crossed_position, occurred_us
    FROM budget_crossings JOIN budgets USING (budget_id)
    WHERE NOT EXISTS (SELECT FROM budget_alerts told WHERE (told.budget_id, told.bucket_us, told.percent, told.amount_nano)
        = (budget_crossings.budget_id, budget_crossings.bucket_us, budget_crossings.percent, budget_crossings.amount_nano))
    ORDER BY position, percent LIMIT %s
"""


class BudgetReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def budgets(
        self,
        *,
        now_us: int,
        account_id: UUID | None = None,
        key_id: UUID | None = None,
        after: UUID | None = None,
        limit: int = 100,
    ) -> BudgetPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        wanted = {
            "account_id": account_id,
            "key_id": key_id,
            "after": after or UUID(int=0),
            "limit": size + 1,
        }
        with self._pool.connection() as connection:
            found = [
                msgspec.json.decode(text, type=Budget)
                for (text,) in connection.execute(_BUDGETS, wanted).fetchall()
            ]
            items = tuple(_use(connection, one, now_us) for one in found[:size])
        return BudgetPage(items=items, next_after=found[size - 1].budget_id if len(found) > size else None)

    def alerts(
        self, *, account_id: UUID | None = None, before_position: int | None = None, limit: int = 100
    ) -> AlertPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        before = 2**63 - 1 if before_position is None else before_position
        wanted = {"account_id": account_id, "before": before, "limit": size + 1}
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(BudgetAlert)) as rows,
        ):
            found = rows.execute(_ALERTS, wanted).fetchall()
        return AlertPage(
            items=tuple(found[:size]), next_before=found[size - 1].position if len(found) > size else None
        )

    def not_told(self, *, limit: int) -> list[Crossing]:
        try:
            with (
                self._pool.connection() as connection,
                connection.cursor(row_factory=class_row(Crossing)) as rows,
            ):
                return rows.execute(_NOT_TOLD, [limit]).fetchall()
        except UndefinedTable:  # no worker of this version has run yet
            return []


def _use(connection: Connection, budget: Budget, now_us: int) -> BudgetUse:
    bucket = bucket_at(budget.window, now_us)
    from_us = bucket.start_us - budget.window.reach_us
    bounds = [budget.budget_id, from_us, bucket.start_us]
    with connection.cursor(row_factory=dict_row) as rows:
        use: dict[str, Any] | None = rows.execute(_USE, bounds).fetchone()
    assert use is not None, "sums always have a row"
    return BudgetUse(
        budget=budget,
        from_us=from_us,
        until_us=bucket.end_us,
        left_nano=budget.amount_nano - use["spent_nano"] - use["held_nano"],
        **use,
    )
