"""The read model `money`."""

from uuid import UUID

import pytest

from application.eventlog import NewEvent
from domain.money.events import PayoutReconciled, line_stream
from domain.recharge.observing import observe_payment
from domain.recharge.order import order_stream
from domain.recharge.settling import settle
from domain.refusal import BadField
from projections.money import Money, MoneyReader
from projections.projection import Pool
from tests.domain.money.test_postings import line
from tests.domain.money.test_returns import TOOK
from tests.domain.recharge.orders import ANNA, AT, NOW_US, ORDER, folded, placed, seen
from tests.domain.recharge.returns import PAID, REFUND, Till, dispute
from tests.histories import numbered, sample
from tests.projections.lab import Lab

A, B, C = (UUID(int=number) for number in (1101, 1102, 1103))


def _history() -> list[NewEvent]:
    """Two orders through Stripe, one of them without a line yet, one by transfer; a foreign payment; a payout."""
    streams = []
    for order_id, ref in ((A, "pi_1"), (B, "pi_2")):
        begun = placed(order_id=order_id, provider="stripe")
        begun += observe_payment(folded(*begun), seen(order_id=order_id, payment_ref=ref), stamp=AT)
        streams.append(numbered(order_stream(order_id), 1, begun))
    moved = placed(order_id=C)
    moved += settle(
        folded(*moved), payment_ref="B", amount_minor=11_900, currency="EUR", evidence="s", stamp=ANNA
    )
    streams.append(numbered(order_stream(C), 1, moved))
    lines = (
        line(),
        line(
            line_ref="txn_2",
            source_ref="ch_9",
            gross_minor=700,
            fee_minor=20,
            net_minor=680,
            is_told=False,
        ),
        line(line_ref="txn_3", kind="payout", gross_minor=-9_000, fee_minor=0, net_minor=-9_000),
    )
    streams += [numbered(line_stream("stripe", "live", one.line_ref), 1, [one]) for one in lines]
    return [event for stream in streams for event in stream]


def test_the_books_add_up_and_say_what_does_not_agree(whole: Lab) -> None:
    """Each ledger is zero in sum (P30); the clearing account is what Stripe has for us (P29), and what is open says why not."""
    whole.log.extend(_history())
    whole.catch_up()
    reader = MoneyReader(whole.pool)
    found = {one.name: one.balance_minor for one in reader.balances().items}
    assert found == {
        "bank": -11_900 - 9_000,
        "deferred_revenue": 30_000,
        "fees:stripe": -340,
        "psp:stripe": -(11_580 + 680 - 9_000 + 11_900),
        "tax:DE:190000": 5_700,
        "unmatched:stripe": 700,
    }
    assert sum(found.values()) == 0
    foreign, payout, missing = reader.open_items().items
    assert (payout.kind, payout.ref, payout.amount_minor, payout.words) == (
        "payout",
        "txn_3",
        -9_000,
        "payout",
    )
    assert reader.open_payouts("stripe", mode="live", limit=9) == ["txn_3"]
    assert reader.open_payouts("stripe", mode="test", limit=9) == []
    assert (foreign.kind, foreign.ref, foreign.amount_minor, foreign.words) == (
        "line",
        "txn_2",
        700,
        "charge",
    )
    assert (missing.kind, missing.ref, missing.order_id, missing.since_us) == ("payment", "pi_2", B, NOW_US)
    page, seen = reader.open_items(limit=1), []
    while page.next_after is not None:
        seen += page.items
        page = reader.open_items(after=page.next_after, limit=1)
    assert [*seen, *page.items] == [foreign, payout, missing], "page by page the same"
    with pytest.raises(BadField):
        reader.open_items(after="[1]")


def test_a_payout_is_open_until_it_is_taken_apart(whole: Lab) -> None:
    """In one batch with its line, too."""
    matched = sample(PayoutReconciled, line_ref="txn_3")
    whole.log.extend(_history())
    whole.catch_up()
    whole.log.extend(numbered(line_stream("stripe", "live", "txn_3"), 2, [matched]))
    paid = line(line_ref="txn_4", kind="payout", gross_minor=-5, fee_minor=0, net_minor=-5)
    both = [paid, sample(PayoutReconciled, line_ref="txn_4")]
    whole.log.extend(numbered(line_stream("stripe", "live", "txn_4"), 1, both))
    whole.catch_up()
    assert MoneyReader(whole.pool).open_payouts("stripe", mode="live", limit=9) == []
    assert whole.rebuild(Money.name) == whole.hashes()[Money.name]


def test_before_the_read_model_is_made_no_payout_is_open(pool: Pool) -> None:
    """A scheduler may be there before the first worker of its version."""
    assert MoneyReader(pool).open_payouts("stripe", mode="live", limit=9) == []


def _returns() -> list[NewEvent]:
    """An order of which a refund and a dispute took money: the provider has a line of the refund."""
    till = Till().see(PAID, REFUND, dispute(movements=(TOOK,)))
    lines = (
        line(line_ref="t_0"),
        line(
            line_ref="t_1",
            kind="refund",
            object_ref="re_1",
            gross_minor=-3_570,
            fee_minor=0,
            net_minor=-3_570,
        ),
    )
    begun = placed(provider="stripe", order_id=ORDER)
    return [
        *numbered(order_stream(ORDER), 1, [*begun, *till.facts]),
        *(
            event
            for one in lines
            for event in numbered(line_stream("stripe", "live", one.line_ref), 1, [one])
        ),
    ]


def test_what_went_back_is_open_until_the_provider_has_a_line_of_it(whole: Lab) -> None:
    """The dispute's is missing yet; the refund's and the payment's are there."""
    whole.log.extend(_returns())
    whole.catch_up()
    reader = MoneyReader(whole.pool)
    (missing,) = reader.open_items().items
    assert (missing.kind, missing.ref, missing.amount_minor, missing.order_id) == (
        "dispute",
        "txn_1",
        -5_950,
        ORDER,
    )
    found = {one.name: one.balance_minor for one in reader.balances().items}
    assert found["dispute_receivable:stripe"] == -5_950
    assert sum(found.values()) == 0


@pytest.mark.parametrize("batch_events", [1, 2, 3, 100])
def test_a_rebuild_is_equal(whole: Lab, batch_events: int) -> None:
    """P10 and P11: in whatever batches, and if all of it comes twice."""
    whole.log.extend([*_history(), *_returns()])
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[Money.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[Money.name] == before
    assert whole.rebuild(Money.name) == before
