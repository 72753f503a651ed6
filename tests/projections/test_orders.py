"""The read model `orders`."""

from uuid import UUID

import pytest

from application.eventlog import NewEvent
from application.recharge.queries import OrderFilter
from domain.recharge.events import DisputeOpened, DisputeWon, OrderEvent, RefundFailed, RefundRequested
from domain.recharge.observing import observe_payment
from domain.recharge.order import order_stream
from domain.recharge.placing import TRANSFER_US, cancel
from domain.recharge.reference import reference_of
from domain.recharge.refunding import Asked, request
from domain.recharge.settling import settle
from projections.orders import OrderReader, Orders
from projections.projection import Pool
from tests.domain.recharge.orders import ACCOUNT, ANNA, AT, NOW_US, OTHER, folded, placed, seen
from tests.histories import numbered, sample
from tests.projections.lab import Lab

A, B, C, D = (UUID(int=number) for number in (1001, 1002, 1003, 1004))
WAITS, UNDER_WAY, BY_HAND = (UUID(int=number) for number in (1005, 1006, 1007))


def _stream(order_id: UUID, events: list[OrderEvent]) -> list[NewEvent]:
    return numbered(order_stream(order_id), 1, events)


def _history() -> list[NewEvent]:
    """One order each that is credited, that waits for a second operator, that is cancelled, and with a wrong payment."""
    a = placed(order_id=A, provider="stripe")
    b = placed(order_id=B, amount_minor=600_000, account_id=OTHER)
    c = placed(order_id=C)
    d = placed(order_id=D, provider="stripe")
    a += observe_payment(folded(*a), seen(order_id=A), stamp=AT)
    b += settle(folded(*b), payment_ref="B1", amount_minor=714_000, currency="EUR", evidence="s", stamp=ANNA)
    c += cancel(folded(*c), reason="x", stamp=AT)
    d += observe_payment(folded(*d), seen(order_id=D, amount_minor=5), stamp=AT)
    streams = [_stream(A, a), _stream(B, b), _stream(C, c), _stream(D, d)]
    return [*(one[0] for one in streams), *(event for one in streams for event in one[1:])]


@pytest.fixture
def reader(whole: Lab) -> OrderReader:
    whole.log.extend(_history())
    return OrderReader(whole.pool)


def _ids(reader: OrderReader, **wanted: object) -> list[UUID]:
    return [row.order_id for row in reader.orders(OrderFilter(**wanted)).items]  # type: ignore[arg-type]  # of many kinds


def test_orders_are_found_by_what_they_are(whole: Lab, reader: OrderReader) -> None:
    """Newest first; by account, status, provider, reference, and whether somebody must look."""
    whole.catch_up()
    assert _ids(reader) == [D, C, B, A]
    assert _ids(reader, account_id=OTHER) == [B]
    assert _ids(reader, status="credited") == [A]
    assert _ids(reader, provider="stripe") == [D, A]
    assert _ids(reader, reference=reference_of(C)) == [C]
    assert _ids(reader, needs_somebody=True) == [D, B]
    assert _ids(reader, needs_somebody=False, account_id=ACCOUNT) == [C, A]
    row = reader.order(B)
    assert row is not None
    assert (row.status, row.waits_for_approval, row.mismatched, row.amount_minor) == (
        "placed",
        True,
        False,
        714_000,
    )
    assert (row.credited_nano, row.credited_us) == (0, None)
    paid = reader.order(A)
    assert paid is not None
    assert (paid.credited_nano, paid.credited_us) == (paid.credits_nano, AT.now_us)
    assert reader.order(UUID(int=5)) is None


