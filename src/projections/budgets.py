"""Read model `budgets`: what is spent and held of each budget by bucket, and where a window came to a share of its budget.

For showing, and for the scheduler to know which alerts to raise. Must not be used to refuse anything: shares in leases do.
A request counts in the buckets that its admission names.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from domain.budgets import budget as rules
from domain.budgets.budget import Budget
from domain.budgets.events import BudgetAlertRaised, BudgetRemoved, BudgetSet
from domain.budgets.window import HOUR_US, HOURS_MAX, bucket_at
from domain.event import Event
from domain.ledger.events import RequestAbandoned, RequestAdmitted, RequestReleased, UsageCharged
from domain.ledger.shares import BudgetBucket
from projections.arrays import array_literal, column_literals
from projections.books import Books, mark_table
from projections.projection import Connection, Located, Table, Write, topics_of

_BUDGETS = Table(
    name="budgets",
    key="budget_id",
    columns="""
        budget_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        key_id uuid,
        removed boolean NOT NULL,
        budget text NOT NULL
    """,
    indexes=("(account_id)",),
)
_USES = Table(
    name="budget_uses",
    key="budget_id, bucket_us",
    columns="""
        budget_id uuid NOT NULL,
        bucket_us bigint NOT NULL,
        spent_nano bigint NOT NULL,
        held_nano bigint NOT NULL,
        requests bigint NOT NULL,
        PRIMARY KEY (budget_id, bucket_us)
    """,
    fillfactor=50,
)
_HOLDS = Table(
    name="budget_holds",
    key="request_id",
    columns="request_id uuid PRIMARY KEY, hold_nano bigint NOT NULL, buckets text NOT NULL",
)
_ALERT = """
    budget_id uuid NOT NULL,
    bucket_us bigint NOT NULL,
    percent bigint NOT NULL,
    amount_nano bigint NOT NULL,
    spent_nano bigint NOT NULL,
    position bigint NOT NULL,
    occurred_us bigint NOT NULL,
    PRIMARY KEY (budget_id, bucket_us, percent, amount_nano)
"""
_CROSSINGS = Table(name="budget_crossings", key="budget_id, bucket_us, percent, amount_nano", columns=_ALERT)
_ALERTS = Table(
    name="budget_alerts",
    key="budget_id, bucket_us, percent, amount_nano",
    columns=_ALERT,
    indexes=("(position)",),
)

_LOAD_HOLDS = (
    "SELECT request_id, hold_nano, buckets FROM {schema}.budget_holds WHERE request_id = ANY(%s::uuid[])"
)
_LOAD_BUDGETS = "SELECT budget_id, budget FROM {schema}.budgets WHERE budget_id = ANY(%s::uuid[])"
_LOAD_USES = """
    SELECT budget_id, bucket_us, spent_nano, held_nano, requests FROM {schema}.budget_uses
    WHERE budget_id = ANY(%s::uuid[]) AND bucket_us >= %s
"""
_STORE_BUDGETS = """
    INSERT INTO {schema}.budgets
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::boolean[], %s::text[]) WHERE {moved}
    ON CONFLICT (budget_id) DO UPDATE SET removed = excluded.removed, budget = excluded.budget
"""
_STORE_USES = """
    INSERT INTO {schema}.budget_uses
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) WHERE {moved}
    ON CONFLICT (budget_id, bucket_us) DO UPDATE SET
        spent_nano = excluded.spent_nano, held_nano = excluded.held_nano, requests = excluded.requests
"""
_STORE_HOLDS = """
    INSERT INTO {schema}.budget_holds SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[]) WHERE {moved}
    ON CONFLICT (request_id) DO NOTHING
"""
_END_HOLDS = "DELETE FROM {schema}.budget_holds WHERE request_id = ANY(%s::uuid[]) AND {moved}"
_STORE_ALERTS = """
    INSERT INTO {schema}.%s
    SELECT * FROM unnest(%%s::uuid[], %%s::bigint[], %%s::bigint[], %%s::bigint[], %%s::bigint[], %%s::bigint[], %%s::bigint[])
    WHERE {moved}
    ON CONFLICT (budget_id, bucket_us, percent, amount_nano) DO NOTHING
