"""The reaper on a real Postgres, against owners that live, are frozen, died, or live again, and against another reaper."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import pytest

from adapters.eventstore.store import PostgresEventStore
from adapters.presence import PostgresPresence, PresenceKeeper
from application.clock import SystemClock
from application.eventlog import LogUnavailable, NewEvent, VersionConflict
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.ports import Liveness
from application.ledger.reaper import LOOK_AFRESH_ROUNDS, Reaper
from application.ledger.wallet_reader import load_wallet, wallet_stream
from domain.event import Event, TopicRegistry, encode
from domain.ids import uuid7
from domain.ledger import lease as lease_rules
from domain.ledger import leasing, lending
from domain.ledger.events import LEDGER_EVENTS, LeaseFenced, LeaseSettled, Owner, RequestAbandoned
from domain.ledger.lease import Lease
from domain.ledger.wallet import Wallet
from tests.databases import migrated_template
from tests.fakes import ManualClock, MemoryEventStore
from tests.waiting import until

VALID_S = 1.0
CREDIT_NANO = 1_000
HOLDER = """
import sys, time, uuid
from adapters.presence import PresenceKeeper
from domain.ledger.events import Owner
PresenceKeeper(sys.argv[1], owner=Owner(uuid.UUID(sys.argv[2]), 1), lease_valid_s=float(sys.argv[3])).start()
print("announced", flush=True)
time.sleep(600)
"""
TOPICS = TopicRegistry(*LEDGER_EVENTS)


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresEventStore]:
    with PostgresEventStore(database_url) as opened:
        yield opened


@contextmanager
def holder(url: str, owner: Owner) -> "Iterator[subprocess.Popen[str]]":
    """A process that has announced itself and keeps its lock."""
    command = [sys.executable, "-c", HOLDER, url, str(owner.instance_id), str(VALID_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "announced\n"
            yield process
        finally:
            process.kill()


class Site:
    """Reapers, and accounts with leases, on one log."""

    def __init__(self, url: str, store: PostgresEventStore | MemoryEventStore, stack: ExitStack) -> None:
        self._url = url
        self._store = store
        self._stack = stack

    def reaper(self, me: Owner | None = None) -> Reaper:
        presence = PostgresPresence(self._url, lease_valid_s=VALID_S)
        self._stack.callback(presence.close)
        return Reaper(
            store=self._store,
            presence=presence,
            clock=SystemClock(),
            me=me or Owner(uuid7(), 1),
            lease_valid_s=VALID_S,
        )

    def lend(self, owner: Owner, *, hold_nano: int = 0) -> tuple[UUID, UUID]:
        """A new account whose whole credit is in one lease of `owner`, part of it held: account and lease id."""
        return lend(self._store, owner, hold_nano=hold_nano)

    def wallet(self, account_id: UUID) -> Wallet:
        return load_wallet(self._store, account_id).wallet

    def facts(self, stream_id: UUID) -> list[Event]:
        return [TOPICS.decode(one.topic, one.state) for one in self._store.read_stream(stream_id)]


def lend(
    store: PostgresEventStore | MemoryEventStore, owner: Owner, *, hold_nano: int = 0
) -> tuple[UUID, UUID]:
    account_id, lease_id = uuid7(), uuid7()
    lot = GrantCredit(
        account_id=account_id,
        lot_id=uuid7(),
        amount_nano=CREDIT_NANO,
        source="paid",
        reason="test",
        granted_by="test",
    )
    wallet = grant_credit(lot, store=store, clock=SystemClock())
    granted = lending.grant_lease(
        wallet,
        account_id=account_id,
        lease_id=lease_id,
        owner=owner,
        mode="bulk",
        amount_nano=CREDIT_NANO,
        now_us=1,
    )
    lease = Lease(lease_id)
    facts: list[Event] = []
    (opened,) = leasing.open_lease(
        lease, account_id=account_id, owner=owner, amount_nano=CREDIT_NANO, valid_ms=1, now_us=1
    )
    facts.append(opened)
    lease_rules.evolve(lease, opened)
    if hold_nano:
        facts += lease_rules.admit(
            lease,
            request_id=uuid7(),
            key_id=uuid7(),
            alias="m",
            stream=False,
            hold_nano=hold_nano,
            price_version=1,
            client_ref=None,
            now_us=1,
        )
    store.append(
        [
            NewEvent(wallet_stream(account_id), wallet.version + 1, granted[0].TOPIC, encode(granted[0])),
            *(NewEvent(lease_id, version, fact.TOPIC, encode(fact)) for version, fact in enumerate(facts, 1)),
        ]
    )
    return account_id, lease_id


@pytest.fixture
def site(database_url: str, store: PostgresEventStore) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(database_url, store, stack)


def test_an_owner_that_lives_keeps_its_lease(site: Site, database_url: str) -> None:
    """Round after round, while another's lease is fenced."""
    living, dead = Owner(uuid7(), 1), Owner(uuid7(), 1)
    keeper = PresenceKeeper(database_url, owner=living, lease_valid_s=60)
    keeper.start()
    try:
        account_id, _ = site.lend(living)
        _, fenced = site.lend(dead)
        reaper = site.reaper()
        assert [reaper.run_once() for _ in range(5)] == [[], [fenced], [], [], []]
        assert site.wallet(account_id).available_nano == 0
    finally:
        keeper.close()


