"""The ledger at work in two processes: arithmetic, refusals, recall, rotation, fencing, shutdown; the books balance."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from application.eventlog import JournalFull, LogUnavailable, VersionConflict
from application.ledger.lender import LedgerLimits
from application.ledger.live_lease import Hold
from application.ledger.reaper import fence_lease
from application.ledger.sizing import Size
from domain.ledger.events import (
    LeaseGranted,
    LeaseOpened,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    LeaseToppedUp,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.refusals import InsufficientCredit, LeaseEnded
from tests.application.ledger.ledger_world import (
    ACCOUNT,
    ANSWER,
    PLENTY_NANO,
    TOPICS,
    WITHIN_S,
    LedgerWorld,
    Process,
    admission,
    played,
)


def fence_all(world: LedgerWorld, by: Process) -> int:
    """As the reaper does with the leases of a process it takes for dead; how many ended."""
    opened = [
        (one.stream_id, TOPICS.decode(one.topic, one.state))
        for one in world.store.read_open_leases(after_position=0, limit=1_000)
    ]
    return [
        fence_lease(
            world.store,
            account_id=ACCOUNT,
            lease_id=lease_id,
            by=by.owner,
            reason="test",
            now_us=world.clock.now_us(),
        )
        for lease_id, event in opened
        if isinstance(event, LeaseOpened) and event.owner != by.owner
    ].count(True)


def test_a_charge_takes_its_price_and_frees_the_rest() -> None:
    """Hold 100, charge 30: the account has 30 less; a second request needs no second lease."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 30)
        assert world.first.book.known_balance_nano(ACCOUNT) == PLENTY_NANO - 30
        held = await world.first.hold(100)
        assert world.first.book.known_balance_nano(ACCOUNT) == PLENTY_NANO - 130
        held.release_unwatched(code="test", attempts=(), total_ms=0, now_us=0)
        assert world.first.book.known_balance_nano(ACCOUNT) == PLENTY_NANO - 30

    world = played(scenario)
    assert len(world.facts(LeaseGranted)) == 1
    assert len(world.facts(RequestReleased)) == 1


def test_a_charge_above_the_hold_is_the_operators() -> None:
    """The customer pays the hold; the rest is booked as shortfall."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 130)

    (charged,) = played(scenario).facts(UsageCharged)
    assert isinstance(charged, UsageCharged)
    assert (charged.charge_nano, charged.shortfall_nano) == (100, 30)


def test_a_refusal_has_the_numbers_and_holds_nothing() -> None:
    """More than there is anywhere is refused at once, without a question to anybody."""

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(60)
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(50)
        assert (refused.value.required_nano, refused.value.available_nano) == (50, 40)
        await (await world.first.hold(40)).admitted
        await world.first.charge(held, 60)

    world = played_with_open_hold(scenario, credit_nano=100)
    assert not world.facts(LeaseRecallRequested)
    assert len(world.facts(RequestAdmitted)) == 2


def played_with_open_hold(
    scenario: Callable[[LedgerWorld], Awaitable[None]], *, credit_nano: int
) -> LedgerWorld:
    """As `played`, for a scenario that leaves a request open: its lease is not settled."""
    world = LedgerWorld(credit_nano)

    async def run() -> None:
        await scenario(world)
        await world.closed()

    asyncio.run(run())
    return world


def test_many_requests_at_once_never_hold_more_than_there_is() -> None:
    """Two processes, forty requests, credit for ten: ten are served."""

    async def scenario(world: LedgerWorld) -> None:
        asked = [process.hold(10) for process in (world.first, world.second) for _ in range(20)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        held = [one for one in outcomes if not isinstance(one, BaseException)]
        assert len(held) == 10
        assert all(isinstance(one, InsufficientCredit) for one in outcomes if isinstance(one, BaseException))
        for hold in held:
            await hold.charge(rated_nano=10, answer=ANSWER, now_us=1)

    world = played(scenario, credit_nano=100)
    assert world.balance().balances["usage:m"] == 100


def test_idle_credit_of_another_process_is_recalled() -> None:
    """A request that only the other process's idle credit can cover is served, not refused."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        lent = [fact for fact in world.facts() if isinstance(fact, LeaseGranted)]
        assert lent[0].mode == "bulk"
        await world.second.serve(995, 5)

    world = played(scenario, credit_nano=1_000)
    assert len(world.facts(LeaseRecallRequested)) == 1
    assert len(world.facts(UsageCharged)) == 2


def test_credit_that_is_held_elsewhere_is_not_recalled() -> None:
    """The owner answers with what it can spare; the refusal comes once everybody answered."""

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(600)
        with pytest.raises(InsufficientCredit) as refused:
            await world.second.hold(500)
        assert refused.value.available_nano == 400
        await world.first.charge(held, 100)
        await world.second.serve(500, 500)

    played(scenario, credit_nano=1_000)


