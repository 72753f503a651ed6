"""Budgets in two processes: what is left is told exactly, refused exactly, and comes back whatever happens to whom."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.eventlog import JournalFull, LogUnavailable, VersionConflict
from application.ledger.budget_desk import REFUSAL_BELIEVED_S
from application.ledger.reaper import fence_lease
from domain.budgets.budget import Budget
from domain.budgets.events import BudgetShareGranted, BudgetShareReturned, BudgetShareSettled
from domain.budgets.window import HOUR_US, BudgetWindow
from domain.ledger.events import LeaseShareRaised, RequestAdmitted, UsageCharged
from domain.ledger.refusals import BudgetExceeded, LeaseEnded
from domain.ledger.shares import BudgetBucket
from tests.application.ledger.ledger_world import ACCOUNT, ANSWER, KEY, TOPICS, LedgerWorld, Process, played
from tests.budget_audit import BudgetAuditor
from tests.fakes import NOON_US

DAY_S = 24 * 3600
TODAY_US = NOON_US - NOON_US % (24 * HOUR_US)


def daily(amount_nano: int, number: int = 1, **more: Any) -> Budget:
    plain = Budget(
        budget_id=UUID(int=number << 80),
        account_id=ACCOUNT,
        key_id=KEY,
        amount_nano=amount_nano,
        window=BudgetWindow(kind="day"),
        enforcement="hard",
        alert_percents=(),
    )
    return msgspec.structs.replace(plain, **more)


def audited(
    scenario: Callable[[LedgerWorld], Awaitable[None]], *budgets: Budget, **more: Any
) -> tuple[LedgerWorld, BudgetAuditor]:
    """Play it, settle everything, and go through the log with the auditor."""
    world = played(scenario, **more)
    auditor = BudgetAuditor(budgets)
    for one in world.store.log:
        auditor.take(one.stream_id, TOPICS.decode(one.topic, one.state))
    return world, auditor


async def tried(process: Process, hold_nano: int, *budgets: Budget) -> bool:
    """Hold and charge it all; false if a budget refused."""
    try:
        await process.serve(hold_nano, hold_nano, budgets=budgets)
    except BudgetExceeded:
        return False
    return True


def test_a_budget_for_ten_serves_ten() -> None:
    """64 requests at once in two processes, with credit for all: ten are served, and the rest told the numbers."""
    budget = daily(500)

    async def scenario(world: LedgerWorld) -> None:
        tries = [tried(process, 50, budget) for _ in range(32) for process in (world.first, world.second)]
        assert sum(await asyncio.gather(*tries)) == 10
        with pytest.raises(BudgetExceeded) as refused:
            await world.first.hold(1, budgets=(budget,))
        told = refused.value
        assert (told.budget_id, told.budget_nano) == (budget.budget_id, 500)
        assert (told.required_nano, told.available_nano, told.held_nano) == (1, 0, 0)
        assert told.until_us == TODAY_US + 24 * HOUR_US

    world, auditor = audited(scenario, budget)
    assert auditor.charged == {BudgetBucket(budget.budget_id, TODAY_US): 500}
    assert len(world.facts(UsageCharged)) == 10


def test_a_budget_is_spent_to_its_end_in_parts() -> None:
    """Holds of 50 of which 7 are charged: whatever comes free is used again, here or there."""
    budget = daily(500)

    async def scenario(world: LedgerWorld) -> None:
        served = 0
        for number in range(200):
            process = (world.first, world.second)[number % 2]
            try:
                await process.serve(50, 7, budgets=(budget,))
            except BudgetExceeded:
                break
            served += 1
        assert served == 65  # 64 charges leave 52

    _, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 65 * 7


def test_a_large_budget_is_spent_from_memory() -> None:
    """A thousand requests take a few shares, and none reads or writes the budget for itself."""
    budget = daily(10**6)

    async def scenario(world: LedgerWorld) -> None:
        for _ in range(1_000):
            await world.first.serve(10, 10, budgets=(budget,))

    world, _ = audited(scenario, budget, credit_nano=10**7)
    assert len(world.facts(BudgetShareGranted)) <= 3


def test_a_share_that_lies_idle_elsewhere_is_no_reason_to_refuse() -> None:
    """The first process has all of the budget and holds nothing of it: the second asks, and gets it."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(100, budgets=(budget,))
        await held.release(code="test", attempts=(), total_ms=0, now_us=0)
        await world.second.serve(100, 100, budgets=(budget,))

    audited(scenario, budget)


