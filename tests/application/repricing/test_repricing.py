"""Charges of the past by other prices: a plan that repeats, and adjustments that are posted once."""

from typing import Any
from uuid import UUID

import pytest

from application.accounts import open_account
from application.adjustments import adjust_credit, deny_adjustment
from application.adjustments.adjust_credit import AdjustCredit
from application.adjustments.deny_adjustment import DenyAdjustment
from application.command import new_event
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.wallet_reader import load_wallet
from application.repricing import approve_run, post_run
from application.repricing.answer import plan_csv
from application.repricing.approve_run import ApproveRepricing
from application.repricing.plan import plan_repricing
from application.repricing.post_run import PostRepricing, RunPosted
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.fact import SYSTEM, Actor
from domain.ledger.events import AdjustmentPosted, Units, UsageCharged
from domain.pricing import Price
from domain.refusal import BadField, NotFound, SecondOperatorNeeded
from domain.repricing import (
    AlreadyRepriced,
    PlanChanged,
    RepricedAccount,
    RepricingPlan,
    RepricingQuestion,
    RepricingRunPosted,
    adjustment_of,
)
from domain.topics import REGISTRY
from tests.fakes import NOON_US, MemoryEventStore, memory_ports

FIRST, SECOND = Actor("operator", UUID(int=901)), Actor("operator", UUID(int=902))
KEY, DEPLOYMENT = UUID(int=1), UUID(int=2)
MONTH = {"alias": "big", "from_us": NOON_US, "until_us": NOON_US + 1_000, "new_price_version": 2}


def _price(nano: int) -> Price:
    return Price(
        input_nano_per_million=nano * 1_000_000,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=0,
        request_nano_per_million=0,
    )


class Shop:
    """Two customers; version 1 of the price of `big` was 10 nano-credits a token, 2 says 7, and 3 says 12."""

    def __init__(self) -> None:
        self.ports = memory_ports()
        self._charges = 0
        for version, nano in enumerate((10, 7, 12), 1):
            published = PriceListPublished(
                entries={"big": _price(nano)},
                markup_ppm=1_000_000,
                effective_from_us=0,
                note="test",
                approved_by="system",
                occurred_us=NOON_US,
                actor="system",
            )
            self._append(PRICE_LIST_STREAM, version, published)
        self.ada, self.bob = (self._open(name) for name in ("Ada", "Bob"))

    def _append(self, stream_id: UUID, version: int, event: Any) -> None:
        self.ports.store.append([new_event(stream_id, version, event)])

    def _open(self, name: str) -> UUID:
        opened = open_account.handle(open_account.OpenAccount(name=name), actor=SYSTEM, ports=self.ports)
        grant = GrantCredit(
            account_id=opened.id,
            lot_id=opened.id,
            amount_nano=50,
            source="paid",
            reason="x",
            granted_by="system",
        )
        grant_credit(grant, store=self.ports.store, clock=self.ports.clock)
        return opened.id

    def charge(self, account_id: UUID, tokens: int, **more: Any) -> None:
        self._charges += 1
        fields: dict[str, Any] = {
            "alias": "big",
            "charge_nano": 10 * tokens,
            "hold_nano": 10 * tokens,
            "price_version": 1,
            "occurred_us": NOON_US + 5,
        }
        event = UsageCharged(
            request_id=UUID(int=5_000 + self._charges),
            account_id=account_id,
            key_id=KEY,
            shortfall_nano=0,
            units=Units(input=tokens),
            usage_source="provider",
            result="completed",
            provider="acme",
            deployment_id=DEPLOYMENT,
            attempts=(),
            first_byte_ms=1,
            total_ms=2,
            **(fields | more),
        )
        self._append(UUID(int=6_000 + self._charges), 1, event)

    def plan(self, **changes: Any) -> RepricingPlan:
        return plan_repricing(self.ports.store, RepricingQuestion(**(MONTH | changes)))

    def post(self, plan: str, *, by: Actor = FIRST, **changes: Any) -> RunPosted:
        command = PostRepricing(plan=plan, reason="too dear", **(MONTH | changes))
        return post_run.handle(command, actor=by, ports=self.ports)

    def approve(self, run_id: UUID, *, by: Actor = SECOND) -> RunPosted:
        return approve_run.handle(ApproveRepricing(run_id=run_id), actor=by, ports=self.ports)

    def available_nano(self, account_id: UUID) -> int:
        return load_wallet(self.ports.store, account_id).wallet.available_nano

    def facts(self, kind: type[Any]) -> list[Any]:
        assert isinstance(self.ports.store, MemoryEventStore)
        events = [REGISTRY.decode(one.topic, one.state) for one in self.ports.store.log]
        return [one for one in events if isinstance(one, kind)]


