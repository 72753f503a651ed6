"""How the last calls went, from the attempts in the read model `request_log`: implements `CallQueries`."""

from typing import Final
from uuid import UUID

from psycopg.errors import UndefinedTable

from application.reports.calls import CALLS_MAX, CallStats
from projections.projection import Pool

#: Request ids begin with their time, so the newest are at the end of the primary key.
_LATEST: Final = """
    WITH latest AS (
        SELECT deployment_id, outcome, started_us, duration_ms, first_byte_ms
        FROM request_attempts WHERE request_id >= %s ORDER BY request_id DESC LIMIT %s
    ), outcomes AS (
        SELECT deployment_id, json_object_agg(outcome, number) AS outcomes
        FROM (SELECT deployment_id, outcome, count(*) AS number FROM latest GROUP BY 1, 2) AS counted GROUP BY 1
    )
    SELECT deployment_id, count(*), count(*) FILTER (WHERE outcome <> 'ok'), min(outcomes.outcomes::text)::json,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY first_byte_ms) FILTER (WHERE outcome = 'ok'),
        percentile_disc(0.95) WITHIN GROUP (ORDER BY first_byte_ms) FILTER (WHERE outcome = 'ok'),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE outcome = 'ok'),
        percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE outcome = 'ok'),
        max(started_us)
    FROM latest JOIN outcomes USING (deployment_id) GROUP BY deployment_id
"""


class CallReader:
    """The question."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def calls(self, *, since_us: int) -> dict[UUID, CallStats]:
        first = UUID(int=max(0, since_us // 1_000) << 80)
        try:
            with self._pool.connection() as connection:
                rows = connection.execute(_LATEST, [first, CALLS_MAX]).fetchall()
        except UndefinedTable:  # no worker has run yet
            return {}
        names = CallStats.__struct_fields__
        return {row[0]: CallStats(**dict(zip(names, row, strict=True))) for row in rows}
