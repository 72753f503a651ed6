"""What goes back of orders, from the read model `orders`, which keeps each order whole: implements `ReturnQueries`."""

from typing import Final

import msgspec

from application.queries import PAGE_ROWS_MAX
from application.recharge.returns import ReturnFilter, ReturnPage, rows_of
from domain.recharge.order import Order
from projections.projection import Pool

_OPEN: Final = "(waits_for_approval OR refunds_under_way OR disputes_open)"
_LIST: Final = f"""
    SELECT placed_position, state FROM orders
    WHERE has_returns AND (NOT %(open)s OR {_OPEN}) AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
        AND (%(before)s::bigint IS NULL OR placed_position < %(before)s)
    ORDER BY placed_position DESC LIMIT %(limit)s
"""  # noqa: S608  # our own names


class ReturnReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def returns(
        self, wanted: ReturnFilter, *, before_position: int | None = None, limit: int = 100
    ) -> ReturnPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        values = {
            "open": wanted.is_open,
            "account": wanted.account_id,
            "before": before_position,
            "limit": size + 1,
        }
        with self._pool.connection() as connection:
            found = connection.execute(_LIST, values).fetchall()
        orders = (msgspec.json.decode(state, type=Order) for _, state in found[:size])
        rows = (row for order in orders for row in rows_of(order))
        return ReturnPage(
            items=tuple(row for row in rows if row.is_open or not wanted.is_open),
            next_before=found[size - 1][0] if len(found) > size else None,
        )
