"""A low balance becomes one order at a time, within the month's cap, and ever more seldom when it is declined."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.auto_recharge.auto import BURST, Auto, evolve
from domain.auto_recharge.events import (
    AutoRechargeBegun,
    AutoRechargeCapReached,
    AutoRechargeDeclined,
    AutoRechargeEvent,
    AutoRechargeNeedsCustomer,
    AutoRechargePaid,
    AutoRechargeTried,
)
from domain.auto_recharge.trying import (
    BACK_OFF_US,
    BURST_US,
    Seen,
    begin,
    decline,
    month_of,
    need_customer,
    pay,
    used_minor,
)
from tests.domain.auto_recharge.autos import (
    GROSS_MINOR,
    LOW,
    RULE,
    SPEC,
    at,
    order,
    rule_set,
    saved,
    started,
    switched_on,
)
from tests.domain.recharge.orders import ACCOUNT, NOW_US

DAY_US = 24 * 3600 * 1_000_000
TRIED = AutoRechargeTried(
    account_id=ACCOUNT,
    order_id=order(1),
    provider="stripe",
    amount_minor=GROSS_MINOR,
    currency="EUR",
    month="2025-11",
    used_minor=GROSS_MINOR,
    cap_minor=30_000,
    balance_nano=LOW.balance_nano,
    threshold_nano=RULE.threshold_nano,
    seen_position=LOW.position,
    occurred_us=NOW_US,
    actor="system",
)
DECLINED = AutoRechargeDeclined(
    account_id=ACCOUNT,
    order_id=order(1),
    reason="insufficient_funds",
    declines=1,
    retry_us=NOW_US + BACK_OFF_US[0],
    occurred_us=NOW_US,
    actor="system",
)
PAID = AutoRechargePaid(
    account_id=ACCOUNT, order_id=order(1), credited_position=150, occurred_us=NOW_US, actor="system"
)


def test_a_low_balance_is_recharged() -> None:
    """With the order's price, and with what was seen."""
    SPEC.given(*switched_on()).when(started).then(TRIED)


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        ([], LOW),
        (saved(), LOW),
        (switched_on(), Seen(balance_nano=RULE.threshold_nano, position=100)),
        ([*switched_on(), TRIED], LOW),
        ([*switched_on(), TRIED, DECLINED], LOW),
        ([*switched_on(), TRIED, PAID], LOW),
        ([*switched_on(), TRIED, PAID], Seen(balance_nano=0, position=150)),
    ],
)
def test_it_is_not_where_something_stands_against_it(facts: list[AutoRechargeEvent], seen: Seen) -> None:
    """No rule; the threshold itself; an open order; a decline just now; a balance from before the credit."""
    SPEC.given(*facts).when(lambda auto: started(auto, seen=seen)).then_nothing()


def test_a_balance_with_the_credit_in_it_counts_again() -> None:
    """If it is still low, the next order follows; it is another one."""
    auto = SPEC.fold(*switched_on(), TRIED, PAID)
    (event,) = started(auto, seen=Seen(balance_nano=5, position=151))
    assert isinstance(event, AutoRechargeTried)
    assert (event.order_id, event.used_minor) == (order(2), 2 * GROSS_MINOR)


def test_the_cap_is_said_once_a_month() -> None:
    """And again for another cap, and in another month; the first of a month has the whole cap again."""
    full = [*switched_on(cap_minor=GROSS_MINOR), TRIED, PAID]
    seen = Seen(balance_nano=5, position=151)
    reached = AutoRechargeCapReached(
        account_id=ACCOUNT,
        month="2025-11",
        currency="EUR",
        used_minor=GROSS_MINOR,
        cap_minor=GROSS_MINOR,
        occurred_us=NOW_US,
        actor="system",
    )
    SPEC.given(*full).when(lambda auto: started(auto, seen=seen)).then(reached)
    SPEC.given(*full, reached).when(lambda auto: started(auto, seen=seen)).then_nothing()
    (raised,) = started(SPEC.fold(*full, reached, rule_set(cap_minor=GROSS_MINOR + 1)), seen=seen)
    assert isinstance(raised, AutoRechargeCapReached)
    later = NOW_US + 31 * DAY_US
    (event,) = started(SPEC.fold(*full, reached), seen=seen, us=later)
    assert isinstance(event, AutoRechargeTried)
    assert (event.month, event.used_minor) == ("2025-12", GROSS_MINOR)


def test_what_was_declined_counts_against_no_cap() -> None:
    """It cost nothing."""
    facts = [*switched_on(), TRIED, DECLINED]
    assert used_minor(SPEC.fold(*facts), now_us=NOW_US) == 0
    assert used_minor(SPEC.fold(*facts[:-1]), now_us=NOW_US) == GROSS_MINOR
    assert used_minor(Auto(), now_us=NOW_US) == 0


def test_declines_are_waited_for_longer_each_time_and_then_it_is_off() -> None:
    """An hour, six, a day; switching it on again begins anew."""
    facts, now_us = switched_on(), NOW_US
    for wait_us in (*BACK_OFF_US, None):
        auto = SPEC.fold(*facts)
        facts += started(auto, us=now_us)
        open_try = SPEC.fold(*facts).open_try
        assert open_try is not None
        (event,) = decline(
            SPEC.fold(*facts),
            account_id=ACCOUNT,
            order_id=open_try.order_id,
            reason="insufficient_funds",
            stamp=at(now_us),
        )
        assert isinstance(event, AutoRechargeDeclined)
        assert event.retry_us == (None if wait_us is None else now_us + wait_us)
        facts.append(event)
        if wait_us is not None:
            assert started(SPEC.fold(*facts), us=now_us + wait_us - 1) == []
            now_us += wait_us
    assert not SPEC.fold(*facts).is_on
    assert started(SPEC.fold(*facts), us=now_us + 40 * DAY_US) == []
    again = SPEC.fold(*facts, rule_set())
    assert (again.is_on, again.declines, again.retry_us) == (True, 0, 0)


