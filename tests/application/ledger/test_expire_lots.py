"""Lots end soon after their time, once, whoever looks how often."""

from uuid import UUID

from application.eventlog import LogUnavailable
from application.ledger.expire_lots import expire_due, expire_lots
from application.ledger.wallet_reader import load_wallet
from domain.ledger.events import CreditLotExpired
from tests.application.ledger.ledger_world import ACCOUNT, LedgerWorld
from tests.fakes import MemoryEventStore


class Told:
    """Somebody who says that these accounts are due."""

    def __init__(self, *accounts: UUID) -> None:
        self._accounts = list(accounts)

    def accounts_due(self, *, now_us: int, limit: int) -> list[UUID]:
        return self._accounts[:limit]


class Failing(MemoryEventStore):
    """A log that is away for everyone but one stream's readers."""

    def append(self, events: object) -> int:
        raise LogUnavailable("away")


def test_what_is_left_of_a_lot_is_gone_after_its_end() -> None:
    """Once: the second look finds nothing to do. Another lot is untouched."""
    world = LedgerWorld(100)
    lot_id = world.grant(50, source="promo", conditions=world.ending(10))
    expire_due(Told(ACCOUNT), store=world.store, clock=world.clock)
    assert not world.facts(CreditLotExpired)
    world.clock.move(10)
    assert expire_due(Told(ACCOUNT), store=world.store, clock=world.clock) == 1
    expire_due(Told(ACCOUNT), store=world.store, clock=world.clock)
    assert world.facts(CreditLotExpired) == [
        CreditLotExpired(account_id=ACCOUNT, lot_id=lot_id, amount_nano=50, occurred_us=world.clock.now_us())
    ]
    assert load_wallet(world.store, ACCOUNT).wallet.available_nano == 100
    assert world.balance().balances["breakage"] == 50


def test_an_account_without_a_wallet_has_nothing_to_end() -> None:
    """Whoever said that it is due was wrong; nothing is stored."""
    world = LedgerWorld(100)
    before = len(world.store.log)
    expire_lots(UUID(int=99), store=world.store, clock=world.clock)
    assert len(world.store.log) == before


def test_one_wallet_that_fails_is_left_for_the_next_run() -> None:
    """The others are looked at all the same."""
    world = LedgerWorld(100)
    world.grant(50, conditions=world.ending(10))
    world.clock.move(10)
    failing = Failing()
    failing._log, failing._heads = world.store._log, world.store._heads
    assert expire_due(Told(ACCOUNT, UUID(int=99)), store=failing, clock=world.clock) == 2
    assert not world.facts(CreditLotExpired)
