"""People look at once for what they have just done: waits, for a moment, until the read models show it.

Nothing depends on it. A page that comes too early is only not up to date.
"""

import time
from collections.abc import Sequence
from typing import Final

from application.projections import ReadableLog
from projections.projection import Pool, Projection

_PAUSE_S: Final = 0.025
#: Those that stopped, or whose tables are of other code, are not waited for.
_ALL_THERE: Final = """
    SELECT coalesce(bool_and(p.position >= %(position)s), true)
    FROM projections p JOIN unnest(%(names)s::text[], %(versions)s::int[]) AS ours (name, version) USING (name, version)
    WHERE NOT EXISTS (SELECT FROM projection_failures f WHERE f.name = p.name)"""


class Settling:
    """`wait_s` is how long a page may be kept back by it, at most; 0 waits for nothing."""

    def __init__(
        self, *, pool: Pool, log: ReadableLog, projections: Sequence[Projection], wait_s: float
    ) -> None:
        self._pool = pool
        self._log = log
        self._names = [one.name for one in projections]
        self._versions = [one.version for one in projections]
        self._wait_s = wait_s

    def wait(self) -> bool:
        """Whether they show everything that was in the log when this was called. Blocking."""
        if not self._wait_s:
            return False
        position = self._log.head_position()
        until_s = time.monotonic() + self._wait_s
        while not self._are_at(position):
            if time.monotonic() > until_s:
                return False
            time.sleep(_PAUSE_S)
        return True

    def _are_at(self, position: int) -> bool:
        values = {"position": position, "names": self._names, "versions": self._versions}
        with self._pool.connection() as connection:
            row = connection.execute(_ALL_THERE, values).fetchone()
        return bool(row and row[0])
