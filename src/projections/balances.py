"""Read model `balances`: what each account was granted and charged, what is held and by which requests, and what is owed.

For showing, and for the scheduler to know which low balances to tell of. Must not be used to decide whether a request may be served or credit lent: it lags
behind the log. The wallet and lease streams decide that.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from application.queries import PAGE_ROWS_MAX, Balance, BalanceWithHolds, OpenHold
from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet, falls_below
from domain.event import Event
from domain.ledger.claim_events import (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.events import (
    AdjustmentPosted,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseReduced,
    LeaseSettled,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.lots import sum_nano
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_BALANCES = Table(
    name="balances",
    key="account_id",
    columns="""
        account_id uuid PRIMARY KEY,
        granted_nano bigint NOT NULL,
        charged_nano bigint NOT NULL,
        expired_nano bigint NOT NULL,
        taken_nano bigint NOT NULL,
        posted_nano bigint NOT NULL
            GENERATED ALWAYS AS (granted_nano - charged_nano - expired_nano - taken_nano) STORED,
        held_nano bigint NOT NULL,
        frozen_nano bigint NOT NULL,
        owed_nano bigint NOT NULL,
        available_nano bigint NOT NULL GENERATED ALWAYS AS
            (granted_nano - charged_nano - expired_nano - taken_nano - held_nano - frozen_nano) STORED,
        open_holds bigint NOT NULL,
        updated_position bigint NOT NULL
    """,
    fillfactor=50,
)
_OPEN_HOLDS = Table(
    name="open_holds",
    key="request_id",
    columns="""
        request_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        lease_id uuid NOT NULL,
        hold_nano bigint NOT NULL,
        since_us bigint NOT NULL
    """,
    indexes=("(account_id)",),
)
_ANY_ACCOUNT = UUID(int=0)  #: in the place of an account: the threshold of all that have none of their own
_THRESHOLDS = Table(
    name="balance_low_thresholds",
    key="account_id",
    columns="account_id uuid PRIMARY KEY, threshold_nano bigint, position bigint NOT NULL",
)
_ALERT = """
    account_id uuid NOT NULL,
    crossed_position bigint NOT NULL,
    threshold_nano bigint NOT NULL,
    balance_nano bigint NOT NULL,
    occurred_us bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (account_id, crossed_position)
"""
_CROSSINGS = Table(name="balance_low_crossings", key="account_id, crossed_position", columns=_ALERT)
_ALERTS = Table(
    name="balance_low_alerts",
    key="account_id, crossed_position",
    columns=_ALERT,
    indexes=("(position)",),
)


class _Account(msgspec.Struct, gc=False):
    account_id: UUID
    granted_nano: int = 0
    charged_nano: int = 0
    expired_nano: int = 0
    taken_nano: int = 0
    held_nano: int = 0
    frozen_nano: int = 0
    owed_nano: int = 0
    open_holds: int = 0
    updated_position: int = 0

    @property
    def posted_nano(self) -> int:
        return self.granted_nano - self.charged_nano - self.expired_nano - self.taken_nano


class _Changes(msgspec.Struct):
    """What a batch does: accounts as they will be; the last word on each request's hold, `None` for ended."""

    accounts: dict[UUID, _Account]
    thresholds: dict[UUID, tuple[int | None, int]]  #: with the position of the setting
    holds: dict[UUID, tuple[object, ...] | None] = {}
    set_: set[UUID] = set()  #: whose threshold was set in this batch
    crossed: dict[tuple[UUID, int], tuple[object, ...]] = {}
    told: dict[tuple[UUID, int], tuple[object, ...]] = {}

    def fold(self, fact: Located) -> None:
        event: Any = fact.event  # each of the kinds below has an account
        if isinstance(event, BalanceLowSet):
            self._set(fact, event)
            return
        if isinstance(event, BalanceLowCrossed):
            self.told[event.account_id, event.crossed_position] = _alert(event, fact.position)
            return
        account = self.accounts.get(event.account_id)
        if account is None:
            account = self.accounts[event.account_id] = _Account(event.account_id)
        if fact.position > account.updated_position:
            before_nano = account.posted_nano
            _FOLDS[type(event)](self, account, event, fact.stream_id)
            account.updated_position = fact.position
            self._compare(fact, account, before_nano, self._threshold_nano(account.account_id))

    def _threshold_nano(self, account_id: UUID) -> int:
        own_nano, _ = self.thresholds.get(account_id, (None, 0))
        if own_nano is not None:
            return own_nano
        return self.thresholds.get(_ANY_ACCOUNT, (None, 0))[0] or 0

    def _set(self, fact: Located, event: BalanceLowSet) -> None:
        """One of an account counts at once, that of all when an account moves next."""
        place = event.account_id or _ANY_ACCOUNT
        if fact.position <= self.thresholds.get(place, (None, 0))[1]:
            return
        account = self.accounts.get(place)
        was_above = account is not None and account.posted_nano >= self._threshold_nano(place)
        self.thresholds[place] = event.threshold_nano, fact.position
        self.set_.add(place)
        if account is not None and account.granted_nano and was_above:
            threshold_nano = self._threshold_nano(place)
            self._compare(fact, account, max(threshold_nano, account.posted_nano), threshold_nano)

    def _compare(self, fact: Located, account: _Account, before_nano: int, threshold_nano: int) -> None:
        after_nano = account.posted_nano
        if falls_below(threshold_nano, before_nano=before_nano, after_nano=after_nano):
            event: Any = fact.event
            key = account.account_id, fact.position
            self.crossed[key] = (*key, threshold_nano, after_nano, event.occurred_us, fact.position)