def test_near_zero_what_a_request_left_over_goes_back() -> None:
    """The lease lends the exact need, and the rest returns to the wallet without being asked for."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(60, 10)
        await world.until(lambda: world.facts(LeaseReduced))
        await world.second.serve(90, 90)

    world = played(scenario, credit_nano=100)
    (reduced,) = [fact for fact in world.facts() if isinstance(fact, LeaseReduced)][:1]
    assert reduced.amount_nano == 50
    assert not world.facts(LeaseRecallRequested)


def test_a_worn_lease_is_settled_and_a_new_one_opened() -> None:
    """After `lease_charges_max` charges; requests go on."""

    async def scenario(world: LedgerWorld) -> None:
        for _ in range(2):
            for _ in range(3):
                await world.first.serve(10, 1)
            await world.first.keep_up()

    world = played(scenario, limits=LedgerLimits(lease_charges_max=3))
    settled = [fact for fact in world.facts() if isinstance(fact, LeaseSettled)]
    assert [(fact.outcome, fact.charged_nano) for fact in settled] == [("closed", 3), ("closed", 3)]


def test_an_open_request_outlives_the_rotation_of_its_lease() -> None:
    """The old lease waits for it; what it holds for nobody is lent again at once, not refused."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        held = await world.first.hold(10)
        world.clock.move(601)
        await world.first.keep_up()
        assert not world.facts(LeaseSettled)
        await world.first.serve(985, 5)
        await world.first.charge(held, 4)
        await world.first.keep_up()
        assert len(world.facts(LeaseSettled)) == 1

    played(scenario, credit_nano=1_000)


def test_a_fenced_lease_fails_its_open_requests_and_another_is_opened() -> None:
    """The owner that lives learns it from its next append: nothing is charged for what the fence abandoned."""

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(100)
        other = await world.first.hold(100)
        await asyncio.gather(held.admitted, other.admitted)
        assert fence_all(world, world.second) == 1
        with pytest.raises(VersionConflict):
            await held.charge(rated_nano=50, answer=ANSWER, now_us=1)
        assert held.live.lost
        with pytest.raises(LeaseEnded):
            other.charge(rated_nano=50, answer=ANSWER, now_us=1)
        await world.first.serve(100, 7)

    world = played(scenario)
    settled = [fact.outcome for fact in world.facts() if isinstance(fact, LeaseSettled)]
    assert settled == ["fenced", "closed"]
    assert len(world.facts(UsageCharged)) == 1


def test_a_lease_is_lost_before_anyone_who_waits_learns_it() -> None:
    """Whoever is woken by the conflict finds the lease marked: nobody counts on."""

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(100)
        await held.admitted
        fence_all(world, world.second)
        seen: list[bool] = []
        charged = held.charge(rated_nano=50, answer=ANSWER, now_us=1)
        charged.add_done_callback(lambda _: seen.append(held.live.lost))
        with pytest.raises(VersionConflict):
            await charged
        assert seen == [True]

    played(scenario)


def test_a_fence_against_an_owner_at_work_loses_nothing() -> None:
    """While requests are served the lease is fenced again and again: each is charged whole, or not at all."""

    async def scenario(world: LedgerWorld) -> None:
        served: list[bool] = []

        def is_enough() -> bool:
            return served.count(True) >= 20 and served.count(False) >= 5

        async def work() -> None:
            while not is_enough():
                try:
                    await world.first.serve(100, 7)
                    served.append(True)
                except (VersionConflict, LeaseEnded):
                    served.append(False)

        async def fence() -> None:
            # In a thread, as the reaper: on the loop it would keep the threads that read for the owner from their work.
            while not is_enough():
                await asyncio.to_thread(fence_all, world, world.second)

        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(work(), work(), fence())
        assert len(world.facts(UsageCharged)) == served.count(True)

    played(scenario)


def test_a_full_journal_refuses_and_holds_nothing() -> None:
    """What cannot be recorded is not served; afterwards the whole credit is there."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1_000, 0)
        world.first.journal.pause()
        held: list[Hold] = []
        with pytest.raises(JournalFull):
            await world.first.fill_journal(held)
        assert 0 < len(held) < 100
        world.first.journal.resume()
        for hold in held:
            await hold.admitted
            await hold.release(code="test", attempts=(), total_ms=0, now_us=1)

    world = played(scenario)
    assert world.balance().balances.get("usage:m", 0) == 0


def test_a_request_does_not_wait_for_a_silent_log_for_ever() -> None:
    """It is refused after a bounded time; the credit is there when the log is back."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 0)
        world.first.journal.pause()
        with pytest.raises(LogUnavailable):
            await world.first.hold(PLENTY_NANO - 10)
        world.first.journal.resume()
        await world.first.serve(PLENTY_NANO, 0)

    played(scenario, limits=LedgerLimits(hold_wait_s=0.2))


