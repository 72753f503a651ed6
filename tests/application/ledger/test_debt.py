"""Who owes is served nothing, and what lies in gateways pays the debt: two lease books over one log."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from application.ledger.change_wallet import change_wallet
from application.ledger.recall import RecallMessages
from application.ledger.wallet_reader import load_wallet
from domain.ledger import claims
from domain.ledger.claims import Claimed
from domain.ledger.refusals import AccountInDebt
from domain.ledger.wallet import Wallet
from tests.application.ledger.ledger_world import ACCOUNT, LedgerWorld

NOBODY = UUID(int=99)


def play(scenario: Callable[[LedgerWorld], Awaitable[None]]) -> None:
    """In a world with 1,000 nano-credits."""

    async def run() -> None:
        await scenario(LedgerWorld(1_000))

    asyncio.run(run())


def pay_back(world: LedgerWorld, amount_nano: int) -> Wallet:
    """The provider pays back so much of the first lot, and gateways are asked for what they have."""
    lot_id = min(load_wallet(world.store, ACCOUNT).wallet.lots)
    on = Claimed(account_id=ACCOUNT, lot_id=lot_id, claim_id=world.ids.new())
    wallet = change_wallet(
        world.store,
        ACCOUNT,
        lambda now: claims.take(now, on, amount_nano=amount_nano, now_us=world.clock.now_us()),
    )
    RecallMessages(world.hub, instance_id=NOBODY).ask(ACCOUNT)
    return wallet


def wallet_of(world: LedgerWorld) -> Wallet:
    return load_wallet(world.store, ACCOUNT).wallet


def test_what_gateways_do_not_need_pays_the_debt() -> None:
    """They give back what no request holds; what is charged meanwhile was lent before, and what is spent stays owed."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(400, 300)
        held = await world.second.hold(50)
        assert pay_back(world, 1_000).owed_nano > 0
        await world.until(lambda: wallet_of(world).owed_nano <= 350)
        assert wallet_of(world).owed_nano == 350
        with pytest.raises(AccountInDebt) as refused:
            await world.first.hold(1)
        assert refused.value.owed_nano == 350
        await world.second.charge(held, 20)
        await world.closed()
        assert wallet_of(world).owed_nano == 320
        assert wallet_of(world).available_nano == 0

    play(scenario)


def test_a_payment_lets_requests_be_served_again() -> None:
    """What it is worth beyond the debt can be spent, at once and in every process."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1_000, 600)
        pay_back(world, 1_000)
        await world.until(lambda: wallet_of(world).owed_nano == 600)
        for process in (world.first, world.second):
            with pytest.raises(AccountInDebt):
                await process.hold(1)
        world.grant(599)
        with pytest.raises(AccountInDebt):
            await world.first.hold(1)
        world.grant(101)
        await world.first.serve(60, 60)
        await world.second.serve(40, 40)
        await world.closed()
        assert (wallet_of(world).owed_nano, wallet_of(world).available_nano) == (0, 0)

    play(scenario)


def test_all_who_wait_hear_of_the_debt() -> None:
    """Nobody asks other processes for credit that would pay it, nor waits for any."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(1_000, 1_000)
        pay_back(world, 1_000)
        with pytest.raises(AccountInDebt):
            await world.second.hold(5)
        questions = [one for one in world.hub.sent if one.startswith("recall:")]
        assert [one.endswith(str(NOBODY)) for one in questions] == [True]
        await world.closed()

    play(scenario)


def test_what_is_frozen_is_not_lent() -> None:
    """Nor what comes back of its lot; once it is let go it is."""

    async def scenario(world: LedgerWorld) -> None:
        held = await world.first.hold(600)
        lot_id = min(wallet_of(world).lots)
        on = Claimed(account_id=ACCOUNT, lot_id=lot_id, claim_id=world.ids.new())
        change_wallet(world.store, ACCOUNT, lambda now: claims.freeze(now, on, wanted_nano=900, now_us=1))
        await world.first.charge(held, 50)
        await world.first.book.close()
        assert (wallet_of(world).frozen_nano, wallet_of(world).available_nano) == (900, 50)
        change_wallet(world.store, ACCOUNT, lambda now: claims.release(now, on, now_us=1))
        await world.second.serve(950, 950)
        await world.closed()

    play(scenario)
