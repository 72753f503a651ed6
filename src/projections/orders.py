"""Read model `orders`: every order of credit and how it stands.

For lists, and for the scheduler to know which orders to look at. Must not be used to decide what becomes of an order or of
money: it lags behind the log. The order's stream decides that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg.rows import dict_row

from application.queries import PAGE_ROWS_MAX, clean
from application.recharge.queries import OrderFilter, OrderPage, OrderRow
from domain.recharge.events import ORDER_EVENTS
from domain.recharge.order import BY_TRANSFER, Order, evolve
from projections.arrays import array_literal, column_literals
from projections.folded import state_text
from projections.projection import Connection, Located, Pool, Table, Write, topics_of
from projections.sums import TEXT

_FIRST: Final = UUID(int=0)
_WAITING: Final = ("placed", "session_open", "failed")
_ENDED: Final = ("cancelled", "expired")
#: So long after its end a customer may still have paid on a page that was open.
_ENDED_US: Final = 3 * 24 * 3600 * 1_000_000
_ORDERS: Final = Table(
    name="orders",
    key="order_id",
    columns=f"""
        order_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        provider {TEXT} NOT NULL,
        mode {TEXT} NOT NULL,
        status {TEXT} NOT NULL,
        amount_minor bigint NOT NULL,
        currency {TEXT} NOT NULL,
        exponent integer NOT NULL,
        credits_nano bigint NOT NULL,
        credited_nano bigint NOT NULL,
        credited_us bigint,
        refunded_minor bigint NOT NULL,
        disputed_minor bigint NOT NULL,
        owed_minor bigint NOT NULL,
        reference {TEXT} NOT NULL,
        waits_for_approval boolean NOT NULL,
        mismatched boolean NOT NULL,
        refunds_under_way boolean NOT NULL,
        disputes_open boolean NOT NULL,
        refund_wanted boolean NOT NULL,
        placed_us bigint NOT NULL,
        expires_us bigint NOT NULL,
        placed_position bigint NOT NULL,
        updated_position bigint NOT NULL,
        state text NOT NULL,
        has_returns boolean NOT NULL
    """,
    fillfactor=80,
    indexes=(
        "(placed_position)",
        "(account_id, placed_position)",
        "(expires_us)",
        "(reference)",
        "(updated_position) WHERE refunds_under_way",
        "(order_id) WHERE disputes_open",
        "(placed_position) WHERE has_returns",
    ),
)
_NAMES: Final = OrderRow.__struct_fields__
_KINDS: Final = (
    *("uuid", "uuid", "text", "text", "text", "bigint", "text", "integer", "bigint"),
    *("bigint", "bigint", "bigint", "bigint", "bigint", "text"),
    *("boolean", "boolean", "boolean", "boolean", "boolean", "bigint", "bigint", "bigint", "bigint"),
    *("text", "boolean"),
)
_LOAD: Final = "SELECT order_id, state, placed_position, updated_position FROM {schema}.orders WHERE order_id = ANY(%s::uuid[])"
_STORE: Final = (
    "INSERT INTO {schema}.orders SELECT * FROM unnest("  # noqa: S608  # our own names
    + ", ".join(f"%s::{kind}[]" for kind in _KINDS)
    + ") WHERE {moved} ON CONFLICT (order_id) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}" for name in (*_NAMES, "state", "has_returns") if name != "order_id"
    )
)


class _Known(msgspec.Struct):
    """An order as far as it is folded. It is kept whole beside its row, so that a later fact finds it."""

    order: Order | None = None
    placed_position: int = 0
    position: int = 0


class Orders:
    """The fold: the order's own, and what is shown of it."""

    name: ClassVar[str] = "orders"
    version: ClassVar[int] = 7
    tables: ClassVar[tuple[Table, ...]] = (_ORDERS,)
    topics: ClassVar[frozenset[str]] = topics_of(ORDER_EVENTS)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        if not facts:
            return []
        known = _load(connection, schema, {_order_id(fact) for fact in facts})
        changed: dict[UUID, _Known] = {}
        for fact in facts:
            one = known.setdefault(_order_id(fact), _Known())
            if fact.position <= one.position:
                continue
            event: Any = fact.event
            one.order = evolve(one.order, event)
            one.placed_position = one.placed_position or fact.position
            one.position = fact.position
            changed[_order_id(fact)] = one
        if not changed:
            return []
        return [Write(_STORE, column_literals(_row(one) for one in changed.values()))]


def _order_id(fact: Located) -> UUID:
    event: Any = fact.event
    order_id: UUID = event.order_id
    return order_id


def _load(connection: Connection, schema: str, order_ids: set[UUID]) -> dict[UUID, _Known]:
    rows = connection.execute(_LOAD.format(schema=schema), [array_literal(sorted(order_ids))])
    return {
        order_id: _Known(msgspec.json.decode(state, type=Order), placed_position, position)
        for order_id, state, placed_position, position in rows
    }


