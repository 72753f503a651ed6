"""Read model `money`: the accounts of each currency's books, and what does not agree with the payment providers' lists.

For reconciling, alarms and showing. Must not be used to decide about money: it lags behind the log.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
from psycopg.errors import UndefinedTable
from psycopg.rows import class_row

from application.money.queries import MoneyBalance, MoneyBalances, OpenItem, OpenItems
from application.queries import PAGE_ROWS_MAX, clean
from domain.event import Event
from domain.money.events import PAYMENTS, PAYOUT, PayoutReconciled, PspLineRecorded
from domain.money.postings import CURRENT_MONEY_RULES, ledger_of, load_money_rules, money_postings
from domain.recharge.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    ExternalRefundObserved,
    RechargeCredited,
    RefundSucceeded,
)
from domain.recharge.order import BY_TRANSFER
from domain.refusal import BadField
from projections import generations
from projections.arrays import array_literal, column_literals
from projections.books import Books, mark_table
from projections.projection import Connection, Located, Pool, Table, Write
from projections.sums import TEXT, SumTable

_BALANCES: Final = SumTable(
    name="money_balances", key={"ledger": TEXT, "name": TEXT}, sums=("balance_minor",)
)
_OPEN: Final = Table(
    name="money_open",
    key="kind, provider, ledger, ref",
    columns=f"""
        kind {TEXT} NOT NULL,
        provider {TEXT} NOT NULL,
        ledger {TEXT} NOT NULL,
        ref {TEXT} NOT NULL,
        amount_minor bigint NOT NULL,
        words {TEXT} NOT NULL,
        since_us bigint NOT NULL,
        order_id uuid,
        PRIMARY KEY (kind, provider, ledger, ref)
    """,
    indexes=("(since_us)",),
)
_OPEN_ITEMS: Final = """
    SELECT kind, provider, ref, ledger, amount_minor, words, since_us, order_id FROM money_open
    WHERE (since_us, kind, provider, ledger, ref) > (%s, %s, %s, %s, %s)
    ORDER BY since_us, kind, provider, ledger, ref LIMIT %s
"""
_STORE_OPEN: Final = """
    INSERT INTO {schema}.money_open
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::uuid[])
    WHERE {moved}
    ON CONFLICT DO NOTHING
"""
_CLOSE: Final = """
    DELETE FROM {schema}.money_open AS open
    USING unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS line (kind, provider, ledger, ref)
    WHERE open.kind = line.kind AND open.provider = line.provider AND open.ledger = line.ledger AND open.ref = line.ref
        AND {moved}
"""
_Place = tuple[str, str, str, str]
_Open = dict[_Place, tuple[object, ...]]


class Money:
    """The fold. What an order tells of is open until the provider's line of it is there; a line that none tells of stays open."""

    name: ClassVar[str] = "money"
    version: ClassVar[int] = 200 + CURRENT_MONEY_RULES  #: other rules are another fold
    tables: ClassVar[tuple[Table, ...]] = (_BALANCES.table(), _OPEN, mark_table("money"))
    topics: ClassVar[frozenset[str]] = frozenset(load_money_rules().rules) | {PayoutReconciled.TOPIC}

    def __init__(self) -> None:
        self._rules = load_money_rules()

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        sums: dict[tuple[str, str], list[int]] = {}
        opened: _Open = {}
        closed: set[_Place] = set()
        for booked in books.unseen(facts):
            event = booked.fact.event
            for posting in money_postings(self._rules, event):
                sums.setdefault((posting.ledger, clean(posting.debit)), [0])[0] -= posting.amount_minor
                sums.setdefault((posting.ledger, clean(posting.credit)), [0])[0] += posting.amount_minor
            if isinstance(event, PspLineRecorded):
                _line(event, opened, closed)
            elif isinstance(event, PayoutReconciled):
                _close(_payout(event), opened, closed)
            else:
                opened |= _awaited(event)
        return [*_BALANCES.add(sums), *_open_writes(opened, closed), *([books.mark()] if facts else [])]