def _alert(event: BalanceLowCrossed, position: int) -> tuple[object, ...]:
    return (
        event.account_id,
        event.crossed_position,
        event.threshold_nano,
        event.balance_nano,
        event.occurred_us,
        position,
    )


def _granted(_changes: _Changes, account: _Account, event: CreditLotGranted, _wallet_id: UUID) -> None:
    account.granted_nano += event.amount_nano


def _expired(_changes: _Changes, account: _Account, event: CreditLotExpired, _wallet_id: UUID) -> None:
    account.expired_nano += event.amount_nano


def _adjusted(_changes: _Changes, account: _Account, event: AdjustmentPosted, _wallet_id: UUID) -> None:
    if event.direction == "credit":
        account.granted_nano += event.amount_nano
    else:
        account.taken_nano += event.amount_nano


def _voided(_changes: _Changes, account: _Account, event: CreditLotVoided, _wallet_id: UUID) -> None:
    account.taken_nano += event.amount_nano


def _frozen(_changes: _Changes, account: _Account, event: CreditFrozen, _wallet_id: UUID) -> None:
    account.frozen_nano += event.amount_nano


def _unfrozen(_changes: _Changes, account: _Account, event: CreditUnfrozen, _wallet_id: UUID) -> None:
    expired_nano, voided_nano = event.expired_nano or 0, event.voided_nano or 0
    account.frozen_nano -= event.amount_nano + expired_nano + voided_nano
    account.expired_nano += expired_nano
    account.taken_nano += voided_nano


def _taken(_changes: _Changes, account: _Account, event: FrozenCreditTaken, _wallet_id: UUID) -> None:
    account.frozen_nano -= event.amount_nano
    account.taken_nano += event.amount_nano
    account.owed_nano += event.owed_nano


def _restored(_changes: _Changes, account: _Account, event: TakenCreditRestored, _wallet_id: UUID) -> None:
    account.granted_nano += event.amount_nano


def _debt_paid(_changes: _Changes, account: _Account, event: ReceivableSettled, _wallet_id: UUID) -> None:
    account.taken_nano += event.amount_nano
    account.owed_nano -= event.amount_nano


def _given_up(_changes: _Changes, account: _Account, event: ReceivableWrittenOff, _wallet_id: UUID) -> None:
    account.owed_nano -= event.amount_nano


def _came_back(
    _changes: _Changes, account: _Account, event: LeaseReduced | LeaseSettled, _wallet_id: UUID
) -> None:
    account.expired_nano += sum_nano(event.expired or ())
    account.taken_nano += sum_nano(event.voided or ())


def _admitted(changes: _Changes, account: _Account, event: RequestAdmitted, lease_id: UUID) -> None:
    account.held_nano += event.hold_nano
    account.open_holds += 1
    changes.holds[event.request_id] = (
        event.request_id,
        event.account_id,
        lease_id,
        event.hold_nano,
        event.occurred_us,
    )


def _charged(changes: _Changes, account: _Account, event: UsageCharged, lease_id: UUID) -> None:
    account.charged_nano += event.charge_nano
    _ended(changes, account, event, lease_id)