def _row(known: _Known) -> tuple[object, ...]:
    order = known.order
    assert order is not None, "a fact was folded"
    placed, credited = order.placed, order.credited
    return (
        placed.order_id,
        placed.account_id,
        placed.provider,
        placed.mode,
        order.status,
        placed.amount_minor,
        placed.currency,
        placed.exponent,
        placed.credits_nano,
        credited.credits_nano if credited else 0,
        credited.occurred_us if credited else None,
        order.refunded_minor,
        order.taken_minor - order.refunded_minor,
        order.owed_minor,
        placed.reference,
        order.waits_for_second,
        "mismatched" in order.payments.values(),
        order.refunds_under_way,
        order.disputes_open,
        order.open_request is not None,
        placed.occurred_us,
        placed.expires_us,
        known.placed_position,
        known.position,
        state_text(order),
        bool(order.refunds or order.external or order.disputes),
    )


_CONDITIONS: Final = {
    "account_id": "account_id = %s",
    "status": "status = %s",
    "provider": "provider = %s",
    "reference": "reference = %s",
}
_NEEDY: Final = "(waits_for_approval OR mismatched OR refund_wanted OR status = 'disputed')"


class OrderReader:
    """The questions: implements `OrderQueries`, `OrdersThatEnd`, `OrdersThatWait`, `RefundsUnderWay` and `DisputesOpen`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def orders(
        self, wanted: OrderFilter, *, before_position: int | None = None, limit: int = 100
    ) -> OrderPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        conditions, values = _where(wanted)
        if before_position is not None:
            conditions.append("placed_position < %s")
            values.append(before_position)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        found = self._rows(f"{where} ORDER BY placed_position DESC LIMIT %s", [*values, size + 1])
        return OrderPage(
            items=tuple(found[:size]),
            next_before=found[size - 1].placed_position if len(found) > size else None,
        )

    def order(self, order_id: UUID) -> OrderRow | None:
        return next(iter(self._rows(" WHERE order_id = %s", [order_id])), None)

    def orders_due(self, *, now_us: int, limit: int) -> list[UUID]:
        statement = (
            "SELECT order_id FROM orders WHERE expires_us <= %s AND status = ANY(%s) AND NOT waits_for_approval "
            "ORDER BY expires_us LIMIT %s"
        )
        try:
            with self._pool.connection() as connection:
                rows = connection.execute(statement, [now_us, list(_WAITING), limit])
                return [order_id for (order_id,) in rows]
        except UndefinedTable:  # no worker of this version has run yet
            return []

    def orders_waiting(self, provider: str, *, now_us: int, limit: int) -> list[UUID]:
        statement = (
            "SELECT order_id FROM orders WHERE provider = %s AND (status = ANY(%s) OR (status = ANY(%s) AND expires_us > %s)) "
            "ORDER BY placed_position DESC LIMIT %s"
        )
        values = [provider, [*_WAITING, "processing"], list(_ENDED), now_us - _ENDED_US, limit]
        try:
            with self._pool.connection() as connection:
                return [order_id for (order_id,) in connection.execute(statement, values)]
        except UndefinedTable:
            return []

    def orders_with_refunds(self, *, limit: int) -> list[UUID]:
        statement = "SELECT order_id FROM orders WHERE refunds_under_way AND provider <> ALL(%s) ORDER BY updated_position LIMIT %s"
        try:
            with self._pool.connection() as connection:
                return [
                    order_id for (order_id,) in connection.execute(statement, [sorted(BY_TRANSFER), limit])
                ]
        except (UndefinedTable, UndefinedColumn):  # no worker of this version has run yet
            return []

    def orders_disputed(self, provider: str, *, after: UUID | None, limit: int) -> list[UUID]:
        statement = "SELECT order_id FROM orders WHERE disputes_open AND provider = %s AND order_id > %s ORDER BY order_id LIMIT %s"
        try:
            with self._pool.connection() as connection:
                rows = connection.execute(statement, [provider, after or _FIRST, limit])
                return [order_id for (order_id,) in rows]
        except (UndefinedTable, UndefinedColumn):  # no worker of this version has run yet
            return []

    def _rows(self, rest: str, values: Sequence[object]) -> list[OrderRow]:
        statement = f"SELECT {', '.join(_NAMES)} FROM orders{rest}"  # noqa: S608  # our own names
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
            return [OrderRow(**row) for row in rows.execute(statement, values)]


def _where(wanted: OrderFilter) -> tuple[list[str], list[object]]:
    fields = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    values: list[object] = [clean(value) if isinstance(value, str) else value for value in fields.values()]
    conditions = [_CONDITIONS[name] for name in fields]
    if wanted.needs_somebody is not None:
        conditions.append(_NEEDY if wanted.needs_somebody else f"NOT {_NEEDY}")
    return conditions, values
