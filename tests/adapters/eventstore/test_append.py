"""The append in Postgres: that it decides as the store in memory does, and what it promises beyond."""

import asyncio
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.eventstore import wire
from adapters.eventstore.batch import Batch
from adapters.eventstore.connection import BoundedConnection, Limits, PostgresTooOld, connect
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.memory import MemoryEventStore
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent, RecordedEvent, VersionConflict
from domain.ids import uuid7

TOPICS = ("lease.usage-charged.v1", "wallet.lease-granted.v1", "lease.fenced.v1")

#: A batch as (stream number, version relative to its head, topic number), in groups; mostly what fits.
relative_batches = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from([1, 1, 1, 1, 1, 0, 2]), st.sampled_from([0, 0, 0, 1, 2])
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def connection(shared_url: str) -> Iterator[BoundedConnection]:
    with connect(shared_url, limits=Limits(), application_name="test") as opened:
        yield opened


@pytest.fixture
def other(shared_url: str) -> Iterator[BoundedConnection]:
    with connect(shared_url, limits=Limits(), application_name="test") as opened:
        yield opened


def count(connection: BoundedConnection) -> int:
    row = connection.execute("SELECT count(*) FROM stored_events").fetchone()
    assert row is not None
    return int(row[0])


def absolute(
    relative: list[list[tuple[int, int, int]]], streams: Sequence[UUID], counted: dict[UUID, int]
) -> list[list[NewEvent]]:
    """Versions as an owner counts them: on from what it queued itself."""
    groups: list[list[NewEvent]] = []
    for group in relative:
        groups.append([])
        for stream_no, step, topic_no in group:
            stream = streams[stream_no]
            counted[stream] = version = counted.get(stream, 0) + step
            groups[-1].append(NewEvent(stream, version, TOPICS[topic_no], b"%d" % version))
    return groups


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(relative_batches, min_size=1, max_size=4), prepared=st.booleans())
def test_postgres_decides_as_memory_does(
    connection: BoundedConnection,
    other: BoundedConnection,
    batches: list[list[list[tuple[int, int, int]]]],
    prepared: bool,
) -> None:
    """The same groups are stored and refused, for the same stream, in the same order, at positions without a gap."""
    streams = [uuid7() for _ in range(3)]
    memory = MemoryEventStore()
    offset = connection.execute("SELECT coalesce(max(notification_id), 0) FROM stored_events").fetchone()
    assert offset is not None
    if (
        prepared
        and not other.execute("SELECT FROM pg_prepared_statements WHERE name = 'tokenok_append'").rowcount
    ):
        wire.prepare(other)
    for relative in batches:
        groups = absolute(relative, streams, {s: len(memory.read_stream(s)) for s in streams})
        expected, actual = (
            memory.commit(groups),
            Batch(groups).commit(other if prepared else connection, prepared=prepared),
        )
        assert [_plain(outcome) for outcome in expected] == [
            outcome - offset[0] if isinstance(outcome, int) else outcome.stream_id for outcome in actual
        ]
    log = connection.execute(
        "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE notification_id > %s "
        "ORDER BY notification_id",
        (offset[0],),
    ).fetchall()
    assert log == [
        (e.stream_id, e.version, e.topic, e.state) for e in memory.read_log(after_position=0, limit=1000)
    ]


def _plain(outcome: int | VersionConflict) -> int | UUID:
    return outcome if isinstance(outcome, int) else outcome.stream_id


def test_an_append_without_events_stores_nothing(connection: BoundedConnection) -> None:
    """The journal's probe goes through the same call."""
    assert Batch([]).commit(connection) == []


def test_a_refused_batch_leaves_no_trace_of_its_misfits(connection: BoundedConnection) -> None:
    """A batch in which nothing fits is answered, and stores nothing."""
    before = count(connection)
    (outcome,) = Batch([[NewEvent(uuid7(), 2, "a", b"")]]).commit(connection)
    assert isinstance(outcome, VersionConflict)
    assert count(connection) == before


@pytest.mark.parametrize("weak", ["off", "local", "remote_write"])
def test_a_commit_always_waits_for_the_disk(connection: BoundedConnection, weak: str) -> None:
    """A session or a database set to a weaker `synchronous_commit` makes no acknowledged event volatile."""
    connection.execute("SELECT set_config('synchronous_commit', %s, false)", (weak,))
    with connection.transaction():
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_stronger_commit_is_left_alone(connection: BoundedConnection) -> None:
    """An operator who waits for standbys to apply keeps doing so."""
    connection.execute("SET synchronous_commit = 'remote_apply'")
    with connection.transaction():
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


def test_no_append_scans_the_table(database_url: str) -> None:
    """The plans made on an empty, never analysed table go by the indexes; they are kept while it grows."""
    stream_id = uuid7()
    with connect(database_url, limits=Limits(), application_name="test") as connection:
        for version in range(1, 20):
            fitting, taken = NewEvent(stream_id, version, "a", b""), NewEvent(stream_id, 1, "a", b"")
            Batch([[fitting], [taken]]).commit(connection)
        connection.execute("SELECT pg_stat_force_next_flush()")
        scans = connection.execute(
            "SELECT seq_scan, n_tup_ins FROM pg_stat_user_tables WHERE relname = 'stored_events'"
        ).fetchone()
    assert scans == (0, 19)