def _ended(
    changes: _Changes,
    account: _Account,
    event: UsageCharged | RequestReleased | RequestAbandoned,
    _lease_id: UUID,
) -> None:
    account.held_nano -= event.hold_nano
    account.open_holds -= 1
    changes.holds[event.request_id] = None


_FOLDS: dict[type[Event], Callable[[_Changes, _Account, Any, UUID], None]] = {
    CreditLotGranted: _granted,
    CreditLotExpired: _expired,
    AdjustmentPosted: _adjusted,
    CreditLotVoided: _voided,
    CreditFrozen: _frozen,
    CreditUnfrozen: _unfrozen,
    FrozenCreditTaken: _taken,
    TakenCreditRestored: _restored,
    ReceivableSettled: _debt_paid,
    ReceivableWrittenOff: _given_up,
    LeaseReduced: _came_back,
    LeaseSettled: _came_back,
    RequestAdmitted: _admitted,
    UsageCharged: _charged,
    RequestReleased: _ended,
    RequestAbandoned: _ended,
}

_LOAD_THRESHOLDS = """
    SELECT account_id, threshold_nano, position FROM {schema}.balance_low_thresholds WHERE account_id = ANY(%s::uuid[])
"""
_STORE_THRESHOLDS = """
    INSERT INTO {schema}.balance_low_thresholds
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) WHERE {moved}
    ON CONFLICT (account_id) DO UPDATE SET threshold_nano = excluded.threshold_nano, position = excluded.position
"""
_STORE_ALERTS = """
    INSERT INTO {schema}.%s
    SELECT * FROM unnest(%%s::uuid[], %%s::bigint[], %%s::bigint[], %%s::bigint[], %%s::bigint[], %%s::bigint[])
    WHERE {moved}
    ON CONFLICT (account_id, crossed_position) DO NOTHING
"""
_LOAD = """
    SELECT account_id, granted_nano, charged_nano, expired_nano, taken_nano, held_nano, frozen_nano, owed_nano, open_holds,
        updated_position
    FROM {schema}.balances WHERE account_id = ANY(%s::uuid[])
"""
_STORE = """
    INSERT INTO {schema}.balances
        (account_id, granted_nano, charged_nano, expired_nano, taken_nano, held_nano, frozen_nano, owed_nano, open_holds,
        updated_position)
    SELECT * FROM unnest(
        %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::bigint[])
    WHERE {moved}
    ON CONFLICT (account_id) DO UPDATE SET
        granted_nano = excluded.granted_nano, charged_nano = excluded.charged_nano,
        expired_nano = excluded.expired_nano, taken_nano = excluded.taken_nano,
        held_nano = excluded.held_nano, frozen_nano = excluded.frozen_nano, owed_nano = excluded.owed_nano,
        open_holds = excluded.open_holds,
        updated_position = excluded.updated_position
"""
_END_HOLDS = "DELETE FROM {schema}.open_holds WHERE request_id = ANY(%s::uuid[]) AND {moved}"
_OPEN = """
    INSERT INTO {schema}.open_holds (request_id, account_id, lease_id, hold_nano, since_us)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[])
    WHERE {moved}
    ON CONFLICT (request_id) DO UPDATE SET
        account_id = excluded.account_id, lease_id = excluded.lease_id,
        hold_nano = excluded.hold_nano, since_us = excluded.since_us
"""


class Balances:
    """The fold. Each row remembers the newest event in it, so an event counts once however often it comes."""

    name: ClassVar[str] = "balances"
    version: ClassVar[int] = 5
    tables: ClassVar[tuple[Table, ...]] = (_BALANCES, _OPEN_HOLDS, _THRESHOLDS, _CROSSINGS, _ALERTS)
    topics: ClassVar[frozenset[str]] = topics_of((*_FOLDS, BalanceLowSet, BalanceLowCrossed))

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        touched = {fact.event.account_id or _ANY_ACCOUNT for fact in facts}  # type: ignore[attr-defined]  # all kinds have one
        wanted = array_literal(list(touched | {_ANY_ACCOUNT}))
        thresholds = connection.execute(_LOAD_THRESHOLDS.format(schema=schema), [wanted])
        known = {
            account_id: (threshold_nano, position) for account_id, threshold_nano, position in thresholds
        }
        loaded = connection.execute(_LOAD.format(schema=schema), [wanted])
        changes = _Changes({row[0]: _Account(*row) for row in loaded}, known)
        for fact in facts:
            changes.fold(fact)
        return list(_writes(changes))


