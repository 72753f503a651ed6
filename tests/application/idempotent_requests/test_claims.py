"""Claims of keys on a ledger in memory: one request at a time, freed by its end or by that of its lease."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from application.eventlog import JournalFull, LogUnavailable, VersionConflict
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.idempotent_requests.claims import Claim, Claims
from application.idempotent_requests.keyed import keyed_request
from application.ledger.live_lease import Hold
from application.ledger.reaper import fence_lease
from domain.ledger.events import RequestReleased, UsageCharged
from domain.ledger.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyClaimed,
    IdempotencyOutcomeRecorded,
    Replay,
    charged_for,
)
from tests.application.ledger.ledger_world import ACCOUNT, ANSWER, LedgerWorld, Process, played

THREADS = ThreadPoolExecutor(1)
REQUEST = keyed_request(b"order-1", account_id=ACCOUNT, endpoint="chat", body=b"{}")
HOLD_NANO = 100


def claims_of(world: LedgerWorld, process: Process) -> Claims:
    return Claims(store=world.store, journal=process.journal, clock=world.clock, threads=THREADS)


async def begun(world: LedgerWorld, process: Process) -> tuple[Hold, Claim]:
    """A request that found the key free, holds credit and claimed the key."""
    claims = claims_of(world, process)
    key = await claims.look(REQUEST)
    assert charged_for(key, body_sha256=REQUEST.body_sha256) is None
    hold = await process.hold(HOLD_NANO)
    claim = await claims.claim(
        REQUEST, key, request_id=hold.admission.request_id, lease_id=hold.live.lease.lease_id
    )
    return hold, claim


def settlement_of(world: LedgerWorld, process: Process, hold: Hold, claim: Claim) -> Settlement:
    settlement = Settlement(hold, book=process.book, clock=world.clock, started_s=0)
    settlement.claim = claim
    return settlement


async def charged(world: LedgerWorld) -> Replay | None:
    """What a new request with the key hears, from the other process."""
    key = await claims_of(world, world.second).look(REQUEST)
    return charged_for(key, body_sha256=REQUEST.body_sha256)


def fence(world: LedgerWorld, hold: Hold) -> None:
    assert fence_lease(
        world.store,
        account_id=ACCOUNT,
        lease_id=hold.live.lease.lease_id,
        by=world.second.owner,
        reason="test",
        now_us=0,
    )


def outcomes(world: LedgerWorld) -> list[tuple[UUID, str]]:
    return [
        (fact.request_id, fact.outcome)
        for fact in world.facts(IdempotencyOutcomeRecorded)
        if isinstance(fact, IdempotencyOutcomeRecorded)
    ]


def test_a_charge_and_its_outcome_are_one_append() -> None:
    """The next one hears of it, with what was paid and as which request."""

    async def scenario(world: LedgerWorld) -> None:
        hold, claim = await begun(world, world.first)
        await settlement_of(world, world.first, hold, claim).charge(rated_nano=130, answer=ANSWER)
        assert await charged(world) == Replay(hold.admission.request_id, "charged", HOLD_NANO)

    world = played(scenario)
    kinds = [type(fact) for fact in world.facts()]
    assert kinds.index(IdempotencyOutcomeRecorded) == kinds.index(UsageCharged) + 1


def test_who_is_served_is_waited_for() -> None:
    """Whether the second comes before or after the first has claimed; its hold is its own to give back."""

    async def scenario(world: LedgerWorld) -> None:
        early = await claims_of(world, world.second).look(REQUEST)
        hold, claim = await begun(world, world.first)
        with pytest.raises(IdempotencyInProgress):
            await charged(world)
        late = await world.second.hold(HOLD_NANO)
        with pytest.raises(IdempotencyInProgress):
            await claims_of(world, world.second).claim(
                REQUEST, early, request_id=late.admission.request_id, lease_id=late.live.lease.lease_id
            )
        late.release_unwatched(code="idempotency_in_progress", attempts=(), total_ms=0, now_us=0)
        settlement_of(world, world.first, hold, claim).release("upstream_error", ())

    world = played(scenario)
    assert len(world.facts(IdempotencyKeyClaimed)) == 1
    assert len(world.facts(RequestReleased)) == 2


def test_a_conflict_over_a_key_takes_no_lease_along() -> None:
    """The other requests of the account go on: a claim is an append of its own."""

    async def scenario(world: LedgerWorld) -> None:
        early = await claims_of(world, world.first).look(REQUEST)
        hold, claim = await begun(world, world.second)
        other = await world.first.hold(HOLD_NANO)
        with pytest.raises(IdempotencyInProgress):
            await claims_of(world, world.first).claim(
                REQUEST, early, request_id=UUID(int=7), lease_id=other.live.lease.lease_id
            )
        assert not other.live.lost
        await world.first.charge(other, 1)
        settlement_of(world, world.second, hold, claim).release("upstream_error", ())

    played(scenario)


def test_a_release_frees_the_key() -> None:
    """The next request with it is served."""

    async def scenario(world: LedgerWorld) -> None:
        hold, claim = await begun(world, world.first)
        settlement_of(world, world.first, hold, claim).release("upstream_error", ())
        await claim.until_free()
        again, second = await begun(world, world.second)
        await settlement_of(world, world.second, again, second).charge(rated_nano=1, answer=ANSWER)

    world = played(scenario)
    assert [outcome for _, outcome in outcomes(world)] == ["released", "charged"]


def test_a_full_journal_frees_the_key_later() -> None:
    """Nobody waits for it, and it is not forgotten."""

    async def scenario(world: LedgerWorld) -> None:
        _, claim = await begun(world, world.first)
        world.first.journal.faults["idempotency.outcome-recorded.v1"] = JournalFull("test")
        claim.free()
        async with asyncio.timeout(30):
            while not outcomes(world):  # noqa: ASYNC110  # a timer of the code under test
                await asyncio.sleep(0.05)

    fenced_at_the_end(scenario)


def fenced_at_the_end(scenario: Callable[[LedgerWorld], Awaitable[None]]) -> LedgerWorld:
    """Run it and leave its holds open."""
    world = LedgerWorld(1_000_000)

    async def run() -> None:
        await scenario(world)
        for process in (world.first, world.second):
            await process.journal.close()

    asyncio.run(run())
    return world


@pytest.mark.parametrize("fault", [LogUnavailable("test"), VersionConflict(UUID(int=1))])
def test_a_key_that_cannot_be_freed_comes_free_with_the_lease(fault: Exception) -> None:
    """The log was away, or somebody else was first."""

    async def scenario(world: LedgerWorld) -> None:
        hold, claim = await begun(world, world.first)
        world.first.journal.faults["idempotency.outcome-recorded.v1"] = fault  # type: ignore[assignment]
        settlement_of(world, world.first, hold, claim).release("upstream_error", ())
        await world.first.book.close()
        assert await charged(world) is None

    world = fenced_at_the_end(scenario)
    assert [outcome for _, outcome in outcomes(world)] == ["abandoned"]


def test_the_end_of_a_dead_ones_lease_frees_the_key() -> None:
    """Not before: a lease that is open may still be charged in."""

    async def scenario(world: LedgerWorld) -> None:
        hold, _ = await begun(world, world.first)
        with pytest.raises(IdempotencyInProgress):
            await charged(world)
        fence(world, hold)
        assert await charged(world) is None
        again, claim = await begun(world, world.second)
        await settlement_of(world, world.second, again, claim).charge(rated_nano=1, answer=ANSWER)

    world = played(scenario)
    assert [outcome for _, outcome in outcomes(world)] == ["abandoned", "charged"]
    assert len(world.facts(UsageCharged)) == 1


def test_a_paused_owner_that_wakes_charges_nothing() -> None:
    """Its lease is fenced, its key is another's: its client does not see the end, and pays nothing."""

    async def scenario(world: LedgerWorld) -> None:
        hold, claim = await begun(world, world.first)
        fence(world, hold)
        again, second = await begun(world, world.second)
        with pytest.raises(Refused):
            await settlement_of(world, world.first, hold, claim).charge(rated_nano=5, answer=ANSWER)
        await settlement_of(world, world.second, again, second).charge(rated_nano=1, answer=ANSWER)
        assert await charged(world) == Replay(again.admission.request_id, "charged", 1)

    world = played(scenario)
    assert len(world.facts(UsageCharged)) == 1


def test_a_key_freed_in_error_costs_the_answer_and_no_money() -> None:
    """The claimant lives and its lease is open: charge and outcome fail together, by the key's version."""

    async def scenario(world: LedgerWorld) -> None:
        hold, claim = await begun(world, world.first)
        claim.free()
        await world.until(lambda: outcomes(world))
        with pytest.raises(Refused):
            await settlement_of(world, world.first, hold, claim).charge(rated_nano=5, answer=ANSWER)
        await world.first.keep_up()

    world = played(scenario)
    assert not world.facts(UsageCharged)


def test_two_who_free_a_key_at_once_agree() -> None:
    """One fact, and both see the key free."""

    async def scenario(world: LedgerWorld) -> None:
        hold, _ = await begun(world, world.first)
        fence(world, hold)

        def other_first() -> None:
            other = Claims(
                store=world.store, journal=world.second.journal, clock=world.clock, threads=THREADS
            )
            assert other._look(REQUEST).recorded is not None

        world.store.before_append = other_first
        assert await charged(world) is None

    world = played(scenario)
    assert [outcome for _, outcome in outcomes(world)] == ["abandoned"]