@pytest.mark.parametrize(
    "change", ["UPDATE stored_events SET state = ''", "DELETE FROM stored_events", "TRUNCATE stored_events"]
)
def test_stored_events_cannot_be_changed(connection: BoundedConnection, change: str) -> None:
    """The log is append-only for everyone who does not switch its trigger off."""
    Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)
    before = count(connection)
    with pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(change)
    assert count(connection) == before > 0


def test_appends_exclude_each_other_until_the_commit(
    connection: BoundedConnection, other: BoundedConnection
) -> None:
    """While one append is uncommitted, no other can draw a position, on whatever stream; it gives up in bounded time."""
    with other.transaction():
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(other)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)
    Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)


def test_the_lock_of_the_log_is_the_appends_own(connection: BoundedConnection) -> None:
    """`tokenok_lock_log` takes the very lock that the append takes, so what is read under it stays true."""
    with connection.transaction():
        connection.execute("SELECT tokenok_lock_log()")
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)
        locks = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        ).fetchone()
    assert locks == (1,)


def test_appends_are_not_held_up_by_vacuum(connection: BoundedConnection, other: BoundedConnection) -> None:
    """The lock that VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold on the table does not touch appends."""
    with other.transaction():
        other.execute("LOCK TABLE stored_events IN SHARE UPDATE EXCLUSIVE MODE")
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(connection)


def test_vacuum_is_not_held_up_by_an_append(connection: BoundedConnection, other: BoundedConnection) -> None:
    """An append that is under way does not keep VACUUM out."""
    with other.transaction():
        Batch([[NewEvent(uuid7(), 1, "a", b"")]]).commit(other)
        connection.execute("SET lock_timeout = '1s'")
        connection.execute("VACUUM stored_events")


def test_an_old_postgres_is_refused(monkeypatch: pytest.MonkeyPatch, shared_url: str) -> None:
    """The message says what is needed and what was found."""
    monkeypatch.setattr("adapters.eventstore.connection._VERSION_MIN", 990_000)
    with pytest.raises(PostgresTooOld, match="Postgres 15 or later is needed"):
        connect(shared_url, limits=Limits(), application_name="test")


def test_a_locked_append_holds_the_lock_while_it_decides(
    shared_store: PostgresEventStore, other: BoundedConnection
) -> None:
    """What it has read stays true until it is committed; afterwards the lock is free, also after a refusal."""

    def locks() -> int:
        row = other.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        ).fetchone()
        assert row is not None
        return int(row[0])

    seen: list[int] = []
    stream_id = uuid7()

    def decide(_: object) -> list[NewEvent]:
        seen.append(locks())
        return [NewEvent(stream_id, 1, "a", b"")]

    shared_store.append_locked([stream_id], decide)
    with pytest.raises(VersionConflict):
        shared_store.append_locked([stream_id], decide)
    assert seen == [1, 1]
    assert locks() == 0


def test_a_reaper_beats_a_fast_owner_in_one_try(shared_store: PostgresEventStore, shared_url: str) -> None:
    """While the owner appends as fast as it can, the fence is stored at the first attempt, and is the last event."""

    async def scenario() -> None:
        journal = GroupCommitJournal(shared_url)
        journal.start()
        for _ in range(5):
            lease = uuid7()
            owner = asyncio.create_task(charge_until_fenced(journal, lease))
            while not await asyncio.to_thread(shared_store.read_stream, lease):
                pass
            await asyncio.to_thread(shared_store.append_locked, [lease], fence)
            charged = await owner
            log = await asyncio.to_thread(shared_store.read_stream, lease)
            assert [e.topic for e in log] == [*["lease.usage-charged.v1"] * charged, "lease.fenced.v1"]
        await journal.close()

    asyncio.run(scenario())


def fence(tail: list[RecordedEvent]) -> list[NewEvent]:
    return [NewEvent(tail[-1].stream_id, tail[-1].version + 1, "lease.fenced.v1", b"{}")]


async def charge_until_fenced(journal: GroupCommitJournal, lease: UUID) -> int:
    """Always four charges on their way; returns how many were acknowledged."""
    charged = version = 0
    while True:
        futures = []
        for _ in range(4):
            version += 1
            futures.append(journal.append([NewEvent(lease, version, "lease.usage-charged.v1", b"{}")]))
        answers = await asyncio.gather(*futures, return_exceptions=True)
        charged += sum(isinstance(answer, int) for answer in answers)
        if any(isinstance(answer, VersionConflict) for answer in answers):
            return charged


def test_vacuum_comes_by_in_small_steps(connection: BoundedConnection) -> None:
    """No table waits for a hundred million rows, as the library's tables do."""
    options = connection.execute(
        "SELECT relname, option FROM pg_class, unnest(reloptions) AS option WHERE option LIKE 'autovacuum%threshold=%'"
    ).fetchall()
    assert options
    assert all(int(str(option).partition("=")[2]) <= 1_000_000 for _, option in options)