def test_a_share_that_is_held_elsewhere_is_refused_once_everybody_answered() -> None:
    """The refusal says what is available; what the other charges in the end is not refused."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(60, budgets=(budget,))
        with pytest.raises(BudgetExceeded) as refused:
            await world.second.hold(41, budgets=(budget,))
        assert (refused.value.available_nano, refused.value.is_held) == (40, False)
        await world.second.serve(40, 40, budgets=(budget,))
        with pytest.raises(BudgetExceeded) as refused:
            await world.first.hold(10, budgets=(budget,))
        assert (refused.value.held_nano, refused.value.is_held) == (60, True)
        await world.first.charge(held, 50)
        await world.first.serve(10, 10, budgets=(budget,))

    _, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 100


def test_what_the_dead_charged_stays_spent_and_the_rest_comes_back() -> None:
    """A process charges 30, holds 20 and dies with a share of all: 70 are left, to the nano-credit."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 30, budgets=(budget,))
        held = await world.first.hold(20, budgets=(budget,))
        await held.admitted
        fence(world, world.first, by=world.second)
        await world.second.serve(70, 70, budgets=(budget,))
        assert not await tried(world.second, 1, budget)
        held.live.lost = True  # the dead wakes up, and learns of it
        with pytest.raises(LeaseEnded):
            held.charge(rated_nano=20, answer=ANSWER, now_us=0)

    world, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 100
    (dead, *_) = world.facts(BudgetShareSettled)
    assert isinstance(dead, BudgetShareSettled)
    assert dead.charged_nano == 30


def fence(world: LedgerWorld, process: Process, *, by: Process) -> None:
    """As a reaper does with the active lease of a process."""
    assert fence_lease(
        world.store,
        account_id=ACCOUNT,
        lease_id=process.live.lease.lease_id,
        by=by.owner,
        reason="test",
        now_us=world.clock.now_us(),
    )


def test_a_new_day_has_a_budget_of_its_own() -> None:
    """Nothing is reset: the next day is another bucket. What was admitted before midnight counts before midnight."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        late = await world.first.hold(100, budgets=(budget,))
        assert not await tried(world.first, 1, budget)
        world.clock.move(DAY_S)
        assert await tried(world.first, 100, budget)
        await world.first.charge(late, 90)
        assert not await tried(world.second, 1, budget)

    _, auditor = audited(scenario, budget)
    assert auditor.charged == {
        BudgetBucket(budget.budget_id, TODAY_US): 90,
        BudgetBucket(budget.budget_id, TODAY_US + 24 * HOUR_US): 100,
    }


def test_the_last_hours_roll_on() -> None:
    """Two hours: what was spent in the first comes free when the third begins, an idle share of an hour at once."""
    budget = daily(100, window=BudgetWindow(kind="rolling", hours=2))

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 60, budgets=(budget,))
        world.clock.move(3600)
        assert await tried(world.first, 40, budget)
        assert not await tried(world.second, 1, budget)
        world.clock.move(3600)
        assert await tried(world.second, 60, budget)
        assert not await tried(world.first, 1, budget)

    audited(scenario, budget)


def test_a_soft_budget_refuses_nothing_and_lends_nothing() -> None:
    """Its bucket is named by the admission, so that charges can be counted."""
    budget = daily(100, enforcement="soft")

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1_000, 1_000, budgets=(budget,))

    world, auditor = audited(scenario, budget)
    assert auditor.charged == {BudgetBucket(budget.budget_id, TODAY_US): 1_000}
    assert not world.facts(BudgetShareGranted)


def test_the_narrowest_of_several_budgets_refuses() -> None:
    """One of the key, one of the account: both are charged, and what the wider had lent is no loss."""
    key, account = daily(100), daily(150, 2, key_id=None)

    async def scenario(world: LedgerWorld) -> None:
        assert await tried(world.first, 80, key, account)
        with pytest.raises(BudgetExceeded) as refused:
            await world.second.hold(30, budgets=(key, account))
        assert refused.value.budget_id == key.budget_id
        assert await tried(world.second, 70, account)
        with pytest.raises(BudgetExceeded) as refused:
            await world.second.hold(20, budgets=(key, account))
        assert refused.value.budget_id == account.budget_id

    _, auditor = audited(scenario, key, account)
    assert sorted(auditor.charged.values()) == [80, 150]


def test_a_lowered_budget_counts_at_once() -> None:
    """A process that has the old amount in hand gives back what it does not hold before it admits anybody."""
    budget = daily(10_000)
    lowered = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 10, budgets=(budget,))
        assert await tried(world.first, 90, lowered)
        assert not await tried(world.first, 1, lowered)
        assert not await tried(world.second, 1, lowered)

    audited(scenario, budget)


def test_a_raised_budget_counts_at_once() -> None:
    """Who was refused a moment ago is served when there is more."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        assert await tried(world.first, 100, budget)
        assert not await tried(world.first, 50, budget)
        world.clock.move(REFUSAL_BELIEVED_S)
        assert await tried(world.first, 50, daily(150))

    audited(scenario, daily(150))


