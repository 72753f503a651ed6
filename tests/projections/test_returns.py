"""What goes back of orders, read from the read model `orders`."""

from uuid import UUID

from application.eventlog import NewEvent
from application.recharge.returns import ReturnFilter
from domain.recharge.events import DisputeOpened, DisputeWon, RefundFailed, RefundRequested
from domain.recharge.observing import observe_payment
from domain.recharge.order import order_stream
from projections.returns import ReturnReader
from tests.domain.recharge.orders import AT, OTHER, folded, placed, seen
from tests.histories import numbered, sample
from tests.projections.lab import Lab

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1001, 1002, 1003))
WAITS, FAILED = UUID(int=1004), UUID(int=1005)


def _order(order_id: UUID, *more: object, account_id: UUID = OTHER) -> list[NewEvent]:
    facts = placed(order_id=order_id, provider="stripe", account_id=account_id)
    paid = seen(order_id=order_id, account_id=account_id, payment_ref=f"pi_{order_id}")
    facts += observe_payment(folded(*facts), paid, stamp=AT)
    return numbered(order_stream(order_id), 1, [*facts, *more])  # type: ignore[list-item]  # facts of orders


def _history() -> list[NewEvent]:
    """A refund that waits and one that failed; a dispute that is open and one that was won; and nothing."""
    asked = [
        sample(RefundRequested, order_id=FIRST, refund_id=WAITS, amount_minor=30),
        sample(RefundRequested, order_id=FIRST, refund_id=FAILED, amount_minor=70),
        sample(RefundFailed, order_id=FIRST, refund_id=FAILED),
    ]
    disputed = [
        sample(DisputeOpened, order_id=SECOND, dispute_ref="one", due_us=5),
        sample(DisputeOpened, order_id=SECOND, dispute_ref="two"),
        sample(DisputeWon, order_id=SECOND, dispute_ref="two"),
    ]
    return [*_order(FIRST, *asked), *_order(SECOND, *disputed, account_id=THIRD), *_order(THIRD)]


def test_what_is_not_over_is_told_apart(whole: Lab) -> None:
    """Of all orders or of an account's; a refund has our id, a dispute the provider's and its deadline."""
    whole.log.extend(_history())
    whole.catch_up()
    reader = ReturnReader(whole.pool)
    rows = reader.returns(ReturnFilter(is_open=True)).items
    assert [(row.kind, row.ref, row.state) for row in rows] == [
        ("dispute", "one", "open"),
        ("refund", str(WAITS), "requested"),
    ]
    assert (rows[0].due_us, rows[0].currency, rows[1].due_us) == (5, "EUR", None)
    every = reader.returns(ReturnFilter()).items
    assert [row.ref for row in every] == ["one", "two", str(WAITS), str(FAILED)]
    assert [row.ref for row in reader.returns(ReturnFilter(account_id=THIRD)).items] == ["one", "two"]


def test_pages_follow_each_other_order_by_order(whole: Lab) -> None:
    """What belongs to one order is on one page."""
    whole.log.extend(_history())
    whole.catch_up()
    reader = ReturnReader(whole.pool)
    first = reader.returns(ReturnFilter(), limit=1)
    assert [row.order_id for row in first.items] == [SECOND, SECOND]
    second = reader.returns(ReturnFilter(), before_position=first.next_before, limit=1)
    assert [row.order_id for row in second.items] == [FIRST, FIRST]
    assert second.next_before is None


def test_filters_go_on_behind_orders_that_they_do_not_let_through(whole: Lab) -> None:
    """A page is filled from further orders, and what is behind the last that was looked at is on the next."""
    others = [UUID(int=2_000 + number) for number in range(25)]
    asked = [_order(one, sample(RefundRequested, order_id=one, amount_minor=1)) for one in others]
    whole.log.extend([*_history(), *(fact for facts in asked for fact in facts)])
    whole.catch_up()
    reader = ReturnReader(whole.pool)
    lost = ReturnFilter(kind="dispute", state="won")
    assert [row.ref for row in reader.returns(lost).items] == ["two"]
    first = reader.returns(lost, limit=1)
    assert first.items == ()
    assert first.next_before is not None
    assert [row.ref for row in reader.returns(lost, before_position=first.next_before).items] == ["two"]
    failed = ReturnFilter(state="failed", order_id=FIRST, provider="stripe")
    assert [row.ref for row in reader.returns(failed).items] == [str(FAILED)]
    assert reader.returns(ReturnFilter(provider="manual")).items == ()
