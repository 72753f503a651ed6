"""Read model `postpaid`: limits for buying on account, those that wait for a second operator, and what is owed within them.

For the queues of operators, and for the scheduler to know whom to remind. Must not be used to decide whether something is sold on
account: the account's own stream does that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.errors import UndefinedTable

from application.postpaid.queries import (
    ProposalPage,
    Receivable,
    ReceivablePage,
    ReceivableSum,
    WaitingProposal,
    receivables_of,
)
from application.queries import PAGE_ROWS_MAX
from application.reports.reviews import queue_of
from domain.postpaid.events import POSTPAID_EVENTS, PostpaidLimitProposed
from domain.postpaid.owing import stage_of
from domain.postpaid.postpaid import Postpaid, evolve
from projections.folded import FoldTable
from projections.projection import Connection, Located, Pool, Table, Write


def _waiting_us(postpaid: Postpaid) -> int | None:
    return None if postpaid.waiting is None else postpaid.proposals[postpaid.waiting].proposed_us


_POSTPAID: Final = FoldTable(
    name="postpaid",
    key="account_id",
    key_kind="uuid",
    state=Postpaid,
    evolve=evolve,
    events=POSTPAID_EVENTS,
    begins=(PostpaidLimitProposed,),
    blank=Postpaid(),
    shown={
        "due_us": ("bigint", lambda postpaid: postpaid.due_us),
        "remind_us": ("bigint", lambda postpaid: postpaid.remind_us),
        "waiting_us": ("bigint", _waiting_us),
    },
    indexes=(
        "(due_us, account_id) WHERE due_us IS NOT NULL",
        "(remind_us) WHERE remind_us IS NOT NULL",
        "(account_id) WHERE waiting_us IS NOT NULL",
    ),
)
_OWING: Final = "SELECT account_id, due_us, state FROM postpaid WHERE due_us IS NOT NULL"
_QUEUE: Final = "SELECT count(*), min(waiting_us) FROM postpaid WHERE waiting_us IS NOT NULL"


class PostpaidAccounts:
    """The fold: the account's own."""

    name: ClassVar[str] = "postpaid"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_POSTPAID.table(),)
    topics: ClassVar[frozenset[str]] = _POSTPAID.topics

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        return _POSTPAID.fold(connection, schema, facts)


class PostpaidReader:
    """The questions: implements `PostpaidQueries` and `AccountsThatOwe`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def receivables(
        self, *, now_us: int, overdue: bool = False, after: str | None = None, limit: int = 100
    ) -> ReceivablePage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        where, values = " AND due_us <= %s" if overdue else "", [now_us] if overdue else []
        start = _place(after)
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows: list[Any] = connection.execute(
                f"{_OWING}{where} AND (due_us, account_id) > (%s, %s) ORDER BY due_us, account_id LIMIT %s",
                [*values, *start, size + 1],
            ).fetchall()
            sums = _sums(connection, now_us)
        items = [
            one for account_id, _, state in rows[:size] for one in _receivables(account_id, state, now_us)
        ]
        return ReceivablePage(
            items=tuple(one for one in items if one.is_overdue or not overdue),
            sums=sums,
            next_after=f"{rows[size - 1][1]}.{rows[size - 1][0]}" if len(rows) > size else None,
        )

    def waiting(self, *, now_us: int, after: UUID | None = None, limit: int = 100) -> ProposalPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        statement = (
            "SELECT account_id, state FROM postpaid WHERE waiting_us IS NOT NULL AND account_id > %s "
            "ORDER BY account_id LIMIT %s"
        )
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute(statement, [after or UUID(int=0), size + 1]).fetchall()
            waiting, oldest_us = connection.execute(_QUEUE).fetchone() or (0, None)
        return ProposalPage(
            items=tuple(_proposal(account_id, _state(state)) for account_id, state in found[:size]),
            queue=queue_of(waiting, oldest_us, now_us=now_us),
            next_after=found[size - 1][0] if len(found) > size else None,
        )

    def to_remind(self, *, now_us: int, limit: int) -> list[tuple[UUID, UUID]]:
        statement = "SELECT account_id, state FROM postpaid WHERE remind_us <= %s ORDER BY remind_us LIMIT %s"
        try:
            with self._pool.connection() as connection:
                rows = connection.execute(statement, [now_us, limit]).fetchall()
        except UndefinedTable:  # no worker of this version has run yet
            return []
        return [
            (account_id, order_id)
            for account_id, state in rows
            for order_id, one in _state(state).purchases.items()
            if stage_of(one, now_us) not in {None, one.reminded}
        ]


def _state(text: str) -> Postpaid:
    return msgspec.json.decode(text, type=Postpaid)


def _receivables(account_id: UUID, state: str, now_us: int) -> tuple[Receivable, ...]:
    return receivables_of(account_id, _state(state), now_us=now_us)


def _proposal(account_id: UUID, postpaid: Postpaid) -> WaitingProposal:
    proposal_id = postpaid.waiting
    assert proposal_id is not None, "only such are asked for"
    return WaitingProposal(
        account_id=account_id,
        proposal_id=proposal_id,
        proposal=postpaid.proposals[proposal_id],
        standing=postpaid.limit,
    )


def _place(after: str | None) -> tuple[int, UUID]:
    """Of a page's end; what is none begins at the beginning."""
    due, _, account = (after or "").partition(".")
    try:
        return int(due), UUID(account)
    except ValueError:
        return 0, UUID(int=0)


def _sums(connection: Connection, now_us: int) -> tuple[ReceivableSum, ...]:
    """By currency. Accounts that buy on account are few, and those that owe fewer."""
    sums: dict[str, ReceivableSum] = {}
    for account_id, _, state in connection.execute(_OWING):
        for one in _receivables(account_id, state, now_us):
            blank = ReceivableSum(
                currency=one.currency, exponent=one.exponent, orders=0, unpaid_minor=0, overdue_minor=0
            )
            old = sums.get(one.currency, blank)
            sums[one.currency] = msgspec.structs.replace(
                old,
                orders=old.orders + 1,
                unpaid_minor=old.unpaid_minor + one.unpaid_minor,
                overdue_minor=old.overdue_minor + (one.unpaid_minor if one.is_overdue else 0),
            )
    return tuple(sums[currency] for currency in sorted(sums))
