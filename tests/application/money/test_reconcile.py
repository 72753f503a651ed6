"""The lines of payment providers are recorded once."""

from typing import Any

from msgspec.structs import replace

from application.checkout.ports import BalanceTransaction
from application.command import Ports
from application.money.reconcile import SETTLE_US, reconcile
from domain.money.events import PspLineRecorded
from domain.recharge.observing import Movement
from domain.topics import REGISTRY
from tests.application.checkout.provider import FakeProvider, deliver, message, work
from tests.application.checkout.test_webhooks import DISPUTE, PAID, REFUND, bought
from tests.application.recharge.test_orders import store_of
from tests.fakes import NOON_US

LINE = BalanceTransaction(
    transaction_ref="txn_1",
    kind="charge",
    source_ref="pi_1",
    gross_minor=11_900,
    fee_minor=320,
    net_minor=11_580,
    currency="EUR",
    created_us=NOON_US - SETTLE_US - 1,
)


def lines(ports: Ports) -> list[PspLineRecorded]:
    events: list[Any] = [REGISTRY.decode(one.topic, one.state) for one in store_of(ports).log]
    return [event for event in events if isinstance(event, PspLineRecorded)]


def run(ports: Ports) -> int:
    return reconcile(ports.checkouts, store=ports.store, clock=ports.clock)


def test_a_line_of_a_paid_order_is_recorded_once() -> None:
    """However often the list is read; it needs nobody."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    deliver(ports, message())
    work(ports)
    provider.lines = [LINE]
    assert [run(ports), run(ports)] == [1, 0]
    (one,) = lines(ports)
    assert (one.fee_minor, one.other_minor, one.payout_minor) == (320, 0, 0)


def test_a_payment_that_paid_for_no_order_waits_for_somebody() -> None:
    """Its whole amount is open."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [LINE]
    assert run(ports) == 1
    assert lines(ports)[0].other_minor == 11_900


def test_lines_of_refunds_and_disputes_that_an_order_tells_of_need_nobody() -> None:
    """By the refund that a line is of, or by the movement of the dispute; another one of the same payment waits."""
    provider = FakeProvider()
    moved = Movement(transaction_ref="txn_4", amount_minor=-5_950, fee_minor=1_500, currency="EUR")
    ports = bought(provider, PAID, REFUND, replace(DISPUTE, movements=(moved,)))
    deliver(ports, message())
    work(ports)
    back = replace(LINE, kind="refund", gross_minor=-500, fee_minor=0, net_minor=-500)
    provider.lines = [
        LINE,
        replace(back, transaction_ref="txn_2", object_ref="re_1"),
        replace(back, transaction_ref="txn_3", object_ref="re_9"),
        replace(
            LINE,
            kind="adjustment",
            transaction_ref="txn_4",
            object_ref="du_1",
            gross_minor=-5_950,
            fee_minor=1_500,
            net_minor=-7_450,
        ),
    ]
    assert run(ports) == 4
    assert [one.line_ref for one in lines(ports) if one.other_minor] == ["txn_3"]
    assert [one.object_ref or None for one in lines(ports)] == [None, "re_1", "re_9", "du_1"]


def test_a_fee_that_is_a_line_of_its_own_needs_nobody() -> None:
    """As Alipay and WeChat Pay write them: nothing but a fee, of whatever."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [replace(LINE, kind="fee", source_ref="", gross_minor=0, fee_minor=72, net_minor=-72)]
    assert run(ports) == 1
    assert (lines(ports)[0].fee_minor, lines(ports)[0].other_minor) == (72, 0)


def test_a_line_that_does_not_add_up_holds_up_no_other() -> None:
    """Nothing is concluded from it, today or tomorrow; those after it are recorded."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [replace(LINE, transaction_ref="txn_0", net_minor=1), LINE]
    assert [run(ports), run(ports)] == [1, 0]
    assert [one.line_ref for one in lines(ports)] == ["txn_1"]


def test_young_lines_are_left_for_the_next_run() -> None:
    """Their orders may not be credited yet."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [replace(LINE, created_us=NOON_US - SETTLE_US)]
    assert run(ports) == 0


def test_a_provider_that_fails_is_for_the_next_run() -> None:
    """As is a list that does not add up: what comes before is recorded."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [LINE, replace(LINE, transaction_ref="txn_2", net_minor=5)]
    assert run(ports) == 1
    assert len(lines(ports)) == 1
    provider.is_down = True
    assert run(ports) == 0


def test_another_scheduler_that_is_faster_does_no_harm() -> None:
    """The line's stream has one event."""
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [LINE]
    store_of(ports).before_append = lambda: run(ports)
    run(ports)
    assert len(lines(ports)) == 1
