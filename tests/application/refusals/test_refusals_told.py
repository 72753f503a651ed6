"""Refusals in the log: counted by rule, told by several processes, and explained for a moment."""

import asyncio
from uuid import UUID, uuid4

import pytest

from application.command import new_event
from application.explaining.refusals import explain_refusals
from application.gateway.refused import Refused
from application.keys.stream import fresh_secret
from application.refusals.tally import ENTRIES_MAX, RefusalTally
from application.refusals.telling import RefusalTeller
from domain import accounts
from domain.fact import Stamp
from domain.keys import key as keys
from domain.ledger.events import Owner
from domain.limits import Limits
from domain.refusal import BadField, NotFound
from tests.fakes import NOON_US, SECOND_US, ManualClock, MemoryEventStore, memory_ports

ACCOUNT, KEY = uuid4(), uuid4()
POOR = Refused("insufficient_quota", "words", required_nano=5_000, available_nano=70)
FAST = Refused("rate_limit_exceeded", "words", rule="requests per minute", limit=60)
DAY_US = 86_400 * SECOND_US


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> MemoryEventStore:
    """With an account and a key that may ask sixty times a minute."""
    store = MemoryEventStore()
    stamp = Stamp(now_us=NOON_US - DAY_US, actor="system")
    opened = accounts.open_account(None, account_id=ACCOUNT, stamp=stamp)
    issued = keys.issue(
        None,
        key_id=KEY,
        account=accounts.evolve(None, opened[0]),
        secret=fresh_secret(memory_ports())[1],
        limits=Limits(rpm=60),
        expires_us=None,
        imported=False,
        stamp=stamp,
    )
    store.append([new_event(ACCOUNT, 1, opened[0])])
    store.append([new_event(KEY, 1, issued[0])])
    return store


def _tell(tally: RefusalTally, store: MemoryEventStore, clock: ManualClock, *, epoch: int = 1) -> None:
    teller = RefusalTeller(tally, store=store, owner=Owner(UUID(int=9), epoch), clock=clock)
    asyncio.run(teller.tell())


def test_a_flood_is_one_event_with_the_numbers(store: MemoryEventStore, clock: ManualClock) -> None:
    """However often a key is refused: one event for the account, one entry for each rule, with the last numbers."""
    tally = RefusalTally(clock)
    for _ in range(1_000):
        tally.note(ACCOUNT, KEY, POOR)
        clock.us += 1_000
    tally.note(ACCOUNT, KEY, FAST)
    before = len(store.log)
    _tell(tally, store, clock)
    assert len(store.log) == before + 1
    poor, fast = explain_refusals(store, ACCOUNT, from_us=NOON_US, until_us=NOON_US + SECOND_US * 60)
    assert (poor.refused.code, poor.refused.calls) == ("insufficient_quota", 1_000)
    assert (poor.refused.required_nano, poor.refused.available_nano) == (5_000, 70)
    assert (poor.refused.first_us, poor.refused.last_us) == (NOON_US, NOON_US + 999_000)
    assert (fast.refused.rule, fast.refused.limit, fast.key.limits.rpm) == ("requests per minute", 60, 60)
    assert fast.account.status == "open"


def test_nothing_refused_is_nothing_told(store: MemoryEventStore, clock: ManualClock) -> None:
    """Nor is anything told twice, and what is no rule of anybody's is not counted."""
    tally = RefusalTally(clock)
    assert tally.wants(POOR)
    assert not tally.wants(Refused("upstream_error", "words"))
    before = len(store.log)
    _tell(tally, store, clock)
    assert len(store.log) == before
    tally.note(ACCOUNT, KEY, POOR)
    _tell(tally, store, clock)
    _tell(tally, store, clock)
    assert len(store.log) == before + 1


def test_processes_tell_side_by_side(store: MemoryEventStore, clock: ManualClock) -> None:
    """Whoever loses a version takes the next; both are found."""
    tallies = [RefusalTally(clock), RefusalTally(clock)]
    for tally in tallies:
        tally.note(ACCOUNT, KEY, POOR)
    store.before_append = lambda: _tell(tallies[1], store, clock, epoch=2)
    _tell(tallies[0], store, clock)
    found = explain_refusals(store, ACCOUNT, from_us=NOON_US, until_us=NOON_US + 1)
    assert len(found) == 2
    assert found[0].position < found[1].position


def test_a_log_that_is_away_costs_the_summary_and_nothing_else(
    store: MemoryEventStore, clock: ManualClock
) -> None:
    """It is not told later as if it were of then."""
    tally = RefusalTally(clock)
    tally.note(ACCOUNT, KEY, POOR)
    store.is_down = True
    _tell(tally, store, clock)
    store.is_down = False
    _tell(tally, store, clock)
    assert explain_refusals(store, ACCOUNT, from_us=NOON_US, until_us=NOON_US + 1) == ()


def test_the_tally_is_bounded(clock: ManualClock) -> None:
    """Any number of keys: what has no room is counted, and there is room again once it was told."""
    tally = RefusalTally(clock)
    for number in range(ENTRIES_MAX + 5):
        tally.note(UUID(int=number), KEY, POOR)
    assert tally.untold == 5
    assert len(tally.take()) == ENTRIES_MAX
    tally.note(ACCOUNT, KEY, POOR)
    assert list(tally.take()) == [ACCOUNT]


def test_what_was_told_after_midnight_is_found_for_the_evening(
    store: MemoryEventStore, clock: ManualClock
) -> None:
    """The event lies in the next day's stream; the calls are asked for by their own time."""
    clock.us = (NOON_US // DAY_US + 1) * DAY_US - SECOND_US
    asked_us = clock.us
    tally = RefusalTally(clock)
    tally.note(ACCOUNT, KEY, POOR)
    clock.us += 5 * SECOND_US
    _tell(tally, store, clock)
    assert len(explain_refusals(store, ACCOUNT, from_us=asked_us, until_us=asked_us + 1)) == 1
    assert explain_refusals(store, ACCOUNT, from_us=asked_us + 1, until_us=asked_us + SECOND_US) == ()


def test_questions_are_bounded(store: MemoryEventStore) -> None:
    """An empty range, a long one, and an account that never was."""
    for from_us, until_us in ((5, 5), (0, 32 * DAY_US)):
        with pytest.raises(BadField):
            explain_refusals(store, ACCOUNT, from_us=from_us, until_us=until_us)
    with pytest.raises(NotFound):
        explain_refusals(store, uuid4(), from_us=0, until_us=1)
