"""Questions to other owners when messages get lost, and when credit moves on while they are asked."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import pytest

from application.eventlog import NewEvent
from application.ledger.recall import RecallMessages
from application.ledger.recaller import Recaller
from application.ledger.wallet_access import WalletAccess
from application.ledger.wallet_reader import load_wallet
from domain.event import encode
from domain.ledger import lending
from domain.ledger.events import Owner, WalletEvent
from domain.ledger.wallet import Wallet
from tests.application.ledger.ledger_world import ACCOUNT, WALLET, LedgerWorld, admission, played

OTHER, THIRD = Owner(UUID(int=7), 1), Owner(UUID(int=8), 1)
OTHERS_LEASE, THIRDS_LEASE = UUID(int=70), UUID(int=80)


@pytest.mark.parametrize("message", ["recall:", "recalled:"])
def test_a_message_that_got_lost_refuses_nobody(message: str) -> None:
    """A question is asked again; of an answer nothing depends, since the asker looks at the wallet by itself."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(10, 1)
        world.hub.lose.append(message)
        await world.second.serve(995, 5)
        assert not world.hub.lose

    played(scenario, credit_nano=1_000)


class Others(RecallMessages):
    """Owners that do what a script says, question by question."""

    recaller: Recaller

    def __init__(self, world: LedgerWorld, *steps: Callable[[Recaller], None]) -> None:
        super().__init__(world.hub, instance_id=UUID(int=1))
        self.steps = list(steps)

    def ask(self, account_id: UUID) -> None:  # there is one
        if self.steps:
            self.steps.pop(0)(self.recaller)


def lend(wallet: Wallet, owner: Owner, lease_id: UUID) -> Sequence[WalletEvent]:
    return lending.grant_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=lease_id,
        owner=owner,
        mode="bulk",
        amount_nano=wallet.available_nano,
        now_us=1,
    )


def take_back(wallet: Wallet, lease_id: UUID) -> Sequence[WalletEvent]:
    return lending.reduce_lease(
        wallet,
        account_id=ACCOUNT,
        lease_id=lease_id,
        amount_nano=wallet.leases[lease_id].amount_nano,
        now_us=1,
    )


def store_change(world: LedgerWorld, decide: Callable[[Wallet], Sequence[WalletEvent]]) -> None:
    wallet = load_wallet(world.store, ACCOUNT).wallet
    (fact,) = decide(wallet)
    world.store.append([NewEvent(WALLET, wallet.version + 1, fact.TOPIC, encode(fact))])


def asked(world: LedgerWorld, *steps: Callable[[Recaller], None]) -> bool:
    """What a recaller says of 900 when the other owner has all, and this happens question by question."""

    async def scenario() -> bool:
        others = Others(world, *steps)
        tools = msgspec.structs.replace(world.first.tools, messages=others)
        access = WalletAccess(ACCOUNT, store=world.store, journal=world.first.journal)
        recaller = others.recaller = Recaller(ACCOUNT, access, tools)
        store_change(world, lambda wallet: lend(wallet, OTHER, OTHERS_LEASE))
        await access.refresh()
        answer = await recaller.ask_until(admission(900), available_nano=lambda: access.wallet.available_nano)
        assert not others.steps
        return answer

    return asyncio.run(scenario())


def test_credit_that_moved_on_is_followed() -> None:
    """The owner that was asked gave back, and a third one was faster at the wallet: that one is asked, too."""
    world = LedgerWorld(1_000)

    def moves_on(recaller: Recaller) -> None:
        store_change(world, lambda wallet: take_back(wallet, OTHERS_LEASE))
        store_change(world, lambda wallet: lend(wallet, THIRD, THIRDS_LEASE))
        recaller.answered(OTHER.instance_id)

    def comes_back(recaller: Recaller) -> None:
        store_change(world, lambda wallet: take_back(wallet, THIRDS_LEASE))
        recaller.answered(THIRD.instance_id)

    assert asked(world, moves_on, comes_back)


def test_everybody_is_asked_once() -> None:
    """When all have answered and it does not suffice, that is the answer."""
    world = LedgerWorld(1_000)

    def keeps_it(recaller: Recaller) -> None:
        recaller.answered(OTHER.instance_id)

    assert not asked(world, keeps_it)
