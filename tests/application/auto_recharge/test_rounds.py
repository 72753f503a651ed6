"""A low balance becomes one paid order, whatever crashes when."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from application.accounts.suspend_account import SuspendAccount
from application.accounts.suspend_account import handle as suspend
from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import Checkouts, ProviderUnavailable
from application.eventlog import LogUnavailable
from application.recharge.change_order import change_order
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from domain.auto_recharge.events import AutoRechargeCapReached, AutoRechargeTried
from domain.fact import SYSTEM, Stamp
from domain.recharge.order import existing
from domain.recharge.placing import CHECKOUT_US, expire
from tests.application.auto_recharge.automatic import World, automatic, with_method
from tests.application.checkout.provider import FakeProvider
from tests.application.recharge.test_orders import lots
from tests.domain.recharge.orders import ACCOUNT

BOUGHT_NANO = 100_000_000_000
GROSS_MINOR = 11_900


def topics(world: World) -> list[str]:
    return [one.topic for one in world.store.log if one.topic.startswith("auto-recharge.")]


def settle(world: World, rounds: int = 5) -> None:
    """Some more rounds, of whichever workers."""
    for _ in range(rounds):
        world.round()


def test_a_low_balance_is_ordered_paid_and_credited() -> None:
    """The order is stored with its reason, and credited by what the provider says of its payment."""
    world = automatic()
    assert world.round() == 1
    order = world.order()
    assert (order.status, order.placed.amount_minor, order.placed.actor) == (
        "credited",
        GROSS_MINOR,
        "system",
    )
    assert [lot.amount_nano for lot in lots(world.ports)] == [BOUGHT_NANO]
    assert world.provider.saved.taken == ["pi_1"]
    charge = world.provider.saved.charges["pi_1"]
    assert (charge.amount_minor, charge.method_ref, charge.customer_ref) == (GROSS_MINOR, "pm_1", "cus_1")
    tried = next(one for one in world.store.log if one.topic == AutoRechargeTried.TOPIC)
    placed = next(one for one in world.store.log if one.topic == "order.placed.v1")
    assert placed.position == tried.position + 1
    settle(world)
    assert topics(world)[-3:] == ["auto-recharge.tried.v1", "auto-recharge.begun.v1", "auto-recharge.paid.v1"]
    assert (world.auto.tries, world.auto.open_try) == (1, None)


def test_a_balance_from_before_the_credit_recharges_nothing() -> None:
    """The read model is late: it still says low, and means the time before."""
    world = automatic()
    world.balance_nano, world.position = 5, world.store.head_position()
    for _ in range(3):
        world.round()
    assert world.provider.saved.taken == ["pi_1"]
    world.position = None
    world.round()
    assert world.provider.saved.taken == ["pi_1", "pi_2"]


class _Crash(Exception):
    """The process is gone."""


def _crashing(world: World, at: int, *, after: bool) -> Callable[[], int]:
    """Make the step number `at` of a round the last one: an append, or a call to the provider. Returns how many steps there were."""
    steps = 0

    def stepping(act: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            nonlocal steps
            steps += 1
            if steps == at and not after:
                raise _Crash
            done = act(*args, **kwargs)
            if steps == at:
                raise _Crash
            return done

        return step

    saved = world.provider.saved
    for owner, names in ((world.store, ("append",)), (saved, ("begin", "take", "give_up"))):
        for name in names:
            setattr(owner, name, stepping(getattr(owner, name)))
    return lambda: steps


def _mended(world: World) -> None:
    for owner, names in ((world.store, ("append",)), (world.provider.saved, ("begin", "take", "give_up"))):
        for name in names:
            delattr(owner, name)


@pytest.mark.parametrize("outcome", ["captured", "failed", "needs_customer"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_makes_one_payment_or_none(outcome: str, *, after: bool) -> None:
    """Before or after each append and each call to the provider, which remembers no keys: the next worker finishes it."""
    steps, at = 99, 1
    while at <= steps:
        world = automatic()
        world.provider.saved.outcome = outcome  # type: ignore[assignment]  # one of them
        count = _crashing(world, at, after=after)
        try:
            world.round()
        except _Crash:
            pass
        else:
            steps = count()
            break
        _mended(world)
        settle(world)
        taken = world.provider.saved.taken
        assert len(taken) == (outcome == "captured"), f"crash at step {at}"
        assert [lot.amount_nano for lot in lots(world.ports)] == [BOUGHT_NANO] * len(taken)
        assert world.auto.tries == 1
        latest = world.auto.latest
        assert latest is not None
        expected = {"captured": "paid", "failed": "declined", "needs_customer": "needs_customer"}[outcome]
        assert latest.state == expected, f"crash at step {at}"
        at += 1
    assert at > 5, "the steps were crashed in"


def test_two_workers_at_once_take_money_once() -> None:
    """Each begins a payment of its own, for the keys are forgotten; only the one that was noted is made."""
    world = automatic()
    saved = world.provider.saved
    saved.before_take = world.round
    world.round()
    assert len(saved.taken) == 1
    other = automatic()
    begin = other.provider.saved.begin

    def begin_twice(charge: object) -> str:
        other.provider.saved.begin = begin  # type: ignore[method-assign]  # once
        other.round()
        return begin(charge)  # type: ignore[arg-type]  # passed on

    other.provider.saved.begin = begin_twice  # type: ignore[assignment, method-assign]  # a worker comes in between
    other.round()
    assert len(other.provider.saved.charges) == 2
    assert other.provider.saved.taken == ["pi_1"]
    assert [lot.amount_nano for lot in lots(other.ports)] == [BOUGHT_NANO]


def test_a_decline_is_waited_for_and_then_it_is_off() -> None:
    """Each order is cancelled, so nobody pays it later by mistake; nothing counts against the cap."""
    world = automatic()
    world.provider.saved.outcome = "failed"
    for number, wait_s in enumerate((3600, 6 * 3600, 24 * 3600, None), 1):
        world.round()
        assert (world.order(number).status, world.auto.declines) == ("cancelled", number)
        assert world.round() == 0
        if wait_s is not None:
            world.clock.move(wait_s)
    assert not world.auto.is_on
    assert set(world.auto.used_minor.values()) == {0}
    world.clock.move(10**6)
    assert world.round() == 0
    assert world.provider.saved.taken == []


def test_a_bank_that_asks_for_the_customer_leaves_the_order_to_them() -> None:
    """They pay it on a page as any other; meanwhile no second order is placed."""
    world = automatic()
    world.provider.saved.outcome = "needs_customer"
    world.round()
    assert world.order().is_waiting
    settle(world)
    assert world.auto.tries == 1
    command = OpenCheckout(order_id=world.order().order_id)
    assert open_checkout(command, actor=SYSTEM, ports=world.ports).url
    world.clock.move(CHECKOUT_US / 1_000_000)
    at = Stamp(now_us=world.clock.now_us(), actor="system")
    order_id = world.order().order_id
    change_order(world.ports.store, order_id, lambda order: expire(existing(order, order_id), stamp=at))
    world.round()
    latest = world.auto.latest
    assert latest is not None
    assert (latest.state, latest.reason) == ("declined", "expired")


def test_an_order_that_expires_while_nobody_knows_is_given_up_there_first() -> None:
    """The provider was away; when it is back, no money is taken for what nobody waits for."""
    world = automatic()
    world.provider.saved.before_take = lambda: (_ for _ in ()).throw(ProviderUnavailable("down"))
    world.round()
    assert world.auto.open_try is not None
    world.clock.move(CHECKOUT_US / 1_000_000)
    at = Stamp(now_us=world.clock.now_us(), actor="system")
    order_id = world.order().order_id
    change_order(world.ports.store, order_id, lambda order: expire(existing(order, order_id), stamp=at))
    settle(world, 1)
    assert (world.provider.saved.states["pi_1"], world.provider.saved.taken) == ("failed", [])
    assert world.auto.declines == 1


def test_money_that_was_taken_credits_an_order_that_has_expired() -> None:
    """The answer was lost, and the order's time with it."""
    world = automatic()
    world.provider.saved.after_take = lambda: (_ for _ in ()).throw(ProviderUnavailable("down"))
    world.round()
    assert world.provider.saved.taken == ["pi_1"]
    world.clock.move(CHECKOUT_US / 1_000_000)
    at = Stamp(now_us=world.clock.now_us(), actor="system")
    order_id = world.order().order_id
    change_order(world.ports.store, order_id, lambda order: expire(existing(order, order_id), stamp=at))
    settle(world)
    assert [lot.amount_nano for lot in lots(world.ports)] == [BOUGHT_NANO]
    assert world.auto.used_minor == {"EUR 2025-11": GROSS_MINOR}


