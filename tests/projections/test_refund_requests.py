"""The read model `refund_requests`."""

from uuid import UUID

import pytest

from application.eventlog import NewEvent
from application.refunds.queries import RefundRequestFilter, RefundRequestRow
from domain.recharge.order import order_stream
from domain.recharge.request_events import (
    RefundRequestAccepted,
    RefundRequestDeclined,
    RefundRequestFiled,
    RefundRequestWithdrawn,
)
from projections.generations import install
from projections.projection import Pool
from projections.refund_requests import RefundRequestReader, RefundRequests
from tests.domain.recharge.orders import ACCOUNT, NOW_US, ORDER, OTHER
from tests.histories import AWKWARD, numbered, sample
from tests.projections.lab import Lab

FIRST, SECOND, THIRD, FOURTH = (UUID(int=number) for number in range(1, 5))


def history() -> list[NewEvent]:
    """Of one order: declined, accepted, and withdrawn; of another an open one."""
    one = {"order_id": ORDER, "account_id": ACCOUNT}
    two = {"order_id": OTHER, "account_id": OTHER, "refund_id": FOURTH}
    facts = [
        sample(RefundRequestFiled, refund_id=FIRST, **one),
        sample(RefundRequestDeclined, refund_id=FIRST, reason="used up", **one),
        sample(RefundRequestFiled, refund_id=SECOND, **one),
        sample(RefundRequestAccepted, refund_id=SECOND, **one),
        sample(RefundRequestFiled, refund_id=THIRD, **one),
        sample(RefundRequestWithdrawn, refund_id=THIRD, **one),
    ]
    return [
        *numbered(order_stream(ORDER), 1, facts),
        *numbered(order_stream(OTHER), 1, [sample(RefundRequestFiled, **two)]),
    ]


@pytest.fixture
def alone(pool: Pool) -> Lab:
    with pool.connection() as connection:
        install(connection, [RefundRequests()])
    return Lab(pool, [RefundRequests()])


def rows(lab: Lab, **wanted: object) -> tuple[RefundRequestRow, ...]:
    found = RefundRequestReader(lab.pool).requests(RefundRequestFilter(**wanted), now_us=0)  # type: ignore[arg-type]  # fields of the filter
    return found.items


@pytest.mark.parametrize("batch_events", [1, 2, 100])
def test_requests_wait_until_they_are_decided(alone: Lab, batch_events: int) -> None:
    """With their age; found by state, account and order, those that wait longest first."""
    alone.log.extend(history())
    alone.catch_up(batch_events=batch_events)
    assert [one.state for one in rows(alone)] == ["declined", "accepted", "withdrawn", "open"]
    assert [one.refund_id for one in rows(alone, order_id=ORDER, state="accepted")] == [SECOND]
    (waiting,) = rows(alone, account_id=OTHER)
    assert (waiting.state, waiting.reason, waiting.unspent_minor) == ("open", "not_needed", 11_900)
    assert (waiting.decided_us, waiting.declined_because) == (None, None)
    declined = rows(alone)[0]
    assert (declined.declined_because, declined.decided_us) == ("used up", NOW_US)
    reader = RefundRequestReader(alone.pool)
    queue = reader.requests(RefundRequestFilter(state="declined"), now_us=NOW_US + 2_000_000).queue
    assert (queue.waiting, queue.oldest_s) == (1, 2.0)
    assert alone.rebuild(RefundRequests.name) == alone.hashes()[RefundRequests.name]


def test_pages_follow_each_other(alone: Lab) -> None:
    """Each request is on one of them; the last one says that it is."""
    alone.log.extend(history())
    alone.catch_up()
    reader = RefundRequestReader(alone.pool)
    first = reader.requests(RefundRequestFilter(), now_us=0, limit=3)
    assert first.next_after is not None
    second = reader.requests(RefundRequestFilter(), now_us=0, after_position=first.next_after, limit=3)
    assert [one.refund_id for one in (*first.items, *second.items)] == [FIRST, SECOND, THIRD, FOURTH]
    assert second.next_after is None


def test_what_no_lawful_log_has_is_passed_over(alone: Lab) -> None:
    """A decision about what nobody filed; words that Postgres cannot hold as they are."""
    facts = [sample(RefundRequestAccepted, refund_id=FIRST, order_id=ORDER)]
    for number, text in enumerate(AWKWARD, 10):
        about = {"refund_id": UUID(int=number), "order_id": ORDER}
        facts += [
            sample(RefundRequestFiled, **about),
            sample(RefundRequestDeclined, reason=text, **about),
        ]
    alone.log.extend(numbered(order_stream(ORDER), 1, facts))
    alone.catch_up()
    assert len(rows(alone)) == len(AWKWARD)
    assert alone.rebuild(RefundRequests.name) == alone.hashes()[RefundRequests.name]