def test_a_plan_is_the_difference_of_each_customer() -> None:
    """Of the charges that were asked for alone; the same question gives the same plan, and writes nothing."""
    shop = Shop()
    shop.charge(shop.ada, 3)
    shop.charge(shop.ada, 2)
    shop.charge(shop.bob, 1)
    for other in ({"alias": "small"}, {"occurred_us": NOON_US - 1}, {"occurred_us": NOON_US + 1_000}):
        shop.charge(shop.bob, 9, **other)
    shop.charge(shop.bob, 9, price_version=2, charge_nano=63)
    head = shop.ports.store.head_position()
    plan = shop.plan()
    accounts = (RepricedAccount(shop.ada, 2, 50, 35), RepricedAccount(shop.bob, 1, 10, 7))
    assert plan.accounts == tuple(sorted(accounts, key=lambda one: one.account_id.int))
    assert (plan.charges, plan.credit_nano, plan.debit_nano) == (3, 18, 0)
    assert shop.plan() == plan
    assert shop.plan(price_version=1).accounts == plan.accounts
    assert shop.ports.store.head_position() == head
    assert plan_csv(plan).splitlines()[0] == "account_id,charges,paid_nano,right_nano,due_nano"
    assert f"{shop.ada},2,50,35,15" in plan_csv(plan)


def test_nobody_pays_more_than_was_on_hold() -> None:
    """Whatever the other prices say; the factor of the hour stays."""
    shop = Shop()
    shop.charge(shop.ada, 2, hold_nano=21)
    shop.charge(shop.bob, 2, factor_ppm=500_000, charge_nano=10, hold_nano=20)
    plan = shop.plan(new_price_version=3)
    right = {one.account_id: one.right_nano for one in plan.accounts}
    assert right == {shop.ada: 21, shop.bob: 12}


def test_a_run_gives_back_once() -> None:
    """One adjustment for each customer, about the run; doing it again does nothing."""
    shop = Shop()
    shop.charge(shop.ada, 3)
    shop.charge(shop.bob, 1)
    run = shop.post(shop.plan().sha256)
    assert (run.posted, run.waiting, run.not_taken) == (2, 0, ())
    assert (shop.available_nano(shop.ada), shop.available_nano(shop.bob)) == (59, 53)
    head = shop.ports.store.head_position()
    assert shop.post(shop.plan().sha256, by=SECOND).posted == 2
    assert shop.ports.store.head_position() == head
    posted = shop.facts(AdjustmentPosted)
    assert {(one.account_id, one.amount_nano, one.direction, one.ref) for one in posted} == {
        (shop.ada, 9, "credit", run.run_id),
        (shop.bob, 3, "credit", run.run_id),
    }
    (summary,) = shop.facts(RepricingRunPosted)
    assert (summary.credit_nano, summary.charges, summary.waits) == (12, 2, False)


def test_a_run_that_was_killed_is_completed() -> None:
    """The run stands in the log before its first adjustment: whoever gives the command again finishes it."""
    shop = Shop()
    shop.charge(shop.ada, 3)
    shop.charge(shop.bob, 1)
    store = shop.ports.store
    assert isinstance(store, MemoryEventStore)
    calls = iter(range(10))

    class Killed(Exception):
        pass

    append = store.append

    def dying(events: Any) -> int:
        if next(calls) == 2:
            raise Killed
        return append(events)

    store.append = dying  # type: ignore[method-assign]  # the process dies before the second adjustment
    with pytest.raises(Killed):
        shop.post(shop.plan().sha256)
    store.append = append  # type: ignore[method-assign]  # another one takes over
    assert len(shop.facts(AdjustmentPosted)) == 1
    assert shop.post(shop.plan().sha256).posted == 2
    assert len(shop.facts(AdjustmentPosted)) == 2


def test_a_plan_that_comes_out_differently_is_not_posted() -> None:
    """A charge came in, or something else was asked for: somebody has to look at it again."""
    shop = Shop()
    shop.charge(shop.ada, 3)
    plan = shop.plan()
    shop.charge(shop.ada, 1)
    with pytest.raises(PlanChanged):
        shop.post(plan.sha256)
    with pytest.raises(PlanChanged):
        shop.post(shop.plan().sha256, new_price_version=3)
    assert shop.facts(RepricingRunPosted) == []


