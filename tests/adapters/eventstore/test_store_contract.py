"""What every event store promises; runs on the one in memory and on the one in Postgres."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from adapters.eventstore.memory import MemoryEventStore
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import EventStore, NewEvent, RecordedEvent, UnstorableEvent, VersionConflict
from domain.ids import uuid7


def event(
    stream_id: UUID, version: int, *, topic: str = "account.opened.v1", state: bytes = b"{}"
) -> NewEvent:
    return NewEvent(stream_id, version, topic, state)


def versions(events: Sequence[RecordedEvent]) -> list[int]:
    return [recorded.version for recorded in events]


def test_an_append_is_read_back_as_it_was(store: EventStore) -> None:
    """Topic and bytes come back unchanged, with a position and the database's time."""
    stream_id = uuid7()
    position = store.append([event(stream_id, 1, topic="lease.opened.v1", state=b'\x00\xff"\\{}')])
    (recorded,) = store.read_stream(stream_id)
    assert (recorded.stream_id, recorded.version) == (stream_id, 1)
    assert (recorded.topic, recorded.state) == ("lease.opened.v1", b'\x00\xff"\\{}')
    assert recorded.position == position == store.head_position()
    assert recorded.recorded_at_us > 1_600_000_000_000_000


def test_an_empty_log_has_head_zero(postgres_store: PostgresEventStore) -> None:
    """There is nothing to read in it either."""
    stores: list[EventStore] = [postgres_store, MemoryEventStore()]
    for store in stores:
        assert store.head_position() == 0
        assert store.read_log(after_position=0, limit=10) == []


def test_events_of_one_append_get_rising_positions(store: EventStore) -> None:
    """The position returned is the last one's; the log shows them in the order given."""
    first, second = uuid7(), uuid7()
    before = store.head_position()
    position = store.append([event(first, 1), event(second, 1), event(first, 2)])
    log = store.read_log(after_position=before, limit=10)
    assert [(e.stream_id, e.version) for e in log] == [(first, 1), (second, 1), (first, 2)]
    assert log[-1].position == position
    assert [e.position for e in log] == sorted({e.position for e in log})


@pytest.mark.parametrize("wrong", [0, 1, 3, -1])
def test_only_the_next_version_is_stored(store: EventStore, wrong: int) -> None:
    """A version that is taken, or leaves a gap, is refused with the stream's id and stores nothing."""
    stream_id = uuid7()
    store.append([event(stream_id, 1)])
    with pytest.raises(VersionConflict) as refusal:
        store.append([event(stream_id, wrong)])
    assert refusal.value.stream_id == stream_id
    assert versions(store.read_stream(stream_id)) == [1]


def test_an_append_is_stored_whole_or_not_at_all(store: EventStore) -> None:
    """When the second of two streams has moved on, the first is not written; the refusal names the second."""
    lease, wallet = uuid7(), uuid7()
    store.append([event(wallet, 1)])
    with pytest.raises(VersionConflict) as refusal:
        store.append([event(lease, 1), event(wallet, 1), event(lease, 2)])
    assert refusal.value.stream_id == wallet
    assert store.read_stream(lease) == []


def test_a_gap_inside_an_append_is_refused(store: EventStore) -> None:
    """Versions of one stream must run on within the append, too, in the order given."""
    stream_id = uuid7()
    for wrong in ([1, 3], [2, 1], [1, 1]):
        with pytest.raises(VersionConflict):
            store.append([event(stream_id, version) for version in wrong])
    assert store.read_stream(stream_id) == []


@pytest.mark.parametrize("topic", ["lease.fenced.v1", "lease.closed.v2"])
def test_nothing_follows_the_end_of_a_stream(store: EventStore, topic: str) -> None:
    """After its fence a stream takes no event, whatever version its owner counts on to: later or in the same append."""
    lease = uuid7()
    store.append([event(lease, 1), event(lease, 2, topic=topic)])
    for version in (2, 3, 4):
        with pytest.raises(VersionConflict):
            store.append([event(lease, version)])
    other = uuid7()
    with pytest.raises(VersionConflict):
        store.append([event(other, 1, topic=topic), event(other, 2)])
    assert versions(store.read_stream(lease)) == [1, 2]
    assert store.read_stream(other) == []


def test_a_closed_account_is_not_the_end_of_its_stream(store: EventStore) -> None:
    """Only a lease ends for good."""
    account = uuid7()
    store.append([event(account, 1, topic="account.closed.v1")])
    store.append([event(account, 2, topic="account.reinstated.v1")])
    assert versions(store.read_stream(account)) == [1, 2]


@pytest.mark.parametrize(
    "bad",
    [
        NewEvent(uuid7(), 1, "a\0b", b""),
        NewEvent(uuid7(), 1, "\ud800", b""),
        NewEvent(uuid7(), 1 << 63, "a", b""),
    ],
)
def test_what_no_log_can_hold_is_refused(store: EventStore, bad: NewEvent) -> None:
    """It is refused as such, together with what came with it, and the store works on."""
    stream_id = uuid7()
    with pytest.raises(UnstorableEvent):
        store.append([event(stream_id, 1), bad])
    store.append([event(stream_id, 1)])


