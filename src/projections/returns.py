"""What goes back of orders, from the read model `orders`, which keeps each order whole: implements `ReturnQueries`."""

from typing import Final

import msgspec

from application.queries import PAGE_ROWS_MAX, clean
from application.recharge.returns import ReturnFilter, ReturnPage, ReturnRow, rows_of
from domain.recharge.order import Order
from projections.projection import Connection, Pool

#: So many times as many orders as a page may have are looked through for what its filter lets through.
_TURNS_MAX: Final = 20
_OPEN: Final = "(waits_for_approval OR refunds_under_way OR disputes_open)"
_LIST: Final = f"""
    SELECT placed_position, state FROM orders
    WHERE has_returns AND (NOT %(open)s OR {_OPEN}) AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
        AND (%(order)s::uuid IS NULL OR order_id = %(order)s)
        AND (%(provider)s::text IS NULL OR provider = %(provider)s)
        AND (%(before)s::bigint IS NULL OR placed_position < %(before)s)
    ORDER BY placed_position DESC LIMIT %(limit)s
"""  # noqa: S608  # our own names
_Found = list[tuple[int, tuple[ReturnRow, ...]]]


class ReturnReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def returns(
        self, wanted: ReturnFilter, *, before_position: int | None = None, limit: int = 100
    ) -> ReturnPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        found: _Found = []
        at = before_position
        with self._pool.connection() as connection:
            for _ in range(_TURNS_MAX):
                orders, at = _turn(connection, wanted, before=at, size=size)
                found += orders
                if at is None or len(found) >= size:
                    break
        if len(found) > size:
            at = found[size - 1][0]
        return ReturnPage(items=tuple(row for _, rows in found[:size] for row in rows), next_before=at)


def _turn(
    connection: Connection, wanted: ReturnFilter, *, before: int | None, size: int
) -> tuple[_Found, int | None]:
    """Of the next orders those of which the filter lets something through, and where to go on; None at the end."""
    values = {
        "open": wanted.is_open,
        "account": wanted.account_id,
        "order": wanted.order_id,
        "provider": None if wanted.provider is None else clean(wanted.provider),
        "before": before,
        "limit": size + 1,
    }
    rows: list[tuple[int, str]] = connection.execute(_LIST, values).fetchall()
    allowed = ((position, _allowed(state, wanted)) for position, state in rows[:size])
    return [one for one in allowed if one[1]], rows[size - 1][0] if len(rows) > size else None


def _allowed(state: str, wanted: ReturnFilter) -> tuple[ReturnRow, ...]:
    order = msgspec.json.decode(state, type=Order)
    return tuple(row for row in rows_of(order) if wanted.allows(row))