def test_an_owner_that_was_killed_loses_its_lease(site: Site, database_url: str) -> None:
    """What it neither charged nor returned is available again; its open request is abandoned and costs nothing."""
    owner = Owner(uuid7(), 1)
    account_id, lease_id = site.lend(owner, hold_nano=300)
    reaper = site.reaper()
    with holder(database_url, owner) as process:
        assert reaper.run_once() == []
        process.kill()
        process.wait()
        assert until(reaper.run_once) == [lease_id]
    assert [type(fact) for fact in site.facts(lease_id)[-2:]] == [RequestAbandoned, LeaseFenced]
    wallet = site.wallet(account_id)
    assert (wallet.available_nano, wallet.charged_nano, wallet.leases) == (CREDIT_NANO, 0, {})


def test_an_owner_that_is_frozen_loses_its_lease_and_can_charge_no_more(
    site: Site, database_url: str, store: PostgresEventStore
) -> None:
    """R2, R3: it has its lock and is silent for twice the validity; when it wakes, its next event does not fit."""
    owner = Owner(uuid7(), 1)
    _, lease_id = site.lend(owner)
    reaper = site.reaper()
    with holder(database_url, owner) as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert until(reaper.run_once) == [lease_id]
        os.kill(process.pid, signal.SIGCONT)
    (fenced,) = [fact for fact in site.facts(lease_id) if isinstance(fact, LeaseFenced)]
    assert fenced.reason == "owner is silent"
    with pytest.raises(VersionConflict):
        store.append([NewEvent(lease_id, 2, "lease.gave-back.v1", b"{}")])


