"""Reading wallets: a snapshot saves work and never changes an answer."""

import asyncio
import enum
from random import Random
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.eventstore.memory import MemoryJournal
from application.eventlog import NewEvent, RecordedEvent
from application.ledger.wallet_access import WalletAccess
from application.ledger.wallet_reader import SNAPSHOT_EVERY, load_wallet, refresh_snapshot, wallet_stream
from domain.event import TopicRegistry, encode
from domain.ids import uuid7
from domain.ledger import credit, lending
from domain.ledger import wallet as rules
from domain.ledger.events import WALLET_EVENTS, Owner, WalletEvent
from domain.ledger.snapshot import encode_snapshot, mark_of
from domain.ledger.wallet import Wallet
from tests.fakes import MemoryEventStore
from tests.histories import Simulation

ACCOUNT = UUID(int=5 << 64)
STREAM = wallet_stream(ACCOUNT)
OWNER = Owner(UUID(int=1), 1)
LONG = SNAPSHOT_EVERY + 100
topics = TopicRegistry(*WALLET_EVENTS)


class CountingStore(MemoryEventStore):
    """Knows how many events of streams were read."""

    read = 0

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        found = super().read_stream(stream_id, after_version=after_version)
        self.read += len(found)
        return found

    def cost_of_loading(self) -> int:
        before = self.read
        load_wallet(self, ACCOUNT)
        return self.read - before


def lot(wallet: Wallet, amount_nano: int = 7) -> list[WalletEvent]:
    return credit.grant_credit(
        wallet,
        account_id=ACCOUNT,
        lot_id=uuid7(),
        amount_nano=amount_nano,
        source="paid",
        reason="test",
        granted_by="test",
        now_us=1,
    )


def recall(wallet: Wallet) -> list[WalletEvent]:
    return lending.request_recall(wallet, account_id=ACCOUNT, by=OWNER, wanted_nano=1, now_us=wallet.version)


def history(events: int) -> CountingStore:
    """A log with a wallet of so many events, and no snapshot."""
    store, wallet = CountingStore(), Wallet()
    for number in range(events):
        (fact,) = lot(wallet) if number % 50 == 0 else recall(wallet)
        rules.evolve(wallet, fact)
        store.append([NewEvent(STREAM, wallet.version, fact.TOPIC, encode(fact))])
    return store


def folded(store: MemoryEventStore) -> Wallet:
    """The wallet by its events alone."""
    bare = MemoryEventStore()
    bare._log = store._log
    return load_wallet(bare, ACCOUNT).wallet


def test_a_long_wallet_is_read_from_its_start_once() -> None:
    """Then from the snapshot that was left behind: only the event it ends at is looked at again."""
    store = history(LONG)
    assert store.cost_of_loading() == LONG
    assert store.cost_of_loading() == 1
    assert load_wallet(store, ACCOUNT).wallet == folded(store)


def test_a_short_wallet_leaves_no_snapshot() -> None:
    """Folding it is cheaper than keeping one."""
    store = history(SNAPSHOT_EVERY - 1)
    store.cost_of_loading()
    assert store.snapshots == {}


def test_what_came_after_a_snapshot_is_folded_on() -> None:
    """A stale snapshot is as good as a new one."""
    store = history(LONG)
    load_wallet(store, ACCOUNT)
    (fact,) = lot(Wallet(), 1_000)
    store.append([NewEvent(STREAM, LONG + 1, fact.TOPIC, encode(fact))])
    assert store.cost_of_loading() == 2
    assert load_wallet(store, ACCOUNT).wallet == folded(store)


def ahead(store: CountingStore, wallet: Wallet) -> bytes:
    wallet.version += 1
    wallet.available_nano += 1_000_000
    return encode_snapshot(wallet, mark=mark_of(store.log[-1].state))


def of_another_history(store: CountingStore, wallet: Wallet) -> bytes:  # one of several
    wallet.available_nano += 1_000_000
    return encode_snapshot(wallet, mark=mark_of(b"an event that this log does not have"))


def damaged(store: CountingStore, wallet: Wallet) -> bytes:
    good = encode_snapshot(wallet, mark=mark_of(store.log[-1].state))
    return good[:-1] + bytes([good[-1] ^ 1])


