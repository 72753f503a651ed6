"""Read model `auto_recharges`: which accounts recharge by themselves, below which balance, and whose order is under way.

For the worker's rounds to know where to look. Must not be used to decide whether to recharge: the account's own stream does that.
"""

from collections.abc import Sequence
from typing import ClassVar, Final
from uuid import UUID

from psycopg.errors import UndefinedTable
from psycopg.rows import class_row

from application.auto_recharge.start import LowAccount
from domain.auto_recharge.auto import Auto, evolve
from domain.auto_recharge.events import AUTO_RECHARGE_EVENTS, MethodPageOpened
from projections.folded import FoldTable
from projections.projection import Connection, Located, Pool, Table, Write

_AUTO: Final = FoldTable(
    name="auto_recharges",
    key="account_id",
    key_kind="uuid",
    state=Auto,
    evolve=evolve,
    events=AUTO_RECHARGE_EVENTS,
    begins=(MethodPageOpened,),
    blank=Auto(),
    shown={
        "is_ready": ("boolean", lambda auto: auto.is_on and auto.open_try is None),
        "threshold_nano": (
            "bigint",
            lambda auto: auto.rule.threshold_nano if auto.rule is not None else None,
        ),
        "retry_us": ("bigint", lambda auto: auto.retry_us),
        "balance_from": ("bigint", lambda auto: auto.balance_from),
        "open_order_id": ("uuid", lambda auto: auto.open_try.order_id if auto.open_try else None),
        "needs_customer": (
            "boolean",
            lambda auto: auto.open_try is not None and auto.open_try.state == "needs_customer",
        ),
    },
    indexes=("(account_id) WHERE is_ready", "(position) WHERE open_order_id IS NOT NULL"),
)
_LOW: Final = """
    SELECT account_id, coalesce(posted_nano, 0) AS balance_nano, coalesce(updated_position, 0) AS position
    FROM auto_recharges auto LEFT JOIN balances USING (account_id)
    WHERE is_ready AND retry_us <= %s AND coalesce(posted_nano, 0) < threshold_nano
        AND coalesce(updated_position, 0) >= balance_from
    ORDER BY auto.position LIMIT %s
"""
_UNDER_WAY: Final = """
    SELECT auto.account_id FROM auto_recharges auto LEFT JOIN orders ON order_id = open_order_id
    WHERE open_order_id IS NOT NULL AND NOT (needs_customer AND status IN ('placed', 'session_open', 'failed'))
    ORDER BY auto.position LIMIT %s
"""


class AutoRecharges:
    """The fold: the account's own."""

    name: ClassVar[str] = "auto_recharges"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_AUTO.table(),)
    topics: ClassVar[frozenset[str]] = _AUTO.topics

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        return _AUTO.fold(connection, schema, facts)


class AutoRechargeReader:
    """The questions: implements `AccountsToRecharge`, with what the read models `balances` and `orders` say."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def low(self, *, now_us: int, limit: int) -> list[LowAccount]:
        try:
            with (
                self._pool.connection() as connection,
                connection.cursor(row_factory=class_row(LowAccount)) as rows,
            ):
                return rows.execute(_LOW, [now_us, limit]).fetchall()
        except UndefinedTable:  # no worker of this version has run yet
            return []

    def under_way(self, *, limit: int) -> list[UUID]:
        try:
            with self._pool.connection() as connection:
                return [account_id for (account_id,) in connection.execute(_UNDER_WAY, [limit])]
        except UndefinedTable:
            return []