def test_two_reapers_at_once_end_each_lease_once(site: Site) -> None:
    """Every lease has one fence and one settlement, whoever was faster; together they report each once."""
    owner = Owner(uuid7(), 1)
    lent = [site.lend(owner) for _ in range(20)]
    reapers = [site.reaper() for _ in range(2)]
    for reaper in reapers:
        assert reaper.run_once() == []
    together = threading.Barrier(2)
    ended: list[UUID] = []

    def reap(reaper: Reaper) -> None:
        together.wait(timeout=60)
        ended.extend(reaper.run_once())

    threads = [threading.Thread(target=reap, args=(reaper,)) for reaper in reapers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == sorted(lease_id for _, lease_id in lent)
    for account_id, lease_id in lent:
        assert [type(fact) for fact in site.facts(lease_id)].count(LeaseFenced) == 1
        assert [type(f) for f in site.facts(wallet_stream(account_id))].count(LeaseSettled) == 1


def test_an_earlier_life_of_this_process_is_fenced_at_once(site: Site) -> None:
    """R1: an epoch never comes back, so nothing has to be waited for; the present one is left alone."""
    me = Owner(uuid7(), 7)
    _, earlier = site.lend(Owner(me.instance_id, 6))
    site.lend(me)
    reaper = site.reaper(me)
    assert [reaper.run_once() for _ in range(3)] == [[earlier], [], []]


def test_an_earlier_life_of_another_process_is_fenced_at_once(site: Site, database_url: str) -> None:
    """Although that instance is alive: its lock is that of its present life."""
    present = Owner(uuid7(), 2)
    _, earlier = site.lend(Owner(present.instance_id, 1))
    site.lend(present)
    keepers = [PresenceKeeper(database_url, owner=Owner(present.instance_id, 1), lease_valid_s=60)]
    keepers[0].start()
    keepers[0].close()
    keepers.append(PresenceKeeper(database_url, owner=present, lease_valid_s=60))
    keepers[1].start()
    try:
        reaper = site.reaper()
        assert [reaper.run_once() for _ in range(3)] == [[earlier], [], []]
    finally:
        keepers[1].close()


class Nobody:
    """Presence on a day on which nobody lives."""

    def liveness(self, instance_ids: list[UUID]) -> dict[UUID, Liveness]:  # the port's form
        return {}

    def live_gateways(self) -> int:
        return 1


class CountingStore(MemoryEventStore):
    """Knows how many events were read as open leases."""

    opened_read = 0

    def read_open_leases(self, *, after_position: int, limit: int) -> list:  # type: ignore[type-arg]  # as its base
        found = super().read_open_leases(after_position=after_position, limit=limit)
        self.opened_read += len(found)
        return found


def memory_reaper(store: MemoryEventStore, me: Owner) -> Reaper:
    return Reaper(store=store, presence=Nobody(), clock=ManualClock(), me=me, lease_valid_s=VALID_S)


def test_a_round_reads_only_the_leases_that_are_new() -> None:
    """And now and then all of them, which forgets those that have ended."""
    store, me = CountingStore(), Owner(uuid7(), 1)
    for _ in range(10):
        lend(store, me)
    reaper = memory_reaper(store, me)
    for _ in range(LOOK_AFRESH_ROUNDS):
        reaper.run_once()
    assert store.opened_read == 10
    lend(store, me)
    reaper.run_once()
    assert store.opened_read == 21


@pytest.mark.parametrize("topic", ["lease.opened.v1", "lease.opened.v9"])
def test_a_lease_that_cannot_be_read_does_not_protect_the_others(topic: str) -> None:
    """Its opening is damaged or of a later version: it is named in the log, and the next one is fenced."""
    store = MemoryEventStore()
    store.append([NewEvent(uuid7(), 1, topic, b"{}")])
    _, lease_id = lend(store, Owner(uuid7(), 1))
    reaper = memory_reaper(store, Owner(uuid7(), 1))
    assert [reaper.run_once() for _ in range(2)] == [[], [lease_id]]


def test_a_lease_that_cannot_be_fenced_does_not_protect_the_others() -> None:
    """One event in it is damaged; the dead owner's other lease comes back."""
    store, owner = MemoryEventStore(), Owner(uuid7(), 1)
    _, damaged = lend(store, owner)
    store.append([NewEvent(damaged, 2, "lease.topped-up.v1", b"damaged")])
    _, lease_id = lend(store, owner)
    reaper = memory_reaper(store, Owner(uuid7(), 1))
    assert [reaper.run_once() for _ in range(2)] == [[], [lease_id]]


def test_a_log_that_is_away_leaves_the_rest_for_the_next_round() -> None:
    """Nothing is forgotten: when the log is back, the lease is fenced."""
    store, owner = MemoryEventStore(), Owner(uuid7(), 1)
    _, lease_id = lend(store, owner)
    reaper = memory_reaper(store, Owner(uuid7(), 1))
    assert reaper.run_once() == []
    store.is_down = True
    with pytest.raises(LogUnavailable):
        reaper.run_once()
    store.is_down = False
    assert reaper.run_once() == [lease_id]