def test_money_that_does_not_match_waits_for_an_operator() -> None:
    """Nothing is credited, nothing more is taken, and it counts against the cap."""
    world = automatic()
    world.provider.saved.amount_minor = 5
    for _ in range(3):
        world.round()
    assert "mismatched" in world.order().payments.values()
    assert world.auto.open_try is not None
    assert world.provider.saved.taken == ["pi_1"]


def test_the_months_cap_is_never_passed() -> None:
    """Three recharges fit; that the fourth does not is said once."""
    world = automatic(cap_minor=3 * GROSS_MINOR + 1)
    world.balance_nano = 5
    for _ in range(10):
        world.round()
        world.clock.move(3600)
    assert len(world.provider.saved.taken) == 3
    assert topics(world).count(AutoRechargeCapReached.TOPIC) == 1
    world.clock.move(31 * 24 * 3600)
    world.round()
    assert len(world.provider.saved.taken) == 4


def test_a_provider_that_is_away_is_asked_again() -> None:
    """The order waits; nothing is declined."""
    world = automatic()
    world.provider.is_down = True
    for _ in range(3):
        assert world.round() == 0
    assert (world.auto.tries, world.auto.declines) == (1, 0)
    world.provider.is_down = False
    world.round()
    assert world.provider.saved.taken == ["pi_1"]


