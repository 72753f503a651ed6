"""Whatever the log refuses in between, credit is shown once, and none is stranded in a process that lives."""

import asyncio

import pytest

from application.eventlog import (
    EventLogError,
    JournalFull,
    LogUnavailable,
    UnstorableEvent,
    VersionConflict,
)
from domain.ledger.events import (
    LeaseGranted,
    LeaseOpened,
    LeaseReduced,
    LeaseSettled,
    LeaseToppedUp,
    RequestAdmitted,
)
from domain.ledger.refusals import InsufficientCredit
from tests.application.ledger.ledger_world import LedgerWorld, admission, played

REFUSALS = [JournalFull("full"), LogUnavailable("away"), UnstorableEvent("bad")]
each_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)


async def owe(world: LedgerWorld, refusal: EventLogError) -> None:
    """The first process's lease gives 89 of 100 back, and the wallet does not take them."""
    await world.first.serve(90, 1)
    world.first.journal.faults[LeaseReduced.TOPIC] = refusal
    await world.first.give_back()
    assert (world.first.live.lease.free_nano, world.first.live.owed_nano) == (0, 89)
    assert not world.facts(LeaseReduced)


@each_refusal
def test_what_the_wallet_did_not_take_serves_the_next_request(refusal: EventLogError) -> None:
    """Before a request is refused, what is owed to the wallet is brought there."""

    async def scenario(world: LedgerWorld) -> None:
        await owe(world, refusal)
        await world.first.serve(99, 1)

    played(scenario, credit_nano=100)


@each_refusal
def test_what_the_wallet_did_not_take_serves_another_process(refusal: EventLogError) -> None:
    """The owner answers a recall when what it owes has reached the wallet."""

    async def scenario(world: LedgerWorld) -> None:
        await owe(world, refusal)
        await world.second.serve(99, 1)

    played(scenario, credit_nano=100)


@each_refusal
def test_what_the_wallet_did_not_take_is_brought_there_by_the_upkeep(refusal: EventLogError) -> None:
    """Without anyone asking, and once."""

    async def scenario(world: LedgerWorld) -> None:
        await owe(world, refusal)
        await world.first.keep_up()
        await world.first.keep_up()
        assert world.first.live.owed_nano == 0
        await world.second.serve(99, 1)

    assert len(played(scenario, credit_nano=100).facts(LeaseReduced)) == 1


def test_a_recall_is_not_answered_before_it_is_true() -> None:
    """While the log refuses what the owner gives back, it says nothing; asked again, it gives back and answers."""

    async def scenario(world: LedgerWorld) -> None:
        await owe(world, LogUnavailable("away"))
        for is_refused in (True, False):
            if is_refused:
                world.first.journal.faults[LeaseReduced.TOPIC] = LogUnavailable("still away")
            world.first.account.recall_asked()
            await world.until(lambda: not world.first.account._tasks)
            answers = [message for message in world.hub.sent if message.startswith("recalled:")]
            assert len(answers) == (0 if is_refused else 1)

    played(scenario, credit_nano=100)


def test_credit_that_was_lent_and_did_not_reach_the_lease_is_brought_back() -> None:
    """The wallet lent more, and the journal was full before the lease was topped up: nothing is stranded."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 10)
        world.first.journal.faults[LeaseToppedUp.TOPIC] = JournalFull("full")
        with pytest.raises(JournalFull):
            await world.first.hold(50)
        assert world.first.live.owed_nano > 0
        await world.second.serve(90, 1)

    played(scenario, credit_nano=100)


def test_a_lease_that_its_owner_lost_is_ended_by_its_owner() -> None:
    """No reaper touches a lease whose owner lives; what could not be stored must not strand its credit."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 10)
        world.first.journal.faults[RequestAdmitted.TOPIC] = UnstorableEvent("bad")
        held = await world.first.hold(10)
        with pytest.raises(UnstorableEvent):
            await held.admitted
        await world.first.serve(10, 10)
        await world.first.keep_up()
        await world.second.serve(75, 75)

    world = played(scenario, credit_nano=105)
    outcomes = [fact.outcome for fact in world.facts() if isinstance(fact, LeaseSettled)]
    assert outcomes.count("fenced") == 1


