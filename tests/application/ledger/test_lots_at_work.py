"""Lots in a running process: each model has its credit, ends are kept to the moment, and refusals tell why."""

import asyncio

import pytest

from application.eventlog import NewEvent
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.wallet_reader import load_wallet, wallet_stream
from domain.event import encode
from domain.ledger import leasing, lending
from domain.ledger.credit import LotConditions
from domain.ledger.events import LeaseEvent, LeaseReduced, LeaseSettled, RequestAdmitted
from domain.ledger.lease import Lease
from domain.ledger.lots import Slice
from domain.ledger.refusals import InsufficientCredit
from domain.refusal import BadField
from tests.application.ledger.ledger_world import ACCOUNT, LedgerWorld, played

FOR_N = LotConditions(aliases=("n",))


def admissions(world: LedgerWorld) -> list[RequestAdmitted]:
    return [fact for fact in world.facts() if isinstance(fact, RequestAdmitted)]


def test_credit_for_a_model_is_spent_on_it_alone_and_first() -> None:
    """General credit is what another model gets; both are told what there is for them."""
    lots = []

    async def scenario(world: LedgerWorld) -> None:
        lots.append(world.grant(500, source="promo", conditions=FOR_N))
        await world.first.serve(100, 60, "n")
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(1_100)
        assert refused.value.available_nano == 1_000
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(1_500, "n")
        assert refused.value.available_nano == 1_440
        await world.first.serve(900, 900)

    world = played(scenario, credit_nano=1_000)
    assert admissions(world)[0].slices == (Slice(lots[0], 100),)
    assert lots[0] not in {part.lot_id for part in admissions(world)[1].slices or ()}


def test_a_request_of_one_model_does_not_strand_the_credit_of_another() -> None:
    """Whatever one model was lent, the other spends its own lot before general credit."""

    async def scenario(world: LedgerWorld) -> None:
        world.grant(100_000, source="promo", conditions=FOR_N)
        await world.first.serve(10, 10)
        await world.first.serve(10, 10, "n")

    general, own = admissions(played(scenario))
    assert isinstance(own.slices, tuple)
    assert isinstance(general.slices, tuple)
    assert own.slices[0].lot_id != general.slices[0].lot_id


def test_expiry_never_races_a_charge() -> None:
    """Admitted before the end and charged after it; the rest of what was lent is gone, and no new request gets any of it."""

    async def scenario(world: LedgerWorld) -> None:
        world.grant(500, source="promo", conditions=world.ending(10))
        hold = await world.first.hold(400)
        world.clock.move(10)
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(200)
        assert refused.value.available_nano == 100
        await world.first.charge(hold, 150)
        with pytest.raises(InsufficientCredit):
            await world.first.hold(101)

    world = played(scenario, credit_nano=100)
    assert world.balance().balances["breakage"] == 250


def test_what_a_lease_has_of_a_lot_that_is_over_goes_soon() -> None:
    """The upkeep gives it back although the lease is in use; the wallet books it as gone."""

    async def scenario(world: LedgerWorld) -> None:
        world.grant(500, source="promo", conditions=world.ending(10))
        await world.first.serve(10, 10)
        world.clock.move(10)
        world.first.live.used_s = world.clock.monotonic_s()
        await world.first.keep_up()
        reduced = [fact for fact in world.facts() if isinstance(fact, LeaseReduced)]
        assert sum(part.amount_nano for part in reduced[-1].expired or ()) > 0

    world = played(scenario)
    gone = [fact.expired for fact in world.facts() if isinstance(fact, LeaseReduced | LeaseSettled)]
    assert any(gone)


def test_a_lot_serves_from_its_beginning_on() -> None:
    """Before, it is not available, however much is wanted."""

    async def scenario(world: LedgerWorld) -> None:
        conditions = LotConditions(effective_us=world.clock.now_us() + 5_000_000)
        world.grant(500, conditions=conditions)
        with pytest.raises(InsufficientCredit):
            await world.first.hold(101)
        world.clock.move(5)
        await world.first.serve(600, 600)

    played(scenario, credit_nano=100)


def test_credit_in_another_process_is_recalled_for_the_models_that_it_serves() -> None:
    """Idle credit elsewhere is no reason to refuse; credit for other models is none to ask for."""

    async def scenario(world: LedgerWorld) -> None:
        world.grant(500, source="promo", conditions=FOR_N)
        await world.second.serve(400, 1, "n")
        await world.first.serve(450, 1, "n")
        questions = len([one for one in world.hub.sent if one.startswith("recall:")])
        with pytest.raises(InsufficientCredit):
            await world.first.hold(200)
        assert len([one for one in world.hub.sent if one.startswith("recall:")]) == questions

    played(scenario, credit_nano=100)


def test_a_refusal_tells_credit_that_is_held_from_credit_that_is_not_there() -> None:
    """Who waits for open requests may be served; who has not enough even then must recharge."""

    async def scenario(world: LedgerWorld) -> None:
        hold = await world.first.hold(80)
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(90)
        assert (refused.value.available_nano, refused.value.held_nano) == (20, 80)
        assert refused.value.is_held
        with pytest.raises(InsufficientCredit) as refused:
            await world.first.hold(101)
        assert not refused.value.is_held
        await world.first.charge(hold, 80)

    played(scenario, credit_nano=100)


def test_a_lot_that_nobody_could_spend_is_not_granted() -> None:
    """The command is refused before anything is stored."""
    world = LedgerWorld(100)
    before = len(world.store.log)
    with pytest.raises(BadField):
        grant_credit(
            GrantCredit(
                account_id=ACCOUNT,
                lot_id=world.ids.new(),
                amount_nano=1,
                source="promo",
                reason="x",
                granted_by="x",
                conditions=LotConditions(expires_us=1),
            ),
            store=world.store,
            clock=world.clock,
        )
    assert len(world.store.log) == before


def test_credit_goes_back_to_its_lot_although_another_came_meanwhile() -> None:
    """A lease has one lot when it gives back, and another one before it, by an extension, once that is stored."""
    first_lots = []

    async def scenario(world: LedgerWorld) -> None:
        process = world.first
        await process.serve(10, 10)
        first_lots.append(process.live.lease.parts[0].lot_id)
        process.journal.pause()
        giving_back = asyncio.create_task(process.give_back())
        await asyncio.sleep(0)
        assert process.live.lease.free_nano == 0  # it is on its way
        world.grant(1_000, source="promo")
        topped_up = process.live.record(_extension(world, process.live.lease))
        process.journal.resume()
        await asyncio.gather(giving_back, topped_up)

    world = played(scenario)
    back = next(fact for fact in world.facts() if isinstance(fact, LeaseReduced))
    assert [part.lot_id for part in back.slices] == first_lots


def _extension(world: LedgerWorld, lease: Lease) -> list[LeaseEvent]:
    """What the lease has to store of an extension that its wallet has stored."""
    wallet = load_wallet(world.store, ACCOUNT).wallet
    (extended,) = lending.extend_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=lease.lease_id,
        amount_nano=50,
        now_us=world.clock.now_us(),
        alias="m",
        mode="micro",
    )
    stored = NewEvent(wallet_stream(ACCOUNT), wallet.version + 1, extended.TOPIC, encode(extended))
    world.store.append([stored])
    return leasing.top_up(lease, amount_nano=50, slices=wallet.lent(extended.slices))