def test_who_is_refused_again_and_again_reads_the_log_now_and_then() -> None:
    """A loop that retries a refused request costs the database nothing for a moment, and is told the same."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        assert await tried(world.first, 100, budget)
        assert not await tried(world.first, 1, budget)
        world.store.is_down = True
        for _ in range(100):
            assert not await tried(world.first, 1, budget)
        world.clock.move(REFUSAL_BELIEVED_S)
        with pytest.raises(LogUnavailable):
            await world.first.hold(1, budgets=(budget,))
        world.store.is_down = False

    audited(scenario, budget)


@pytest.mark.parametrize("fault", [JournalFull("full"), LogUnavailable("away")])
def test_a_share_that_did_not_reach_its_lease_is_not_lost(fault: Exception) -> None:
    """Lent by the budget, and not noted by the lease: the next request has it."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1, 1)
        world.first.journal.faults[LeaseShareRaised.TOPIC] = fault  # type: ignore[assignment]  # a journal's
        for _ in range(2):
            try:
                await world.first.serve(100, 100, budgets=(budget,))
            except (
                JournalFull,
                LogUnavailable,
                VersionConflict,
            ):  # of the last, the lease is lost with its share
                await world.first.keep_up()
                continue
            break
        assert not await tried(world.second, 1, budget)

    world, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 100
    assert len(world.facts(RequestAdmitted)) == 2


def test_a_return_that_did_not_reach_the_budget_is_not_lost() -> None:
    """The lease gave it back, and the budget did not take it: the next one to need it has it."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 10, budgets=(budget,))
        world.first.journal.faults[BudgetShareReturned.TOPIC] = LogUnavailable("away")
        assert not await world.first.account._desk.give_back([world.first.live])
        assert await tried(world.second, 90, budget)

    audited(scenario, budget)


def test_a_lease_that_is_rotated_takes_its_shares_along() -> None:
    """The new lease is lent what the old one has left, though its holds are open still."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(40, budgets=(budget,))
        world.first.account._leases.drain()
        assert await tried(world.first, 60, budget)
        await world.first.charge(held, 40)
        await world.first.keep_up()

    world, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 100
    assert len(world.facts(BudgetShareSettled)) == 2


def test_an_owner_at_work_that_was_fenced_has_no_share_any_more() -> None:
    """It goes on with a new lease, and its old share is settled by whoever needs it."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(50, 50, budgets=(budget,))
        fence(world, world.first, by=world.second)
        for _ in range(3):
            try:
                hold = await world.first.hold(50, budgets=(budget,))
                await hold.admitted
            except Exception:  # noqa: BLE001  # it learns of the fence now
                await world.first.keep_up()
                continue
            await world.first.charge(hold, 50)
            break
        assert not await tried(world.second, 1, budget)

    _, auditor = audited(scenario, budget)
    assert sum(auditor.charged.values()) == 100


def test_other_keys_do_not_wait_for_a_budget() -> None:
    """While one budget asks a process that does not answer, a request of another key that needs credit is served."""
    budget = daily(100)

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(100, budgets=(budget,))
        world.hub.lose += ["recalled:"] * 1_000
        waiting = asyncio.ensure_future(tried(world.second, 100, budget))
        await world.until(lambda: any(one.startswith("recall:") for one in world.hub.sent))
        await asyncio.wait_for(world.second.serve(100_000, 1), timeout=10)
        assert not waiting.done()
        world.hub.lose.clear()
        await world.first.charge(held, 0)
        assert await waiting

    audited(scenario, budget)


def test_without_a_budget_nothing_of_budgets_is_done() -> None:
    """No stream is read and no share is kept."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 10)
        assert not world.first.account._desk.is_in_use
        assert not world.first.live.lease.shares

    world, _ = audited(scenario)
    (admitted,) = world.facts(RequestAdmitted)
    assert isinstance(admitted, RequestAdmitted)
    assert not admitted.budgets
