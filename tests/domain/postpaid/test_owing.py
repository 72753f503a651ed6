"""What is bought on account counts in the limit until it is paid or taken back."""

from uuid import UUID

import pytest

from domain.postpaid.events import BoughtOnAccount, PaymentReminded
from domain.postpaid.owing import (
    DAY_US,
    NotOnAccount,
    PaymentOverdue,
    PostpaidLimitReached,
    due_of,
    pay,
    reduce,
    remind,
)
from domain.postpaid.postpaid import Postpaid
from tests.domain.postpaid.accounts import DUE_US, SPEC, agreed, at, bought, proposed
from tests.domain.recharge.orders import ACCOUNT, NOW_US, ORDER

SECOND, REFUND = UUID(int=911), UUID(int=81)


def one_order() -> list[object]:
    return [*agreed(), *bought(SPEC.fold(*agreed()))]


def test_an_order_counts_with_its_tax() -> None:
    """As it is due when it is to be paid."""
    (event,) = bought(SPEC.fold(*agreed()))
    assert isinstance(event, BoughtOnAccount)
    assert (event.amount_minor, event.unpaid_minor, event.due_us) == (11_900, 11_900, DUE_US)


def test_without_a_limit_that_stands_nothing_is_bought() -> None:
    """Nor with one that only waits."""
    SPEC.given().when(bought).then_refused(NotOnAccount)
    SPEC.given(*proposed()).when(bought).then_refused(NotOnAccount)
    SPEC.given(*agreed(currency="USD")).when(bought).then_refused(NotOnAccount)


def test_what_is_unpaid_never_passes_the_limit() -> None:
    """To the last cent; what is paid or taken back makes room."""
    exact = agreed(limit_minor=11_900)
    full = [*exact, *bought(SPEC.fold(*exact))]
    SPEC.given(*full).when(lambda now: bought(now, order_id=SECOND, amount_minor=500)).then_refused(
        PostpaidLimitReached, required_minor=595, left_minor=0, currency="EUR"
    )
    now = SPEC.fold(*full)
    paid = pay(now, ORDER, account_id=ACCOUNT, amount_minor=11_900, stamp=at())
    less = reduce(now, ORDER, account_id=ACCOUNT, refund_id=REFUND, amount_minor=595, stamp=at())
    assert SPEC.fold(*full, *paid).left_minor == 11_900
    assert bought(SPEC.fold(*full, *less), order_id=SECOND, amount_minor=500)


def test_while_an_order_is_overdue_nothing_more_is_bought() -> None:
    """From its time on, and until it is paid."""
    begun = one_order()

    def _at(now: Postpaid, now_us: int) -> list[object]:
        return list(bought(now, order_id=SECOND, amount_minor=500, now_us=now_us))

    assert _at(SPEC.fold(*begun), DUE_US - 1)
    with pytest.raises(PaymentOverdue) as refused:
        _at(SPEC.fold(*begun), DUE_US)
    assert refused.value.due_us == DUE_US
    paid = pay(SPEC.fold(*begun), ORDER, account_id=ACCOUNT, amount_minor=11_900, stamp=at())
    assert _at(SPEC.fold(*begun, *paid), DUE_US)


def test_a_customer_is_reminded_once_before_and_once_after() -> None:
    """With what is left to pay; not of what is paid."""
    begun = one_order()
    told: list[tuple[str, int]] = []
    for now_us in (NOW_US, DUE_US - 3 * DAY_US, DUE_US - 1, DUE_US, DUE_US + 9 * DAY_US):
        events = remind(SPEC.fold(*begun), ORDER, account_id=ACCOUNT, stamp=at(now_us=now_us))
        for event in events:
            assert isinstance(event, PaymentReminded)
            told.append((event.stage, event.amount_minor))
        begun += events
    assert told == [("due_soon", 11_900), ("overdue", 11_900)]
    begun += pay(SPEC.fold(*begun), ORDER, account_id=ACCOUNT, amount_minor=11_900, stamp=at())
    assert remind(SPEC.fold(*begun), ORDER, account_id=ACCOUNT, stamp=at(now_us=DUE_US)) == []


def test_with_a_day_to_pay_nobody_is_reminded_at_once() -> None:
    """In the second half of the time."""
    due_us = NOW_US + DAY_US
    now = SPEC.fold(*agreed(), *bought(SPEC.fold(*agreed()), due_us=due_us))
    assert remind(now, ORDER, account_id=ACCOUNT, stamp=at(now_us=due_us - DAY_US // 2 - 1)) == []
    assert remind(now, ORDER, account_id=ACCOUNT, stamp=at(now_us=due_us - DAY_US // 2))


def test_an_order_is_due_at_the_end_of_a_day_where_the_seller_is() -> None:
    """Whatever the clocks do in between: Berlin sets them back on 2025-10-26."""
    noon_us = 1_761_300_000_000_000  # 2025-10-24 10:00 UTC
    assert due_of(noon_us, days=1, zone="UTC") == 1_761_436_800_000_000  # 2025-10-26 00:00 UTC
    assert due_of(noon_us, days=1, zone="Asia/Tokyo") == 1_761_404_400_000_000  # nine hours earlier
    assert due_of(noon_us, days=3, zone="Europe/Berlin") == 1_761_606_000_000_000  # 2025-10-27 23:00 UTC