def test_a_way_to_pay_that_is_not_there_any_more_is_a_decline() -> None:
    """The provider knows of no payment, so there is none to be noted."""
    world = automatic()
    world.provider.saved.refuses_to_begin = "resource_missing"
    world.round()
    latest = world.auto.latest
    assert latest is not None
    assert (latest.state, latest.reason, latest.payment_ref) == ("declined", "resource_missing", None)
    assert world.order().status == "cancelled"


def test_what_is_not_offered_any_more_stops_it() -> None:
    """It is the customer's to choose again."""
    world = automatic()
    command = SetRechargeOffer(currency="EUR", rate_num=10_000_000, open=False)
    set_offer(command, actor=SYSTEM, ports=world.ports)
    world.round()
    assert not world.auto.is_on
    assert topics(world)[-1] == "auto-recharge.stopped.v1"
    assert world.provider.saved.charges == {}


def suspended(world: World) -> None:
    suspend(SuspendAccount(account_id=ACCOUNT, reason="x"), actor=SYSTEM, ports=world.ports)


def disputed(world: World) -> None:
    world.disputed = True


def switched_to_test_mode(world: World) -> None:
    world.ports = replace(world.ports, checkouts=Checkouts([FakeProvider(mode="test")]))


def without_the_provider(world: World) -> None:
    world.ports = replace(world.ports, checkouts=Checkouts([FakeProvider(name="other")]))


def without_any_provider(world: World) -> None:
    world.ports = replace(world.ports, checkouts=Checkouts())


@pytest.mark.parametrize(
    "hinder",
    [suspended, disputed, switched_to_test_mode, without_the_provider, without_any_provider],
    ids=lambda one: one.__name__,
)
def test_nothing_is_recharged_where_something_stands_against_it(hinder: Callable[[World], None]) -> None:
    """The rule stays on, and goes on when it is over."""
    world = automatic()
    hinder(world)
    assert world.round() == 0
    assert (world.auto.tries, world.auto.is_on) == (0, True)
    assert world.provider.saved.charges == {}


def test_without_a_rule_nothing_is_recharged() -> None:
    """A way to pay alone is no order."""
    world = with_method()
    assert world.round() == 0
    assert world.provider.saved.charges == {}


def test_a_log_that_is_away_is_for_the_next_round() -> None:
    """Nothing is taken for what could not be stored."""
    world = automatic()
    world.store.before_append = lambda: (_ for _ in ()).throw(LogUnavailable("down"))
    assert world.round() == 0
    assert world.provider.saved.charges == {}
    world.round()
    assert world.provider.saved.taken == ["pi_1"]