def test_setting_a_rule_anew_does_not_shorten_the_wait() -> None:
    """While it is on, the bank has the last word."""
    auto = SPEC.fold(*switched_on(), TRIED, DECLINED, rule_set(cap_minor=99_999))
    assert (auto.declines, auto.retry_us) == (1, DECLINED.retry_us)


def test_a_payment_is_noted_before_it_is_made_and_stays_the_only_one() -> None:
    """Whoever comes second uses the first one's."""
    begun = AutoRechargeBegun(
        account_id=ACCOUNT, order_id=order(1), payment_ref="pi_1", occurred_us=NOW_US, actor="system"
    )

    def beginning(*facts: AutoRechargeEvent, payment_ref: str) -> Any:
        return SPEC.given(*switched_on(), *facts).when(
            lambda auto: begin(
                auto, account_id=ACCOUNT, order_id=order(1), payment_ref=payment_ref, stamp=at()
            )
        )

    beginning(TRIED, payment_ref="pi_1").then(begun)
    beginning(TRIED, begun, payment_ref="pi_2").then_nothing()
    beginning(payment_ref="pi_1").then_nothing()
    beginning(TRIED, DECLINED, payment_ref="pi_1").then_nothing()


def test_an_order_that_its_customer_must_pay_stays_open() -> None:
    """Said once; it may still be paid, or come to nothing."""
    needed = AutoRechargeNeedsCustomer(
        account_id=ACCOUNT, order_id=order(1), occurred_us=NOW_US, actor="system"
    )

    def needing(*facts: AutoRechargeEvent) -> Any:
        return SPEC.given(*switched_on(), *facts).when(
            lambda auto: need_customer(auto, account_id=ACCOUNT, order_id=order(1), stamp=at())
        )

    needing(TRIED).then(needed)
    needing(TRIED, needed).then_nothing()
    needing(TRIED, PAID).then_nothing()
    auto = SPEC.fold(*switched_on(), TRIED, needed)
    assert started(auto) == []
    assert pay(auto, account_id=ACCOUNT, order_id=order(1), credited_position=150, stamp=at()) == [PAID]


@pytest.mark.parametrize("ended", [PAID, DECLINED])
def test_the_end_of_an_order_is_noted_once(ended: AutoRechargeEvent) -> None:
    """Of the open order only."""
    auto = SPEC.fold(*switched_on(), TRIED, ended)
    for order_id in (order(1), order(2)):
        assert pay(auto, account_id=ACCOUNT, order_id=order_id, credited_position=9, stamp=at()) == []
        assert decline(auto, account_id=ACCOUNT, order_id=order_id, reason="x", stamp=at()) == []


@pytest.mark.parametrize(
    ("zone", "month"), [("UTC", "2025-11"), ("Asia/Tokyo", "2025-12"), ("America/New_York", "2025-11")]
)
def test_a_month_is_that_of_the_rules_zone(zone: str, month: str) -> None:
    """The last evening of November is December in Tokyo."""
    evening = int(datetime(2025, 11, 30, 18, tzinfo=UTC).timestamp()) * 1_000_000
    assert month_of(zone, evening) == month


_Step = Callable[[Auto, int, int], list[AutoRechargeEvent]]
_STEPS: tuple[_Step, ...] = (
    lambda auto, us, position: started(auto, seen=Seen(balance_nano=0, position=position), us=us),
    lambda auto, us, position: pay(
        auto, account_id=ACCOUNT, order_id=_open(auto), credited_position=position, stamp=at(us)
    ),
    lambda auto, us, _: decline(
        auto, account_id=ACCOUNT, order_id=_open(auto), reason="declined", stamp=at(us)
    ),
    lambda auto, us, _: need_customer(auto, account_id=ACCOUNT, order_id=_open(auto), stamp=at(us)),
    lambda auto, *_: [] if auto.is_on else [rule_set()],
)


def _open(auto: Auto) -> Any:
    return auto.open_try.order_id if auto.open_try is not None else order(0)


@settings(max_examples=300)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, len(_STEPS) - 1), st.sampled_from([0, BURST_US, DAY_US])), max_size=60
    )
)
def test_whatever_happens_no_month_is_above_its_cap_and_one_order_is_open(
    steps: list[tuple[int, int]],
) -> None:
    """What was tried and not declined is within the cap in each month; orders are not more than so many in a burst."""
    auto, now_us = SPEC.fold(*switched_on()), NOW_US
    counted: dict[Any, tuple[str, int]] = {}
    open_orders: set[Any] = set()
    tried_us: list[int] = []
    for position, (step, wait_us) in enumerate(steps, 200):
        now_us += wait_us
        for event in _STEPS[step](auto, now_us, position):
            auto = evolve(auto, event)
            if isinstance(event, AutoRechargeTried):
                counted[event.order_id] = event.month, event.amount_minor
                open_orders.add(event.order_id)
                tried_us.append(event.occurred_us)
            if isinstance(event, AutoRechargePaid | AutoRechargeDeclined):
                open_orders.remove(event.order_id)
            if isinstance(event, AutoRechargeDeclined):
                del counted[event.order_id]
        assert len(open_orders) <= 1
        for month in {month for month, _ in counted.values()}:
            assert sum(minor for there, minor in counted.values() if there == month) <= RULE.cap_minor
    for first, last in zip(tried_us, tried_us[BURST:], strict=False):
        assert last - first >= BURST_US
