"""How a balance comes about, and how things were, over lawful histories and against a fold of its own."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.eventstore.memory import MemoryEventStore
from application.command import new_event
from application.eventlog import RecordedEvent
from application.explaining.as_of import AsOf, read_as_of
from application.explaining.balance import explain_balance
from application.explaining.moment import account_at, key_at, price_at
from application.keys.stream import fresh_secret
from domain import accounts
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.event import Event
from domain.fact import Stamp
from domain.keys import key as keys
from domain.ledger.claim_events import (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    TakenCreditRestored,
)
from domain.ledger.events import (
    AdjustmentPosted,
    CreditLotGranted,
    CreditLotVoided,
    LeaseReduced,
    LeaseSettled,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.limits import Limits
from domain.pricing import Price
from domain.refusal import BadField, NotFound
from domain.topics import REGISTRY
from tests.fakes import NOON_US, SECOND_US, ManualClock, memory_ports
from tests.histories import history


def _store(seed: int, steps: int = 120) -> MemoryEventStore:
    store = MemoryEventStore()
    store.append(history(seed, steps=steps))
    return store


def _folded(log: list[RecordedEvent], account_id: UUID) -> tuple[int, int]:
    """Posted and held, by hand: grants less charges, and what was adjusted or went back; open holds, and what is frozen."""
    posted_nano, held_nano = 0, 0
    for recorded in log:
        event = REGISTRY.decode(recorded.topic, recorded.state)
        if getattr(event, "account_id", None) == account_id:
            posted_nano += _posted_nano(event)
            held_nano += _held_nano(event)
    return posted_nano, held_nano


def _posted_nano(event: Event) -> int:
    match event:
        case CreditLotGranted() | TakenCreditRestored():
            return event.amount_nano
        case AdjustmentPosted():
            return event.amount_nano if event.direction == "credit" else -event.amount_nano
        case CreditLotVoided() | FrozenCreditTaken() | ReceivableSettled():
            return -event.amount_nano
        case LeaseReduced() | LeaseSettled():
            return -sum(part.amount_nano for part in event.voided or ())
        case UsageCharged():
            return -event.charge_nano
        case _:
            return (
                -getattr(event, "voided_nano", 0)
                if isinstance(event, CreditUnfrozen) and event.voided_nano
                else 0
            )


def _held_nano(event: Event) -> int:
    match event:
        case CreditFrozen():
            return event.amount_nano
        case CreditUnfrozen():
            return -event.amount_nano - (event.voided_nano or 0)
        case FrozenCreditTaken():
            return -event.amount_nano
        case RequestAdmitted():
            return event.hold_nano
        case UsageCharged() | RequestReleased() | RequestAbandoned():
            return -event.hold_nano
        case _:
            return 0


def _accounts(log: list[RecordedEvent]) -> list[UUID]:
    events = [REGISTRY.decode(one.topic, one.state) for one in log]
    return sorted({event.account_id for event in events if isinstance(event, CreditLotGranted)})


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_balance_at_any_point_is_the_fold_up_to_there(seed: int, data: st.DataObject) -> None:
    """P20: at a position and at the instant when its event was recorded; the kinds add up to it."""
    log = (store := _store(seed)).read_log(after_position=0, limit=100_000)
    point = data.draw(st.sampled_from(log))
    for account_id in _accounts(log):
        found = explain_balance(store, account_id, as_of=AsOf(position=point.position))
        before = [event for event in log if event.position <= point.position]
        assert (found.posted_nano, found.held_nano) == _folded(before, account_id)
        assert sum(kind.posted_nano for kind in found.kinds) == found.posted_nano
        assert found.available_nano == found.posted_nano - found.held_nano >= 0
        then = explain_balance(store, account_id, as_of=AsOf(recorded_us=point.recorded_at_us))
        known = [event for event in log if event.recorded_at_us <= point.recorded_at_us]
        assert (then.posted_nano, then.held_nano) == _folded(known, account_id)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), limit=st.integers(1, 7))
def test_the_pages_together_are_all_movements(seed: int, limit: int) -> None:
    """In the order of the log, none twice, and together they are the balance."""
    store = _store(seed)
    account_id = _accounts(store.read_log(after_position=0, limit=100_000))[0]
    whole = explain_balance(store, account_id, as_of=AsOf(), limit=10_000)
    assert whole.next_after is None
    pages, after = [], 0
    while True:
        page = explain_balance(store, account_id, as_of=AsOf(), after=after, limit=limit)
        pages += page.movements
        if page.next_after is None:
            break
        after = page.next_after
    assert pages == list(whole.movements) == sorted(pages, key=lambda one: one.position)
    assert sum(one.posted_nano for one in pages) == whole.posted_nano
    assert sum(kind.events for kind in whole.kinds) == len(pages)


def test_an_account_without_events_owns_nothing() -> None:
    """Zeros, and nothing to explain."""
    found = explain_balance(MemoryEventStore(), uuid4(), as_of=AsOf())
    assert (found.posted_nano, found.held_nano, found.last_position, found.kinds) == (0, 0, 0, ())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, AsOf()),
        ("", AsOf()),
        ("17", AsOf(position=17)),
        ("1970-01-02T00:00:01.000002Z", AsOf(recorded_us=86_401_000_002)),
        ("1970-01-01T09:00:00+09:00", AsOf(recorded_us=0)),
    ],
)
def test_a_point_is_read(text: str | None, wanted: AsOf) -> None:
    """Digits are a position; an instant is exact, whatever its zone."""
    assert read_as_of(text) == wanted


@pytest.mark.parametrize("text", ["-1", "yesterday", "2026-11-29T14:03:00", "1.5", "٣"])
def test_what_is_no_point_is_refused(text: str) -> None:
    """An instant without a zone could be any of two dozen."""
    with pytest.raises(BadField):
        read_as_of(text)


def test_accounts_and_keys_are_as_they_were() -> None:
    """What was set later is not seen at an earlier position, and before the first fact there is nothing."""
    store, account_id, key_id = MemoryEventStore(), uuid4(), uuid4()
    stamp = Stamp(now_us=NOON_US, actor="system")
    opened = accounts.open_account(None, account_id=account_id, stamp=stamp)
    account = accounts.evolve(None, opened[0])
    limited = accounts.set_limits(account, limits=Limits(rpm=60), stamp=stamp)
    _, secret = fresh_secret(memory_ports())
    issued = keys.issue(
        None,
        key_id=key_id,
        account=account,
        secret=secret,
        limits=Limits(),
        expires_us=None,
        imported=False,
        stamp=stamp,
    )
    revoked = keys.revoke(keys.evolve(None, issued[0]), reason="r", stamp=stamp)
    for stream_id, version, event in (
        (account_id, 1, opened[0]),
        (key_id, 1, issued[0]),
        (account_id, 2, limited[0]),
        (key_id, 2, revoked[0]),
    ):
        store.append([new_event(stream_id, version, event)])
    assert account_at(store, account_id, as_of=AsOf(position=2)).limits.rpm is None
    assert account_at(store, account_id, as_of=AsOf()).limits.rpm == 60
    before, then = (key_at(store, key_id, as_of=AsOf(position=position)) for position in (3, 4))
    assert (before.revoked, before.account_id, len(before.prefixes)) == (False, account_id, 1)
    assert (then.revoked, then.prefixes) == (True, ())
    for nothing in (AsOf(position=0), AsOf(recorded_us=0)):
        with pytest.raises(NotFound):
            account_at(store, account_id, as_of=nothing)
        with pytest.raises(NotFound):
            key_at(store, key_id, as_of=nothing)


def test_a_price_is_the_one_that_was_in_force() -> None:
    """Of what was published by then, the one that had begun; what was announced for later is told beside it."""
    store = MemoryEventStore()
    for version, start_us in enumerate((0, NOON_US * 100, 0), start=1):
        store.append([new_event(PRICE_LIST_STREAM, version, _published(version, start_us=start_us))])
    clock = ManualClock()
    first = price_at(store, "big", as_of=AsOf(position=1), clock=clock)
    assert first.in_force is not None
    assert (first.in_force.version, first.announced) == (1, ())
    second = price_at(store, "big", as_of=AsOf(position=2), clock=clock)
    assert second.in_force == first.in_force
    assert [one.version for one in second.announced] == [2]
    now = price_at(store, "big", as_of=AsOf(), clock=clock)
    assert now.in_force is not None
    assert now.in_force.version == 3
    later = price_at(store, "big", as_of=AsOf(recorded_us=NOON_US * 200), clock=clock)
    assert later.in_force is not None
    assert (later.in_force.version, later.announced) == (2, ())
    for nothing in (AsOf(position=99), AsOf(recorded_us=1)):
        with pytest.raises(NotFound):
            price_at(store, "big", as_of=nothing, clock=clock)
    with pytest.raises(NotFound):
        price_at(store, "small", as_of=AsOf(), clock=clock)


def _published(version: int, *, start_us: int) -> PriceListPublished:
    price = Price(
        input_nano_per_million=version,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=0,
        request_nano_per_million=0,
    )
    return PriceListPublished(
        entries={"big": price},
        markup_ppm=1_000_000,
        effective_from_us=start_us,
        approved_by="a",
        note="n",
        occurred_us=NOON_US + version * SECOND_US,
        actor="system",
    )
