"""The end of a request's hold: once, durable, and told to the client as a refusal when it cannot be."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from application.eventlog import JournalFull, UnstorableEvent
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.ledger.live_lease import Hold
from application.ledger.reaper import fence_lease
from domain.ledger.events import AMOUNT_NANO_MAX, LeaseGranted, RequestReleased, UsageCharged
from tests.application.ledger.ledger_world import ACCOUNT, ANSWER, LedgerWorld

CREDIT_NANO = 1_000_000
Scenario = Callable[[LedgerWorld, Settlement], Awaitable[None]]


def settled(scenario: Scenario) -> LedgerWorld:
    """Run it on a request that holds 100; the books balance afterwards."""
    world = LedgerWorld(CREDIT_NANO)

    async def run() -> None:
        hold = await world.first.hold(100)
        settlement = Settlement(hold, book=world.first.book, clock=world.clock, started_s=0)
        await settlement.admitted()
        await scenario(world, settlement)
        await world.closed()

    asyncio.run(run())
    return world


def _fence(world: LedgerWorld) -> None:
    (granted,) = [fact for fact in world.facts() if isinstance(fact, LeaseGranted)]
    assert fence_lease(
        world.store,
        account_id=ACCOUNT,
        lease_id=granted.lease_id,
        by=world.second.owner,
        reason="test",
        now_us=0,
    )


def test_a_charge_is_durable_when_it_returns_and_a_release_after_it_does_nothing() -> None:
    """One ending: what the exchange's last resort does is then without effect."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await settlement.charge(rated_nano=130, answer=ANSWER)
        assert len(world.facts(UsageCharged)) == 1
        assert settlement.charge_nano == 100
        settlement.release("internal_error", ())

    world = settled(scenario)
    assert not world.facts(RequestReleased)


def test_a_release_is_made_once() -> None:
    """The first reason stands."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        settlement.release("upstream_error", ())
        settlement.release("internal_error", ())

    (released,) = settled(scenario).facts(RequestReleased)
    assert isinstance(released, RequestReleased)
    assert released.code == "upstream_error"


@pytest.mark.parametrize("end", ["fenced", "closed"])
def test_a_charge_that_cannot_be_stored_is_refused_and_free(end: str) -> None:
    """The lease was fenced, or the journal is closed: the client is told, and pays nothing."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        if end == "fenced":
            _fence(world)
        else:
            await world.first.journal.close()
        with pytest.raises(Refused) as refused:
            await settlement.charge(rated_nano=50, answer=ANSWER)
        assert refused.value.code == "ledger_unavailable"
        settlement.release("internal_error", ())

    assert not settled(scenario).facts(UsageCharged)


def test_a_release_after_the_journal_closed_breaks_nothing() -> None:
    """The reaper gives the hold back."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await world.first.journal.close()
        settlement.release("upstream_error", ())

    assert not settled(scenario).facts(RequestReleased)


def test_a_charge_waits_for_room_in_a_full_journal() -> None:
    """The upstream has been paid already: the charge is not given up at once."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await world.first.serve(2_000, 0)
        world.first.journal.pause()
        holds: list[Hold] = []
        with pytest.raises(JournalFull):
            await world.first.fill_journal(holds)
        charging = asyncio.create_task(settlement.charge(rated_nano=50, answer=ANSWER))
        await asyncio.sleep(0)
        assert not charging.done()
        world.first.journal.resume()
        await charging
        assert settlement.charge_nano == 50
        for hold in holds:
            await hold.release(code="test", attempts=(), total_ms=0, now_us=0)

    assert len(settled(scenario).facts(UsageCharged)) == 2


@pytest.mark.parametrize("rated_nano", [-1, AMOUNT_NANO_MAX + 1, 10**30])
def test_a_charge_that_the_ledger_refuses_gives_the_hold_back(rated_nano: int) -> None:
    """No event holds such an amount: the client is refused, nothing is charged, nothing stays on hold."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        with pytest.raises(Refused) as refused:
            await settlement.charge(rated_nano=rated_nano, answer=ANSWER)
        assert refused.value.code == "ledger_unavailable"
        assert settlement.charge_nano == 0
        settlement.release("internal_error", ())

    world = settled(scenario)
    assert not world.facts(UsageCharged)
    (released,) = world.facts(RequestReleased)
    assert isinstance(released, RequestReleased)
    assert released.code == "ledger_unavailable"


def test_a_charge_whose_hold_is_gone_is_refused() -> None:
    """What was settled by another hand is neither charged nor released again."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await settlement._hold.release(code="test", attempts=(), total_ms=0, now_us=0)
        with pytest.raises(Refused) as refused:
            await settlement.charge(rated_nano=1, answer=ANSWER)
        assert refused.value.code == "ledger_unavailable"

    world = settled(scenario)
    assert (len(world.facts(RequestReleased)), world.facts(UsageCharged)) == (1, [])


def test_a_release_of_what_is_gone_breaks_nothing() -> None:
    """It is told to the log only."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await settlement._hold.release(code="test", attempts=(), total_ms=0, now_us=0)
        settlement.release("internal_error", ())

    assert len(settled(scenario).facts(RequestReleased)) == 1


def test_a_charge_that_no_log_can_hold_loses_the_lease_and_is_refused() -> None:
    """The fold is ahead of its stream then: the lease ends, and its hold comes back by the reaper."""

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        class Unstorable:
            def append(self, _events: object) -> "asyncio.Future[int]":
                stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
                stored.set_exception(UnstorableEvent("test"))
                return stored

        live = settlement._hold.live
        live._journal = Unstorable()  # type: ignore[assignment]  # no more of it is asked
        with pytest.raises(Refused) as refused:
            await settlement.charge(rated_nano=1, answer=ANSWER)
        assert refused.value.code == "ledger_unavailable"
        assert (live.lost, settlement.charge_nano) == (True, 0)

    assert not settled(scenario).facts(UsageCharged)


def test_a_charge_that_finds_no_room_in_the_end_gives_the_hold_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal stayed full for all tries: refused now, released as soon as there is room."""
    monkeypatch.setattr("application.gateway.settlement.FULL_TRIES_MAX", 1)
    monkeypatch.setattr("application.gateway.settlement.FULL_PAUSE_S", 0)
    monkeypatch.setattr("application.ledger.live_lease.RELEASE_AGAIN_S", 0)

    async def scenario(world: LedgerWorld, settlement: Settlement) -> None:
        await world.first.serve(2_000, 0)
        world.first.journal.pause()
        holds: list[Hold] = []
        with pytest.raises(JournalFull):
            await world.first.fill_journal(holds)
        with pytest.raises(Refused) as refused:
            await settlement.charge(rated_nano=50, answer=ANSWER)
        assert refused.value.code == "ledger_unavailable"
        world.first.journal.resume()
        for hold in holds:
            hold.release_unwatched(code="test", attempts=(), total_ms=0, now_us=0)
        await world.until(lambda: len(world.facts(RequestReleased)) == len(holds) + 1)

    assert len(settled(scenario).facts(UsageCharged)) == 1
