"""The health of the books, from the read models: implements `application.reports.health.HealthQueries`."""

from typing import Any, Final

from application.clock import Clock
from application.projections import Projections
from application.reports.health import LedgerHealth, Verifications, faults_of
from projections.projection import Connection, Pool

_ZERO_SUM: Final = "SELECT coalesce(sum(balance_nano), 0) FROM trial_balance"
_HOLDS: Final = "SELECT count(*), coalesce(sum(hold_nano), 0), min(since_us) FROM open_holds"
#: Where the balances have come as far as the books, an account that did not move since is in both as of one position.
_DRIFT: Final = """
    WITH own AS (
        SELECT split_part(name, ':', 2)::uuid AS account_id, sum(balance_nano) AS posted_nano
        FROM trial_balance WHERE name LIKE 'wallet:%' OR name LIKE 'leased:%' GROUP BY 1
    ), reached AS (
        SELECT books.position FROM projections books, projections balances
        WHERE books.name = 'trial_balance' AND balances.name = 'balances' AND balances.position >= books.position
    )
    SELECT coalesce(sum(abs(balances.posted_nano - coalesce(own.posted_nano, 0))), 0), count(*)
    FROM balances JOIN reached ON balances.updated_position <= reached.position LEFT JOIN own USING (account_id)
"""


class HealthReader:
    """All of an answer but the read models' lag is of one moment."""

    def __init__(
        self, pool: Pool, *, projections: Projections, verifications: Verifications, clock: Clock
    ) -> None:
        self._pool = pool
        self._projections = projections
        self._verifications = verifications
        self._clock = clock

    def health(self) -> LedgerHealth:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            (zero_sum_nano,) = _row(connection, _ZERO_SUM)
            drift_nano, accounts = _row(connection, _DRIFT)
            holds, held_nano, since_us = _row(connection, _HOLDS)
        read_models = self._projections.status()
        verification = self._verifications.last()
        now_us = self._clock.now_us()
        return LedgerHealth(
            faults=faults_of(
                zero_sum_nano=int(zero_sum_nano),
                drift_nano=int(drift_nano),
                read_models=read_models,
                last_verification=verification,
            ),
            zero_sum_nano=int(zero_sum_nano),
            drift_nano=int(drift_nano),
            accounts_compared=accounts,
            open_holds=holds,
            held_nano=int(held_nano),
            oldest_hold_s=0.0 if since_us is None else max(0.0, (now_us - since_us) / 1e6),
            read_models=read_models,
            last_verification=verification,
        )


def _row(connection: Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row
