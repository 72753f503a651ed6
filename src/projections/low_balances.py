"""The questions to the read model `balances` about low ones: implements `application.balance_alerts`'s two ports."""

from typing import Final
from uuid import UUID

from psycopg.errors import UndefinedTable
from psycopg.rows import class_row

from application.balance_alerts.queries import LowBalance, LowBalancePage
from application.balance_alerts.raise_alerts import LowCrossing
from application.queries import PAGE_ROWS_MAX
from projections.projection import Pool

_ALERTS: Final = """
    SELECT position, account_id, threshold_nano, balance_nano, crossed_position, occurred_us FROM balance_low_alerts
    WHERE (%(account_id)s::uuid IS NULL OR account_id = %(account_id)s) AND position < %(before)s
    ORDER BY position DESC LIMIT %(limit)s
"""
_NOT_TOLD: Final = """
    SELECT account_id, threshold_nano, balance_nano, crossed_position, occurred_us FROM balance_low_crossings crossing
    WHERE NOT EXISTS (SELECT FROM balance_low_alerts told
        WHERE (told.account_id, told.crossed_position) = (crossing.account_id, crossing.crossed_position))
    ORDER BY position LIMIT %s
"""


class LowBalanceReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def low_balances(
        self, *, account_id: UUID | None = None, before_position: int | None = None, limit: int = 100
    ) -> LowBalancePage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        before = 2**63 - 1 if before_position is None else before_position
        wanted = {"account_id": account_id, "before": before, "limit": size + 1}
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(LowBalance)) as rows,
        ):
            found = rows.execute(_ALERTS, wanted).fetchall()
        return LowBalancePage(
            items=tuple(found[:size]), next_before=found[size - 1].position if len(found) > size else None
        )

    def not_told(self, *, limit: int) -> list[LowCrossing]:
        try:
            with (
                self._pool.connection() as connection,
                connection.cursor(row_factory=class_row(LowCrossing)) as rows,
            ):
                return rows.execute(_NOT_TOLD, [limit]).fetchall()
        except UndefinedTable:  # no worker of this version has run yet
            return []