def _writes(changes: _Changes) -> Iterator[Write]:
    if changes.accounts:
        yield Write(_STORE, column_literals(map(msgspec.structs.astuple, changes.accounts.values())))
    ended = [request_id for request_id, hold in changes.holds.items() if hold is None]
    if ended:
        yield Write(_END_HOLDS, [array_literal(ended)])
    opened = [hold for hold in changes.holds.values() if hold is not None]
    if opened:
        yield Write(_OPEN, column_literals(opened))
    if changes.set_:
        rows = [(account_id, *changes.thresholds[account_id]) for account_id in changes.set_]
        yield Write(_STORE_THRESHOLDS, column_literals(rows))
    for table, alerts in ((_CROSSINGS, changes.crossed), (_ALERTS, changes.told)):
        if alerts:
            yield Write(_STORE_ALERTS % table.name, column_literals(alerts.values()))


_BALANCE = """
    SELECT account_id, granted_nano, charged_nano, expired_nano, taken_nano, posted_nano, held_nano, frozen_nano,
        owed_nano, available_nano, open_holds, updated_position
    FROM balances
"""
_HOLD = "SELECT request_id, account_id, lease_id, hold_nano, since_us FROM open_holds"


def select_all(connection: Connection) -> Iterable[Balance]:
    """Every balance, for `ledger verify`."""
    return connection.cursor(row_factory=class_row(Balance)).execute(_BALANCE)


def select_open_holds(connection: Connection) -> Iterable[OpenHold]:
    """Every open hold, for `ledger verify`."""
    return connection.cursor(row_factory=class_row(OpenHold)).execute(_HOLD)


class BalanceReader:
    """The queries: implements `application.queries.BalanceQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def balance(self, account_id: UUID) -> Balance | None:
        with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Balance)) as rows:
            return rows.execute(f"{_BALANCE} WHERE account_id = %s", [account_id]).fetchone()

    def balance_with_holds(self, account_id: UUID, *, holds_max: int = 100) -> BalanceWithHolds | None:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            balances = connection.cursor(row_factory=class_row(Balance))
            balance = balances.execute(f"{_BALANCE} WHERE account_id = %s", [account_id]).fetchone()
            if balance is None:
                return None
            holds = connection.cursor(row_factory=class_row(OpenHold)).execute(
                f"{_HOLD} WHERE account_id = %s ORDER BY since_us, request_id LIMIT %s",
                [account_id, min(holds_max, PAGE_ROWS_MAX)],
            )
            return BalanceWithHolds(balance=balance, holds=tuple(holds))

    def balances(self, *, after: UUID | None = None, limit: int = 100) -> tuple[Balance, ...]:
        return self._page("account_id > %s", after, limit)

    def debts(self, *, after: UUID | None = None, limit: int = 100) -> tuple[Balance, ...]:
        return self._page("owed_nano > 0 AND account_id > %s", after, limit)

    def _page(self, condition: str, after: UUID | None, limit: int) -> tuple[Balance, ...]:
        with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Balance)) as rows:
            statement = f"{_BALANCE} WHERE {condition} ORDER BY account_id LIMIT %s"
            return tuple(rows.execute(statement, [after or UUID(int=0), min(limit, PAGE_ROWS_MAX)]))

    def balances_of(self, account_ids: Sequence[UUID]) -> dict[UUID, Balance]:
        statement = f"{_BALANCE} WHERE account_id = ANY(%s::uuid[])"
        with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Balance)) as rows:
            found = rows.execute(statement, [array_literal(account_ids)])
            return {balance.account_id: balance for balance in found}

    def open_holds(
        self, *, account_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> tuple[OpenHold, ...]:
        of_account = "" if account_id is None else "AND account_id = %(account_id)s"
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(OpenHold)) as rows,
        ):
            return tuple(
                rows.execute(
                    f"{_HOLD} WHERE request_id > %(after)s {of_account} ORDER BY request_id LIMIT %(limit)s",
                    {
                        "account_id": account_id,
                        "after": after or UUID(int=0),
                        "limit": min(limit, PAGE_ROWS_MAX),
                    },
                )
            )