def test_a_settlement_that_fails_is_made_later() -> None:
    """The log is away when a drained lease is closed: it is closed by the next upkeep."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        world.clock.move(601)
        world.first.journal.faults[LeaseSettled.TOPIC] = LogUnavailable("away")
        await world.first.keep_up()
        assert not world.facts(LeaseSettled)
        await world.first.keep_up()
        assert len(world.facts(LeaseSettled)) == 1

    played(scenario)


def test_two_borrowings_at_once_open_one_lease() -> None:
    """A background top-up and a request find no lease at the same moment: none is opened and forgotten."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        account = world.first.account
        account._leases.drain()
        await asyncio.gather(account._banker.top_up("m"), account._banker.borrow(admission(100)))

    assert len(played(scenario).facts(LeaseGranted)) == 2


def test_one_account_that_fails_does_not_keep_the_others_from_their_upkeep() -> None:
    """Its fault is logged, and the next account's old lease is settled all the same."""

    class Broken:
        is_idle = False

        async def keep_up(self) -> None:
            raise RuntimeError

    async def scenario(world: LedgerWorld) -> None:
        accounts = world.first.book._accounts
        accounts[world.ids.new()] = Broken()  # type: ignore[assignment]  # all that upkeep asks of one
        await world.first.serve(10, 1)
        world.clock.move(601)
        await world.first.keep_up()
        assert len(world.facts(LeaseSettled)) == 1
        del accounts[next(iter(accounts))]

    played(scenario)


# --- a failover that lost the tail of the log (R7)


def test_a_wallet_ahead_of_the_log_is_read_anew() -> None:
    """The last commits are gone, and nobody wrote since: the account is served, by what the log has."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        tail = len(world.store.log)
        world.grant(500)
        await world.first.account._lender.access.refresh()
        world.lose_tail(after_position=tail)
        await world.first.serve(90, 1)
        with pytest.raises(InsufficientCredit):
            await world.first.hold(99)

    played(scenario, credit_nano=100)


def test_a_wallet_of_another_history_is_not_spent() -> None:
    """Other writers filled the lost versions with other events: what was read before the failover counts no more."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        tail = len(world.store.log)
        world.grant(500)
        await world.first.account._lender.access.refresh()
        world.lose_tail(after_position=tail)
        world.grant(7)
        world.first.journal.sessions += 1
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(200)
        assert refused.value.available_nano == 100 - 1 + 7

    played(scenario, credit_nano=100)


def test_a_lease_ahead_of_the_log_is_dropped() -> None:
    """Its next event does not fit, so the request is not admitted; the next one is, from a new lease."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 0)
        before = world.first.live.lease.lease_id
        (opened,) = [n for n, fact in enumerate(world.facts(), 1) if isinstance(fact, LeaseOpened)]
        world.lose_tail(after_position=opened)
        held = await world.first.hold(10)
        with pytest.raises(VersionConflict):
            await held.admitted
        await world.first.serve(10, 1)
        assert world.first.live.lease.lease_id != before
        await world.first.keep_up()

    world = played(scenario)
    assert [fact.outcome for fact in world.facts() if isinstance(fact, LeaseSettled)] == ["fenced", "closed"]


def test_a_lease_whose_grant_is_lost_is_dropped() -> None:
    """Neither stream knows of it any more: nothing is charged on credit that was not lent."""

    async def scenario(world: LedgerWorld) -> None:
        tail = len(world.store.log)
        await world.first.serve(10, 0)
        world.lose_tail(after_position=tail)
        held = await world.first.hold(10)
        with pytest.raises(VersionConflict):
            await held.admitted
        await world.first.serve(10, 1)
        await world.first.keep_up()

    world = played(scenario)
    assert len(world.facts(LeaseGranted)) == 1
    assert world.balance().balances["usage:m"] == 1
