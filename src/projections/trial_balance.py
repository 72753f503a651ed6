"""Read model `trial_balance`: every account of the books that is not zero, and a digest of them at the end of each day.

For closing periods, for alarms and for showing. Must not be used to decide about money: it lags behind the log. Days are
those of UTC; one on which nothing moved has no row. Implements `application.reports.trial_balance.Books`.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import msgspec

from application.queries import PAGE_ROWS_MAX, clean
from application.reports.period import DAY_US
from application.reports.trial_balance import AccountBalance, BooksBehind, TrialBalancePage
from domain.ledger.postings import CURRENT_RULES, load_rules, postings
from domain.periods import TrialBalanceSeal, trial_balance_sha256
from projections import generations
from projections.arrays import array_literal, column_literals
from projections.books import MOVING, Booked, Books, mark_table
from projections.projection import Connection, Located, Pool, Table, Write
from projections.sums import Cleaned

_BALANCES: Final = Table(
    name="trial_balance",
    key="name",
    columns='name text COLLATE "C" PRIMARY KEY, balance_nano numeric(38, 0) NOT NULL',
    fillfactor=50,
)
_DAYS: Final = Table(
    name="trial_balance_days",
    key="until_us",
    columns="until_us bigint PRIMARY KEY, position bigint NOT NULL, accounts bigint NOT NULL, sha256 text NOT NULL",
)
_LOAD: Final = "SELECT name, balance_nano FROM {schema}.trial_balance"
_STORE: Final = """
    INSERT INTO {schema}.trial_balance SELECT * FROM unnest(%s::text[], %s::numeric[]) WHERE {moved}
    ON CONFLICT (name) DO UPDATE SET balance_nano = excluded.balance_nano
"""
_REMOVE: Final = "DELETE FROM {schema}.trial_balance WHERE name = ANY(%s::text[]) AND {moved}"
_STORE_DAYS: Final = """
    INSERT INTO {schema}.trial_balance_days
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) WHERE {moved}
    ON CONFLICT (until_us) DO NOTHING
"""


class _Movement(msgspec.Struct, frozen=True, gc=False):
    """What one fact does to the accounts."""

    position: int
    booked_us: int
    changes: tuple[tuple[str, int], ...]


class _Day(msgspec.Struct, frozen=True):
    """A row of `trial_balance_days`."""

    until_us: int
    position: int
    accounts: int
    sha256: str


class TrialBalances:
    """The fold."""

    name: ClassVar[str] = "trial_balance"
    version: ClassVar[int] = 100 + CURRENT_RULES  #: other rules are another fold
    tables: ClassVar[tuple[Table, ...]] = (_BALANCES, _DAYS, mark_table("trial_balance"))
    topics: ClassVar[frozenset[str]] = MOVING

    def __init__(self) -> None:
        self._rules = load_rules()

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        until_us, position = _day_end(books.booked_us), books.position
        texts = Cleaned()
        movements = [self._movement(booked, texts) for booked in books.unseen(facts)]
        crosses = _day_end(books.booked_us) > until_us
        names = {name for movement in movements for name, _ in movement.changes}
        before = _load(connection, schema, None if crosses else names)
        balances, days = dict(before), []
        for movement in movements:
            if movement.booked_us >= until_us:
                if position:
                    days.append(_day(until_us, position, balances))
                until_us = _day_end(movement.booked_us)
            for name, change_nano in movement.changes:
                balances[name] = balances.get(name, 0) + change_nano
            position = movement.position
        return [*_writes({name: balances[name] for name in names}, days), books.mark()]

    def _movement(self, booked: Booked, texts: Cleaned) -> _Movement:
        changes: list[tuple[str, int]] = []
        for posting in postings(self._rules, booked.fact.event, stream_id=booked.fact.stream_id):
            changes.append((texts[posting.debit], -posting.amount_nano))
            changes.append((texts[posting.credit], posting.amount_nano))
        return _Movement(booked.fact.position, booked.booked_us, tuple(changes))


def _day_end(time_us: int) -> int:
    return time_us - time_us % DAY_US + DAY_US


def _day(until_us: int, position: int, balances: dict[str, int]) -> _Day:
    accounts = sum(1 for balance_nano in balances.values() if balance_nano)
    return _Day(until_us, position, accounts, trial_balance_sha256(balances))


def _load(connection: Connection, schema: str, names: Iterable[str] | None) -> dict[str, int]:
    """Balances of these names, or of all."""
    statement = _LOAD.format(schema=schema)
    if names is None:
        rows = connection.execute(statement)
    else:
        rows = connection.execute(f"{statement} WHERE name = ANY(%s::text[])", [array_literal(list(names))])
    return {name: int(balance_nano) for name, balance_nano in rows}


def _writes(balances: dict[str, int], days: Sequence[_Day]) -> Iterable[Write]:
    kept = [(name, balance_nano) for name, balance_nano in balances.items() if balance_nano]
    if kept:
        yield Write(_STORE, column_literals(kept))
    empty = [name for name, balance_nano in balances.items() if not balance_nano]
    if empty:
        yield Write(_REMOVE, [array_literal(empty)])
    if days:
        yield Write(_STORE_DAYS, column_literals(map(msgspec.structs.astuple, days)))


class BooksReader:
    """The questions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def seal(self, *, until_us: int, head_position: int) -> TrialBalanceSeal:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            mark = connection.execute("SELECT position, booked_us FROM trial_balance_mark").fetchone() or (
                0,
                0,
            )
            position, version = _standing(connection)
            is_whole = mark[1] >= until_us or position >= head_position
            if version != TrialBalances.version or not is_whole:
                raise BooksBehind("the books do not reach the end of the period yet")
            if mark[1] >= until_us:
                return _stored(connection, until_us)
            balances = _load(connection, "public", None)
            return TrialBalanceSeal(
                position=mark[0],
                rules_version=CURRENT_RULES,
                accounts=len(balances),
                sha256=trial_balance_sha256(balances),
            )

    def trial_balance(self, *, after: str = "", limit: int = 100) -> TrialBalancePage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.execute(
                "SELECT name, balance_nano FROM trial_balance WHERE name > %s ORDER BY name LIMIT %s",
                [clean(after), size + 1],
            )
            found = [AccountBalance(name=name, balance_nano=int(balance)) for name, balance in rows]
            return TrialBalancePage(
                position=_standing(connection)[0],
                items=tuple(found[:size]),
                next_after=found[size - 1].name if len(found) > size else None,
            )

    def account(self, name: str) -> tuple[int, int] | None:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute(
                "SELECT balance_nano FROM trial_balance WHERE name = %s", [clean(name)]
            ).fetchone()
            return None if row is None else (_standing(connection)[0], int(row[0]))


def _stored(connection: Connection, until_us: int) -> TrialBalanceSeal:
    """The newest day that ended by then; without one, nothing had moved."""
    row = connection.execute(
        "SELECT position, accounts, sha256 FROM trial_balance_days WHERE until_us <= %s "
        "ORDER BY until_us DESC LIMIT 1",
        [until_us],
    ).fetchone()
    position, accounts, sha256 = row or (0, 0, trial_balance_sha256({}))
    return TrialBalanceSeal(position=position, rules_version=CURRENT_RULES, accounts=accounts, sha256=sha256)


def _standing(connection: Connection) -> tuple[int, int]:
    """Its position, and the version of its tables."""
    standing = generations.require(connection, TrialBalances.name)
    return standing.position, standing.version
