"""Read model `lot_ends`: lots of credit that have an end which is not stored yet, and when.

For the scheduler, to know which wallets to look at. Must not be used to decide what may be spent: it lags behind the
log. The wallet stream decides that.
"""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from psycopg.errors import UndefinedTable

from domain.ledger.events import CreditLotExpired, CreditLotGranted, CreditLotVoided
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_LOT_ENDS = Table(
    name="lot_ends",
    key="lot_id",
    columns="lot_id uuid PRIMARY KEY, account_id uuid NOT NULL, expires_us bigint NOT NULL",
    indexes=("(expires_us)",),
)
_FORGET = "DELETE FROM {schema}.lot_ends WHERE lot_id = ANY(%s::uuid[]) AND {moved}"
_KEEP = """
    INSERT INTO {schema}.lot_ends (lot_id, account_id, expires_us)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[])
    WHERE {moved}
    ON CONFLICT (lot_id) DO NOTHING
"""
_DUE = """
    SELECT account_id FROM lot_ends WHERE expires_us <= %s GROUP BY account_id ORDER BY min(expires_us) LIMIT %s
"""


class LotEnds:
    """The fold: a lot is in it from its grant to its end."""

    name: ClassVar[str] = "lot_ends"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[Table, ...]] = (_LOT_ENDS,)
    topics: ClassVar[frozenset[str]] = topics_of((CreditLotGranted, CreditLotExpired, CreditLotVoided))

    def fold(self, _connection: Connection, _schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        last: dict[UUID, tuple[object, ...] | None] = {}  #: the last word on each lot, `None` for ended
        for fact in facts:
            event = fact.event
            if isinstance(event, CreditLotExpired | CreditLotVoided):
                last[event.lot_id] = None
            elif isinstance(event, CreditLotGranted) and isinstance(event.expires_us, int):
                last[event.lot_id] = (event.lot_id, event.account_id, event.expires_us)
        writes = []
        ended = [lot_id for lot_id, row in last.items() if row is None]
        if ended:
            writes.append(Write(_FORGET, [array_literal(ended)]))
        kept = [row for row in last.values() if row is not None]
        if kept:
            writes.append(Write(_KEEP, column_literals(kept)))
        return writes


class EndingLots:
    """Implements `application.ledger.expire_lots.LotsThatEnd`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def accounts_due(self, *, now_us: int, limit: int) -> list[UUID]:
        try:
            with self._pool.connection() as connection:
                return [account_id for (account_id,) in connection.execute(_DUE, [now_us, limit])]
        except UndefinedTable:  # no worker of this version has run yet
            return []