def test_reading_goes_on_where_it_stopped(store: EventStore) -> None:
    """Pages after the last position give every event once; a stream can be read after a version."""
    stream_id = uuid7()
    store.append([event(stream_id, version) for version in range(1, 8)])
    seen: list[int] = []
    position = store.read_stream(stream_id)[0].position - 1
    while page := store.read_log(after_position=position, limit=3):
        assert len(page) <= 3
        seen += versions(page)
        position = page[-1].position
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert versions(store.read_stream(stream_id, after_version=5)) == [6, 7]


def test_the_control_log_leaves_out_what_requests_write(store: EventStore) -> None:
    """It has everything else, in order, limited after the filter; `leaseholder` is no lease."""
    stream_id, before = uuid7(), store.head_position()
    topics = [
        "lease.opened.v1",
        "key.issued.v1",
        "lease.usage-charged.v1",
        "wallet.lease-granted.v1",
        "idempotency.key-claimed.v1",
        "leaseholder.v1",
    ]
    store.append([event(stream_id, number, topic=topic) for number, topic in enumerate(topics, 1)])
    first = store.read_control(after_position=before, limit=1)
    rest = store.read_control(after_position=first[0].position, limit=10)
    assert [e.topic for e in [*first, *rest]] == ["key.issued.v1", "leaseholder.v1"]


@pytest.mark.parametrize("topic", ["lease.closed.v1", "lease.fenced.v1"])
def test_open_leases_are_those_that_have_not_ended(store: EventStore, topic: str) -> None:
    """Their opening events, in order and limited; one that ends is gone, also when it ends in the append that opens it."""
    before = store.head_position()
    first, second, third, brief = (uuid7() for _ in range(4))
    for lease in (first, second, third):
        store.append(
            [event(lease, 1, topic="lease.opened.v1"), event(uuid7(), 1), event(lease, 2, topic="lease.x")]
        )
    store.append([event(brief, 1, topic="lease.opened.v1"), event(brief, 2, topic=topic)])

    def opened(*, after: int = before, limit: int = 10) -> list[UUID]:
        return [one.stream_id for one in store.read_open_leases(after_position=after, limit=limit)]

    assert opened() == [first, second, third]
    assert opened(limit=2) == [first, second]
    found = store.read_open_leases(after_position=before, limit=1)[0]
    assert (found.topic, found.version) == ("lease.opened.v1", 1)
    assert opened(after=found.position) == [second, third]
    store.append([event(second, 3, topic=topic)])
    assert opened() == [first, third]


def test_a_refused_append_opens_and_ends_no_lease(store: EventStore) -> None:
    """What is not stored leaves the open leases as they were."""
    before, lease, taken = store.head_position(), uuid7(), uuid7()
    store.append([event(lease, 1, topic="lease.opened.v1"), event(taken, 1)])
    for lost in ([event(lease, 2, topic="lease.fenced.v1")], [event(uuid7(), 1, topic="lease.opened.v1")]):
        with pytest.raises(VersionConflict):
            store.append([*lost, event(taken, 1)])
    assert [one.stream_id for one in store.read_open_leases(after_position=before, limit=10)] == [lease]


def test_a_snapshot_is_kept_as_it_was_given(store: EventStore) -> None:
    """The newest given replaces the one before, whatever its version; a stream without one has none."""
    stream_id = uuid7()
    assert store.read_snapshot(stream_id) is None
    for version, state in ((500, b"\x00first"), (1000, b"second"), (700, b"third")):
        store.keep_snapshot(stream_id, version, state)
        assert store.read_snapshot(stream_id) == state


def test_a_locked_append_sees_the_tails_it_asked_for(store: EventStore) -> None:
    """It gets the named streams' events after the given versions in commit order, and stores what it decides."""
    lease, wallet, other = uuid7(), uuid7(), uuid7()
    store.append([event(lease, 1), event(wallet, 1), event(other, 1), event(lease, 2), event(wallet, 2)])
    seen: list[RecordedEvent] = []

    def decide(tail: list[RecordedEvent]) -> list[NewEvent]:
        seen.extend(tail)
        return [event(lease, 3, topic="lease.fenced.v1"), event(wallet, 3)]

    stored = store.append_locked([lease, wallet], decide, after_versions={lease: 1})
    assert [(e.stream_id, e.version) for e in seen] == [(wallet, 1), (lease, 2), (wallet, 2)]
    assert [(e.stream_id, e.version) for e in stored] == [(lease, 3), (wallet, 3)]
    assert versions(store.read_stream(lease)) == [1, 2, 3]


def test_a_locked_append_may_decide_on_nothing(store: EventStore) -> None:
    """Then it stores nothing and returns nothing."""
    before = store.head_position()
    assert list(store.append_locked([uuid7()], lambda _: [])) == []
    assert store.head_position() == before


def test_a_locked_append_stores_nothing_when_its_decision_fails(store: EventStore) -> None:
    """A refusal raised by the decision passes through; a wrong version is a conflict; the lock is free again."""
    stream_id = uuid7()

    def refuse(_: list[RecordedEvent]) -> list[NewEvent]:
        raise LookupError

    with pytest.raises(LookupError):
        store.append_locked([stream_id], refuse)
    with pytest.raises(VersionConflict):
        store.append_locked([stream_id], lambda _: [event(stream_id, 2)])
    store.append([event(stream_id, 1)])
    assert versions(store.read_stream(stream_id)) == [1]