def test_no_charge_is_repriced_twice() -> None:
    """By a run that reaches into another one; a month beside it is free."""
    shop = Shop()
    shop.charge(shop.ada, 3)
    shop.charge(shop.ada, 3, occurred_us=NOON_US + 1_000)
    shop.post(shop.plan().sha256)
    wider = {"until_us": NOON_US + 2_000}
    with pytest.raises(AlreadyRepriced):
        shop.post(shop.plan(**wider).sha256, **wider)
    beside = {"from_us": NOON_US + 1_000, "until_us": NOON_US + 2_000}
    assert shop.post(shop.plan(**beside).sha256, **beside).posted == 1


def test_what_was_paid_too_little_is_taken_only_when_asked_for() -> None:
    """And never below zero: who has less is named, and nothing is taken of them."""
    shop = Shop()
    shop.charge(shop.ada, 3, hold_nano=100)
    shop.charge(shop.bob, 30, hold_nano=1_000)
    dearer = {"new_price_version": 3}
    plan = shop.plan(**dearer)
    assert (plan.credit_nano, plan.debit_nano) == (0, 66)
    with pytest.raises(BadField):
        shop.post(plan.sha256, **dearer)
    run = shop.post(plan.sha256, with_debits=True, **dearer)
    assert (run.posted, run.not_taken) == (1, (shop.bob,))
    assert (shop.available_nano(shop.ada), shop.available_nano(shop.bob)) == (44, 50)


def test_a_large_run_waits_for_another_operator() -> None:
    """All of it, by its total, though each adjustment is small. One that was denied before stays denied."""
    shop = Shop()
    shop.charge(shop.ada, 33)
    shop.charge(shop.bob, 1)
    run = shop.post(shop.plan().sha256)
    assert (run.posted, run.waiting) == (0, 2)
    with pytest.raises(SecondOperatorNeeded):
        shop.approve(run.run_id, by=FIRST)
    deny = DenyAdjustment(adjustment_id=adjustment_of(run.run_id, shop.bob), reason="settled otherwise")
    deny_adjustment.handle(deny, actor=SECOND, ports=shop.ports)
    approved = shop.approve(run.run_id)
    assert (approved.posted, approved.waiting, approved.denied) == (1, 0, 1)
    assert (shop.available_nano(shop.ada), shop.available_nano(shop.bob)) == (149, 50)
    assert shop.approve(run.run_id).posted == 1
    assert shop.available_nano(shop.ada) == 149


def test_a_debit_that_cannot_be_taken_any_more_goes_on_waiting() -> None:
    """The others are posted."""
    shop = Shop()
    shop.charge(shop.ada, 20, hold_nano=1_000)
    shop.charge(shop.bob, 25, hold_nano=1_000)
    dearer = {"new_price_version": 3, "with_debits": True}
    shop.ports = type(shop.ports)(
        **{name: getattr(shop.ports, name) for name in shop.ports.__struct_fields__} | {"approval_nano": 50}
    )
    run = shop.post(shop.plan(new_price_version=3).sha256, **dearer)
    assert run.waiting == 2
    spend = AdjustCredit(
        account_id=shop.bob, direction="debit", amount_nano=10, reason="x", adjustment_id=UUID(int=77)
    )
    adjust_credit.handle(spend, actor=FIRST, ports=shop.ports)
    approved = shop.approve(run.run_id)
    assert (approved.posted, approved.waiting, approved.not_taken) == (1, 1, (shop.bob,))


@pytest.mark.parametrize(
    "question", [{"new_price_version": 9}, {"new_price_version": 0}, {"alias": "small"}], ids=str
)
def test_prices_that_are_not_there_are_said_so(question: dict[str, Any]) -> None:
    """A version that nobody published, or one without the model."""
    with pytest.raises(NotFound):
        Shop().plan(**question)


def test_a_time_is_from_before_until() -> None:
    """Else no charge is meant."""
    with pytest.raises(BadField):
        Shop().plan(until_us=NOON_US)


def test_a_run_that_is_not_there_is_not_approved() -> None:
    """An id that is mistyped."""
    with pytest.raises(NotFound):
        Shop().approve(UUID(int=7))