def empty(store: CountingStore, wallet: Wallet) -> bytes:  # one of several
    return b""


@pytest.mark.parametrize("bad", [ahead, of_another_history, damaged, empty])
def test_a_snapshot_that_cannot_be_trusted_is_ignored_and_replaced(bad: object) -> None:
    """The wallet is folded from its events, and the next reader finds a good snapshot."""
    store = history(LONG)
    truth = load_wallet(store, ACCOUNT).wallet
    assert callable(bad)
    store.snapshots[STREAM] = bad(store, folded(store))
    assert load_wallet(store, ACCOUNT).wallet == truth
    assert store.cost_of_loading() == 1


def test_deleting_every_snapshot_changes_no_answer() -> None:
    """P09: fold(snapshot + tail) = fold(all), at any length."""
    for events in (0, 1, SNAPSHOT_EVERY, LONG):
        store = history(events)
        with_snapshot = [load_wallet(store, ACCOUNT).wallet for _ in range(2)][1]
        store.snapshots.clear()
        assert load_wallet(store, ACCOUNT).wallet == with_snapshot == folded(store)


def test_a_process_at_work_leaves_snapshots_behind() -> None:
    """Also when it never reads the wallet again: after each `SNAPSHOT_EVERY` changes of its own."""
    store = history(0)

    async def scenario() -> None:
        access = WalletAccess(ACCOUNT, store=store, journal=MemoryJournal(store))
        for _ in range(LONG):
            await access.change(recall)

    asyncio.run(scenario())
    assert store.cost_of_loading() <= LONG - SNAPSHOT_EVERY + 1
    assert load_wallet(store, ACCOUNT).wallet == folded(store)


def test_a_long_tail_by_others_is_read_through_a_snapshot() -> None:
    """A process that looks again after much has happened gets the same wallet."""
    store = history(10)

    async def scenario() -> Wallet:
        access = WalletAccess(ACCOUNT, store=store, journal=MemoryJournal(store))
        await access.refresh()
        wallet = folded(store)
        for _ in range(LONG):
            (fact,) = recall(wallet)
            rules.evolve(wallet, fact)
            store.append([NewEvent(STREAM, wallet.version, fact.TOPIC, encode(fact))])
        return await access.refresh()

    assert asyncio.run(scenario()) == folded(store)
    assert STREAM in store.snapshots


class Vandal(enum.Enum):
    """What may happen to the table of snapshots at any time."""

    KEEP = enum.auto()
    DELETE = enum.auto()
    GARBAGE = enum.auto()
    OLDER = enum.auto()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    happens=st.dictionaries(st.integers(0, 150), st.sampled_from(Vandal), max_size=12),
)
def test_no_snapshot_at_any_point_changes_a_wallet(seed: int, happens: dict[int, Vandal]) -> None:
    """P09: over random histories with snapshots kept, deleted, spoilt and put back at random points."""
    store, streams = MemoryEventStore(), set[UUID]()
    kept: list[dict[UUID, bytes]] = [{}]
    for number, group in enumerate(Simulation(Random(seed)).groups(150)):
        store.append(group)
        streams |= {event.stream_id for event in group if event.topic.startswith("wallet.")}
        match happens.get(number):
            case Vandal.KEEP:
                for stream_id in streams:
                    refresh_snapshot(store, stream_id)
                kept.append(dict(store.snapshots))
            case Vandal.DELETE:
                store.snapshots.clear()
            case Vandal.GARBAGE:
                store.snapshots = {one: state[::-1] for one, state in store.snapshots.items()}
            case Vandal.OLDER:
                store.snapshots = dict(kept[number % len(kept)])
    accounts = {decoded(event).account_id for event in store.log if event.topic.startswith("wallet.")}
    for account_id in accounts:
        wallet = load_wallet(store, account_id).wallet
        store.snapshots.clear()
        assert wallet == load_wallet(store, account_id).wallet == fold_all(store, account_id)


def fold_all(store: MemoryEventStore, account_id: UUID) -> Wallet:
    wallet = Wallet()
    for event in store.read_stream(wallet_stream(account_id)):
        rules.evolve(wallet, decoded(event))
    return wallet


def decoded(event: RecordedEvent) -> WalletEvent:
    return cast("WalletEvent", topics.decode(event.topic, event.state))