def test_what_went_back_and_what_is_disputed_stand_with_their_order(whole: Lab, reader: OrderReader) -> None:
    """A refund that failed and a dispute that was won are over."""
    last = sum(one.stream_id == order_stream(A) for one in whole.log.events)
    kept = [
        sample(RefundRequested, order_id=A, refund_id=B, amount_minor=30),
        sample(RefundRequested, order_id=A, refund_id=C, amount_minor=70),
        sample(RefundFailed, order_id=A, refund_id=C),
        sample(DisputeOpened, order_id=A, dispute_ref="one", amount_minor=5),
        sample(DisputeOpened, order_id=A, dispute_ref="two", amount_minor=9),
        sample(DisputeWon, order_id=A, dispute_ref="one"),
    ]
    whole.log.extend(numbered(order_stream(A), last + 1, kept))
    whole.catch_up()
    row = reader.order(A)
    assert row is not None
    assert (row.status, row.refunded_minor, row.disputed_minor) == ("disputed", 30, 9)
    assert reader.orders_disputed("stripe", after=None, limit=10) == [A]
    assert reader.orders_disputed("stripe", after=A, limit=10) == []
    assert reader.orders_disputed("alipay", after=None, limit=10) == []
    whole.log.extend(numbered(order_stream(A), last + 7, [sample(DisputeWon, order_id=A, dispute_ref="two")]))
    whole.catch_up()
    assert reader.orders_disputed("stripe", after=None, limit=10) == []


def test_pages_follow_each_other(whole: Lab, reader: OrderReader) -> None:
    """Each order is on one of them."""
    whole.catch_up()
    first = reader.orders(OrderFilter(), limit=3)
    second = reader.orders(OrderFilter(), before_position=first.next_before, limit=3)
    assert [row.order_id for row in (*first.items, *second.items)] == [D, C, B, A]
    assert second.next_before is None


def test_orders_are_due_when_their_time_is_over_and_nobody_has_paid(whole: Lab, reader: OrderReader) -> None:
    """Not what is credited, cancelled or waits for a second operator."""
    whole.catch_up()
    assert reader.orders_due(now_us=NOW_US, limit=10) == []
    assert reader.orders_due(now_us=NOW_US + TRANSFER_US, limit=10) == [D]


def _refunded(order_id: UUID, *, provider: str = "stripe", approval_nano: int = 10**15) -> list[NewEvent]:
    """An order of which something is to go back."""
    facts = placed(order_id=order_id, provider=provider)
    if provider == "stripe":
        facts += observe_payment(
            folded(*facts), seen(order_id=order_id, payment_ref=f"pi_{order_id}"), stamp=AT
        )
    else:
        facts += settle(
            folded(*facts), payment_ref="B9", amount_minor=11_900, currency="EUR", evidence="s", stamp=ANNA
        )
    asked = Asked(
        refund_id=order_id, amount_minor=500, unspent_nano=0, reason="x", approval_nano=approval_nano
    )
    return _stream(order_id, [*facts, *request(folded(*facts), asked, stamp=ANNA)])


def test_refunds_that_a_provider_is_to_be_asked_about_are_found(whole: Lab) -> None:
    """Not one that waits for a second operator, who is asked instead, nor one by bank transfer."""
    reader = OrderReader(whole.pool)
    whole.log.extend(_refunded(WAITS, approval_nano=0))
    whole.log.extend(_refunded(UNDER_WAY))
    whole.log.extend(_refunded(BY_HAND, provider="manual"))
    whole.catch_up()
    assert reader.orders_with_refunds(limit=10) == [UNDER_WAY]
    assert _ids(reader, needs_somebody=True) == [WAITS]
    row = reader.order(BY_HAND)
    assert row is not None
    assert (row.refunds_under_way, row.refunded_minor, row.status) == (True, 500, "credited")


def test_before_the_read_model_is_made_nothing_is_due(pool: Pool) -> None:
    """A scheduler may be there before the first worker of its version."""
    assert OrderReader(pool).orders_due(now_us=2**62, limit=10) == []
    assert OrderReader(pool).orders_with_refunds(limit=10) == []
    assert OrderReader(pool).orders_disputed("stripe", after=None, limit=10) == []


@pytest.mark.parametrize("batch_events", [1, 2, 3, 100])
def test_a_rebuild_is_equal(whole: Lab, batch_events: int) -> None:
    """P10 and P11: in whatever batches, and if all of it comes twice."""
    whole.log.extend(_history())
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[Orders.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[Orders.name] == before
    assert whole.rebuild(Orders.name) == before