def test_leases_that_may_rest_on_lost_events_are_dropped() -> None:
    """After a failover: the next request gets a new one, what was open is fenced as the log has it."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 30)
        before, held = world.first.live, await world.first.hold(10)
        await held.admitted
        world.first.book.lose_all()
        with pytest.raises(LeaseEnded):
            await world.first.charge(held, 5)
        await world.first.serve(100, 1)
        assert world.first.live is not before
        await world.first.keep_up()
        settled = [one for one in world.facts() if isinstance(one, LeaseSettled)]
        assert [(one.outcome, one.charged_nano) for one in settled] == [("fenced", 30)]

    played(scenario)


@pytest.mark.parametrize("is_extending", [False, True])
def test_credit_under_way_does_not_reach_a_lease_that_was_dropped(is_extending: bool) -> None:
    """What the wallet has lent or is to get back belongs to a lease as the log has it, and comes back by its fence."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 30)
        live, alias = world.first.live, "m"
        lender = world.first.account._lender
        world.first.journal.pause()
        if is_extending:
            size = Size(5, "bulk")
            moving = asyncio.create_task(lender.extend(live, lambda _: size, alias=alias))
        else:
            moving = asyncio.create_task(lender.give_back(live))
        for _ in range(20):
            await asyncio.sleep(0)
        world.first.book.lose_all()
        world.first.journal.resume()
        with pytest.raises(LeaseEnded):
            await moving
        assert not [*world.facts(LeaseToppedUp), *world.facts(LeaseReduced)]

    played(scenario)


@pytest.mark.parametrize("is_borrowing", [False, True])
def test_a_silent_log_does_not_keep_a_process_from_ending(is_borrowing: bool) -> None:
    """Whether the lease is to be settled or a request still waits to borrow: what is open is left to the reaper."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 0)
        world.first.journal.pause()
        if is_borrowing:
            with pytest.raises(LogUnavailable):
                await world.first.hold(PLENTY_NANO - 10)
        async with asyncio.timeout(WITHIN_S):
            await world.first.book.close(account_s_max=0.05)
        assert not world.facts(LeaseSettled)
        world.first.journal.resume()

    played(scenario, limits=LedgerLimits(hold_wait_s=0.05))


@pytest.mark.parametrize("turns", range(40))
def test_credit_on_its_way_back_is_no_reason_to_refuse(turns: int) -> None:
    """Near zero a request may come while the last one's rest has left the lease and not reached the wallet."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(90, 1)
        account = world.first.book._accounts[ACCOUNT]
        account._give_back_when_unused()
        for _ in range(turns):
            await asyncio.sleep(0)
        await world.first.serve(95, 1)

    played(scenario, credit_nano=100)


def test_a_release_into_a_full_journal_is_tried_again() -> None:
    """Nobody waits for it, and yet the hold comes free."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1_000, 0)
        held = await world.first.hold(10)
        await held.admitted
        world.first.journal.pause()
        others: list[Hold] = []
        with pytest.raises(JournalFull):
            await world.first.fill_journal(others)
        held.release_unwatched(code="test", attempts=(), total_ms=0, now_us=1)
        world.first.journal.resume()
        await world.until(lambda: world.facts(RequestReleased))
        for hold in others:
            await hold.release(code="test", attempts=(), total_ms=0, now_us=1)

    played(scenario)


@pytest.mark.parametrize("turns", range(12))
def test_a_request_that_is_cancelled_while_it_waits_returns_its_hold(turns: int) -> None:
    """Wherever the banker is at that moment, the credit is there for the next."""

    async def scenario(world: LedgerWorld) -> None:
        request = asyncio.create_task(world.first.hold(100))
        for _ in range(turns):
            await asyncio.sleep(0)
        request.cancel()
        (outcome,) = await asyncio.gather(request, return_exceptions=True)
        if not isinstance(outcome, BaseException):
            outcome.release_unwatched(code="test", attempts=(), total_ms=0, now_us=1)
        await world.first.serve(100, 100)

    played(scenario, credit_nano=100)


def test_a_request_that_is_cancelled_with_its_hold_in_hand_returns_it() -> None:
    """The hold was made in the same turn of the loop as the cancellation: it is released, as a fact."""

    async def scenario(world: LedgerWorld) -> None:
        request = asyncio.create_task(world.first.hold(100))
        await world.until(
            lambda: (
                (account := world.first.book._accounts.get(ACCOUNT))
                and account._leases.active
                and account._leases.active.lease.holds
            )
        )
        request.cancel()
        (outcome,) = await asyncio.gather(request, return_exceptions=True)
        if not isinstance(outcome, BaseException):
            outcome.release_unwatched(code="test", attempts=(), total_ms=0, now_us=1)

    world = played(scenario, credit_nano=100)
    assert len(world.facts(RequestReleased)) == 1


def test_credit_granted_later_is_found() -> None:
    """A refusal is no verdict on the future: the wallet is read again."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 100)
        with pytest.raises(InsufficientCredit):
            await world.first.hold(1)
        await asyncio.to_thread(world.grant, 50)
        await world.first.serve(50, 50)

    played(scenario, credit_nano=100)


def test_an_account_without_credit_is_refused() -> None:
    """Nothing granted, nothing lent."""

    async def scenario(world: LedgerWorld) -> None:
        stranger = admission(1)
        await world.first.serve(1, 1)
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.book.hold(stranger)
        assert refused.value.available_nano == 0

    played(scenario, credit_nano=1)