"""

_Ending = UsageCharged | RequestReleased | RequestAbandoned
_Hold = tuple[int, tuple[BudgetBucket, ...]]
_AlertKey = tuple[UUID, int, int, int]


class _Use(msgspec.Struct, gc=False):
    spent_nano: int = 0
    held_nano: int = 0
    requests: int = 0


class _Changes:
    """Budgets and uses as the batch finds and leaves them; what it touched, by key."""

    def __init__(self, held: dict[UUID, _Hold]) -> None:
        self.budgets: dict[UUID, Budget] = {}
        self.uses: dict[BudgetBucket, _Use] = {}
        self.set: set[UUID] = set()
        self.used: set[BudgetBucket] = set()
        self.opened: dict[UUID, _Hold] = {}
        self.ended: set[UUID] = set()
        self.crossed: dict[_AlertKey, tuple[object, ...]] = {}
        self.raised: dict[_AlertKey, tuple[object, ...]] = {}
        self.held = held

    def fold(self, fact: Located) -> None:
        _FOLDS[type(fact.event)](self, fact, fact.event)

    def use(self, bucket: BudgetBucket) -> _Use:
        self.used.add(bucket)
        return self.uses.setdefault(bucket, _Use())

    def end(self, fact: Located, event: _Ending, charge_nano: int) -> None:
        """Of a request that counts in no budget nothing is known."""
        hold = self.opened.pop(event.request_id, None)
        if hold is None:
            hold = self.held.pop(event.request_id, None)
            if hold is None:
                return
            self.ended.add(event.request_id)
        hold_nano, buckets = hold
        for bucket in buckets:
            use = self.use(bucket)
            use.held_nano -= hold_nano
            use.spent_nano += charge_nano
            if charge_nano:
                self.compare(fact, bucket, event.occurred_us)

    def compare(self, fact: Located, bucket: BudgetBucket, occurred_us: int) -> None:
        """Note which shares of its budget the window has come to; what was noted before stays."""
        budget = self.budgets.get(bucket.budget_id)
        if budget is None or budget.removed:
            return
        first_us = bucket.start_us - budget.window.reach_us
        spent_nano = sum(
            use.spent_nano
            for one, use in self.uses.items()
            if one.budget_id == bucket.budget_id and first_us <= one.start_us <= bucket.start_us
        )
        for percent in budget.alert_percents:
            if spent_nano * 100 >= budget.amount_nano * percent:
                key = (bucket.budget_id, bucket.start_us, percent, budget.amount_nano)
                self.crossed.setdefault(key, (*key, spent_nano, fact.position, occurred_us))


def _budget(changes: _Changes, fact: Located, event: BudgetSet | BudgetRemoved) -> None:
    budget = rules.evolve(changes.budgets.get(event.budget_id), event)
    changes.budgets[event.budget_id] = budget
    changes.set.add(event.budget_id)
    if isinstance(event, BudgetSet):
        bucket = bucket_at(budget.window, event.occurred_us)
        changes.compare(fact, BudgetBucket(event.budget_id, bucket.start_us), event.occurred_us)


def _admitted(changes: _Changes, _fact: Located, event: RequestAdmitted) -> None:
    if event.budgets:
        changes.opened[event.request_id] = (event.hold_nano, event.budgets)
        for bucket in event.budgets:
            use = changes.use(bucket)
            use.held_nano += event.hold_nano
            use.requests += 1


def _charged(changes: _Changes, fact: Located, event: UsageCharged) -> None:
    changes.end(fact, event, event.charge_nano)


def _freed(changes: _Changes, fact: Located, event: RequestReleased | RequestAbandoned) -> None:
    changes.end(fact, event, 0)


def _raised(changes: _Changes, fact: Located, event: BudgetAlertRaised) -> None:
    key = (event.budget_id, event.bucket_us, event.percent, event.amount_nano)
    changes.raised[key] = (*key, event.spent_nano, fact.position, event.occurred_us)


_FOLDS: dict[type[Event], Callable[[_Changes, Located, Any], None]] = {
    BudgetSet: _budget,
    BudgetRemoved: _budget,
    BudgetAlertRaised: _raised,
    RequestAdmitted: _admitted,
    UsageCharged: _charged,
    RequestReleased: _freed,
    RequestAbandoned: _freed,
}


class Budgets:
    """The fold."""

    name: ClassVar[str] = "budgets"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (
        _BUDGETS,
        _USES,
        _HOLDS,
        _CROSSINGS,
        _ALERTS,
        mark_table("budgets"),
    )
    topics: ClassVar[frozenset[str]] = topics_of(_FOLDS)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        new = [booked.fact for booked in books.unseen(facts)]
        changes = _Changes(_held(connection, schema, new))
        _load(connection, schema, changes, new)
        for fact in new:
            changes.fold(fact)
        return [*_writes(changes), books.mark()]


def _held(connection: Connection, schema: str, facts: Sequence[Located]) -> dict[UUID, _Hold]:
    """The holds that end in this batch and were made before it."""
    ending = [fact.event.request_id for fact in facts if isinstance(fact.event, _Ending)]
    if not ending:
        return {}
    rows = connection.execute(_LOAD_HOLDS.format(schema=schema), [array_literal(ending)])
    return {
        request_id: (hold_nano, msgspec.json.decode(buckets, type=tuple[BudgetBucket, ...]))
        for request_id, hold_nano, buckets in rows
    }


def _load(connection: Connection, schema: str, changes: _Changes, facts: Sequence[Located]) -> None:
    """The budgets that the batch is about, and what counts with the buckets that it touches."""
    touched = {bucket for _, buckets in changes.held.values() for bucket in buckets}
    budget_ids, first_us = set[UUID](), []
    for fact in facts:
        event = fact.event
        if isinstance(event, RequestAdmitted):
            touched.update(event.budgets or ())
        elif isinstance(event, BudgetSet | BudgetRemoved):
            budget_ids.add(event.budget_id)
            first_us.append(event.occurred_us - 2 * HOURS_MAX * HOUR_US)
    budget_ids |= {bucket.budget_id for bucket in touched}
    if not budget_ids:
        return
    first_us += [bucket.start_us - HOURS_MAX * HOUR_US for bucket in touched]
    wanted = array_literal(list(budget_ids))
    for budget_id, text in connection.execute(_LOAD_BUDGETS.format(schema=schema), [wanted]):
        changes.budgets[budget_id] = msgspec.json.decode(text, type=Budget)
    for budget_id, bucket_us, *figures in connection.execute(
        _LOAD_USES.format(schema=schema), [wanted, min(first_us)]
    ):
        changes.uses[BudgetBucket(budget_id, bucket_us)] = _Use(*figures)


def _writes(changes: _Changes) -> Sequence[Write]:
    budgets = [changes.budgets[one] for one in changes.set]
    uses = [
        (one.budget_id, one.start_us, *msgspec.structs.astuple(changes.uses[one])) for one in changes.used
    ]
    opened = [
        (request_id, hold_nano, msgspec.json.encode(buckets).decode())
        for request_id, (hold_nano, buckets) in changes.opened.items()
    ]
    writes = []
    if budgets:
        rows = [
            (one.budget_id, one.account_id, one.key_id, one.removed, msgspec.json.encode(one).decode())
            for one in budgets
        ]
        writes.append(Write(_STORE_BUDGETS, column_literals(rows)))
    if uses:
        writes.append(Write(_STORE_USES, column_literals(uses)))
    if opened:
        writes.append(Write(_STORE_HOLDS, column_literals(opened)))
    if changes.ended:
        writes.append(Write(_END_HOLDS, [array_literal(list(changes.ended))]))
    for table, alerts in ((_CROSSINGS, changes.crossed), (_ALERTS, changes.raised)):
        if alerts:
            writes.append(Write(_STORE_ALERTS % table.name, column_literals(alerts.values())))
    return writes