def _awaited(event: Event) -> _Open:
    """A line that the provider's list must have: of a payment, a refund, or money that a dispute moved."""
    match event:
        case RechargeCredited():
            kind, ref, minor, mode = "payment", event.payment_ref, event.gross_minor, event.mode
        case RefundSucceeded() | ExternalRefundObserved():
            kind, ref, minor, mode = "refund", event.refund_ref, -event.amount_minor, event.mode or "live"
        case DisputeFundsWithdrawn() | DisputeFundsReinstated():
            sign = -1 if isinstance(event, DisputeFundsWithdrawn) else 1
            kind, ref, minor, mode = (
                "dispute",
                event.transaction_ref,
                sign * event.amount_minor,
                event.mode or "live",
            )
        case _:
            return {}
    if event.provider in BY_TRANSFER:
        return {}
    place = (kind, event.provider, ledger_of(event.currency, mode), ref)
    return {place: (*place, minor, "", event.occurred_us, event.order_id)}


def _payout(line: PspLineRecorded | PayoutReconciled) -> _Place:
    return "payout", line.provider, ledger_of(line.currency, line.mode), line.line_ref


def _close(place: _Place, opened: _Open, closed: set[_Place]) -> None:
    if opened.pop(place, None) is None:
        closed.add(place)


def _line(line: PspLineRecorded, opened: _Open, closed: set[_Place]) -> None:
    ledger = ledger_of(line.currency, line.mode)
    if line.kind == PAYOUT:
        opened[_payout(line)] = (*_payout(line), line.gross_minor, line.kind, line.created_us, None)
        return
    if line.other_minor:
        place = ("line", line.provider, ledger, line.line_ref)
        opened[place] = (*place, line.other_minor, line.kind, line.created_us, None)
        return
    told = [("dispute", line.line_ref), ("refund", line.object_ref or "")]
    if line.kind in PAYMENTS:
        told.append(("payment", line.source_ref))
    for kind, ref in told:
        _close((kind, line.provider, ledger, ref), opened, closed)


def _open_writes(opened: _Open, closed: set[_Place]) -> list[Write]:
    writes = []
    if opened:
        rows = [
            [clean(value) if isinstance(value, str) else value for value in row] for row in opened.values()
        ]
        writes.append(Write(_STORE_OPEN, column_literals(rows)))
    if closed:
        writes.append(Write(_CLOSE, [array_literal(column) for column in zip(*sorted(closed), strict=True)]))
    return writes


class MoneyReader:
    """The questions: implements `application.money.queries.MoneyQueries` and `PayoutsOpen`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def balances(self) -> MoneyBalances:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.execute(
                "SELECT ledger, name, balance_minor FROM money_balances WHERE balance_minor <> 0 ORDER BY ledger, name"
            )
            items = tuple(
                MoneyBalance(ledger=ledger, name=name, balance_minor=balance)
                for ledger, name, balance in rows
            )
            position = generations.require(connection, Money.name).position
        return MoneyBalances(position=position, items=items, next_after=None)

    def open_items(self, *, after: str | None = None, limit: int = 100) -> OpenItems:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(OpenItem)) as rows,
        ):
            found = rows.execute(_OPEN_ITEMS, [*_begin(after), size + 1]).fetchall()
        return OpenItems(
            items=tuple(found[:size]), next_after=_cursor(found[size - 1]) if len(found) > size else None
        )

    def open_payouts(self, provider: str, *, mode: str, limit: int) -> list[str]:
        statement = (
            "SELECT ref FROM money_open WHERE kind = 'payout' AND provider = %s AND (ledger LIKE '%% %%') = %s "
            "ORDER BY since_us, ref LIMIT %s"
        )
        try:
            with self._pool.connection() as connection:
                found = connection.execute(statement, [provider, mode != "live", limit])
                return [ref for (ref,) in found]
        except UndefinedTable:  # no worker of this version has run yet
            return []


def _cursor(item: OpenItem) -> str:
    """What stands for an item in an `after`: when it began, and its key."""
    return msgspec.json.encode([item.since_us, item.kind, item.provider, item.ledger, item.ref]).decode()


def _begin(after: str | None) -> tuple[int, str, str, str, str]:
    if after is None:
        return (-1, "", "", "", "")
    try:
        since_us, kind, provider, ledger, ref = msgspec.json.decode(
            after, type=tuple[int, str, str, str, str]
        )
    except msgspec.DecodeError:
        raise BadField("after", "must be the next_after of a page") from None
    return since_us, clean(kind), clean(provider), clean(ledger), clean(ref)
