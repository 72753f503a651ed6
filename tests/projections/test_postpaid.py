"""The read model `postpaid`: what is unpaid, which limits wait, and whom to remind."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from application.eventlog import NewEvent
from domain.postpaid.events import (
    AccountOrderPaid,
    BoughtOnAccount,
    PaymentReminded,
    PostpaidEvent,
    PostpaidLimitApproved,
    PostpaidLimitProposed,
)
from domain.postpaid.owing import DAY_US
from domain.postpaid.postpaid import postpaid_stream
from projections.generations import install
from projections.postpaid import PostpaidAccounts, PostpaidReader
from projections.projection import Pool
from tests.domain.recharge.orders import NOW_US
from tests.histories import numbered, sample
from tests.projections.lab import Lab

ONE, TWO, THREE = (UUID(int=number) for number in range(1, 4))
FIRST, SECOND = UUID(int=911), UUID(int=912)
DUE_US = NOW_US + 30 * DAY_US


def _of(account_id: UUID, *facts: tuple[type[PostpaidEvent], dict[str, object]]) -> list[NewEvent]:
    events: Sequence[PostpaidEvent] = [
        sample(kind, account_id=account_id, **changes)  # type: ignore[misc]  # a sample of that kind
        for kind, changes in facts
    ]
    return numbered(postpaid_stream(account_id), 1, events)


def history() -> list[NewEvent]:
    """One account owes for two orders, another for none any more, and a limit of a third waits."""
    agreed: tuple[tuple[type[PostpaidEvent], dict[str, object]], ...] = (
        (PostpaidLimitProposed, {}),
        (PostpaidLimitApproved, {}),
    )
    return [
        *_of(
            ONE,
            *agreed,
            (BoughtOnAccount, {"order_id": FIRST, "due_us": DUE_US + DAY_US}),
            (BoughtOnAccount, {"order_id": SECOND, "due_us": DUE_US}),
        ),
        *_of(
            TWO,
            *agreed,
            (BoughtOnAccount, {"order_id": FIRST, "due_us": DUE_US}),
            (AccountOrderPaid, {"order_id": FIRST}),
        ),
        *_of(THREE, agreed[0]),
    ]


@pytest.fixture
def alone(pool: Pool) -> Lab:
    with pool.connection() as connection:
        install(connection, [PostpaidAccounts()])
    return Lab(pool, [PostpaidAccounts()])


@pytest.mark.parametrize("batch_events", [1, 3, 100])
def test_what_is_unpaid_comes_with_its_age_and_sums(alone: Lab, batch_events: int) -> None:
    """Soonest due first; what is paid is no more."""
    alone.log.extend(history())
    alone.catch_up(batch_events=batch_events)
    reader = PostpaidReader(alone.pool)
    page = reader.receivables(now_us=DUE_US + DAY_US // 2)
    assert [(one.order_id, one.is_overdue, one.days_overdue) for one in page.items] == [
        (SECOND, True, 0),
        (FIRST, False, 0),
    ]
    (total,) = page.sums
    assert (total.orders, total.unpaid_minor, total.overdue_minor) == (2, 23_800, 11_900)
    late = reader.receivables(now_us=DUE_US + DAY_US // 2, overdue=True)
    assert [one.order_id for one in late.items] == [SECOND]
    assert reader.receivables(now_us=DUE_US - 1, overdue=True).items == ()
    assert reader.receivables(now_us=DUE_US + 5 * DAY_US).items[0].days_overdue == 5


def test_pages_of_accounts_have_each_once(alone: Lab) -> None:
    """Though many are due at one time; a place that is none is the beginning."""
    accounts = [UUID(int=number) for number in range(1, 6)]
    for account_id in accounts:
        alone.log.extend(_of(account_id, (PostpaidLimitProposed, {}), (BoughtOnAccount, {})))
    alone.catch_up()
    reader, after, found = PostpaidReader(alone.pool), None, []
    while True:
        page = reader.receivables(now_us=NOW_US, after=after, limit=2)
        found += [one.account_id for one in page.items]
        after = page.next_after
        if after is None:
            break
    assert found == accounts
    assert len(reader.receivables(now_us=NOW_US, after="nonsense", limit=2).items) == 2


def test_limits_that_wait_are_a_queue(alone: Lab) -> None:
    """With who proposed them, and what stands."""
    alone.log.extend(history())
    alone.catch_up()
    page = PostpaidReader(alone.pool).waiting(now_us=NOW_US + 3_600_000_000)
    (one,) = page.items
    assert (one.account_id, one.proposal.limit_minor, one.standing) == (THREE, 500_000, None)
    assert (page.queue.waiting, page.queue.oldest_s) == (1, 3_600.0)


def test_whom_to_remind_is_found_until_it_is_done(alone: Lab) -> None:
    """Before it is due, and again when it is overdue."""
    alone.log.extend(history())
    alone.catch_up()
    reader = PostpaidReader(alone.pool)
    assert reader.to_remind(now_us=DUE_US - 4 * DAY_US, limit=10) == []
    assert reader.to_remind(now_us=DUE_US - 3 * DAY_US, limit=10) == [(ONE, SECOND)]
    told = sample(PaymentReminded, account_id=ONE, order_id=SECOND, stage="due_soon")
    alone.log.extend(numbered(postpaid_stream(ONE), 5, [told]))
    alone.catch_up()
    assert reader.to_remind(now_us=DUE_US - 3 * DAY_US, limit=10) == []
    assert reader.to_remind(now_us=DUE_US, limit=10) == [(ONE, FIRST), (ONE, SECOND)]
    assert alone.rebuild(PostpaidAccounts.name) == alone.hashes()[PostpaidAccounts.name]
