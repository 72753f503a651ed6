"""The log in parts: closing one changes nothing of what is read, of what fits, and of what is refused."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from subprocess import PIPE

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.eventstore.connection import BoundedConnection, Limits, connect
from adapters.eventstore.memory import MemoryEventStore
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent, RecordedEvent, VersionConflict
from domain.ids import uuid7
from tests.adapters.eventstore.test_append import absolute, relative_batches
from tests.adapters.eventstore.test_order import WRITER, follow, tell

CLOSE = "SELECT tokenok_close_part()"


@pytest.fixture
def connection(shared_url: str) -> Iterator[BoundedConnection]:
    with connect(shared_url, limits=Limits(), application_name="test") as opened:
        yield opened


def close_part(connection: psycopg.Connection[tuple[object, ...]]) -> int | None:
    row = connection.execute(CLOSE).fetchone()
    assert row is not None
    return None if row[0] is None else int(str(row[0]))


def plain(events: list[RecordedEvent]) -> list[NewEvent]:
    return [NewEvent(e.stream_id, e.version, e.topic, e.state) for e in events]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(st.none(), relative_batches), min_size=2, max_size=5))
def test_a_closed_part_decides_on_as_if_it_were_open(
    shared_store: PostgresEventStore,
    connection: BoundedConnection,
    steps: list[list[list[tuple[int, int, int]]] | None],
) -> None:
    """With parts closed in between (`None`), the same groups are stored and refused as in memory, and read the same."""
    streams = [uuid7() for _ in range(3)]
    memory, before = MemoryEventStore(), shared_store.head_position()
    for step in steps:
        if step is None:
            close_part(connection)
            continue
        for group in absolute(step, streams, {s: len(memory.read_stream(s)) for s in streams}):
            fits = isinstance(memory.commit([group])[0], int)
            try:
                shared_store.append(group)
            except VersionConflict:
                assert not fits
            else:
                assert fits
    log = shared_store.read_log(after_position=before, limit=1000)
    assert plain(log) == plain(memory.read_log(after_position=0, limit=1000))
    for stream in streams:
        assert plain(shared_store.read_stream(stream)) == plain(memory.read_stream(stream))
    pages: list[RecordedEvent] = []
    while page := shared_store.read_log(after_position=pages[-1].position if pages else before, limit=2):
        pages += page
    assert pages == log


def test_what_is_open_stays_open_over_a_closed_part(
    shared_store: PostgresEventStore, connection: BoundedConnection
) -> None:
    """A lease opened in it is still found, and still ends; control events are found, too."""
    lease, key, before = uuid7(), uuid7(), shared_store.head_position()
    shared_store.append(
        [NewEvent(lease, 1, "lease.opened.v1", b"{}"), NewEvent(key, 1, "key.issued.v1", b"{}")]
    )
    close_part(connection)
    (opened,) = shared_store.read_open_leases(after_position=before, limit=10)
    assert opened.stream_id == lease
    (issued,) = shared_store.read_control(after_position=before, limit=10)
    assert issued.stream_id == key
    stored = shared_store.append_locked(
        [lease], lambda tail: [NewEvent(lease, tail[-1].version + 1, "lease.fenced.v1", b"{}")]
    )
    assert [event.version for event in stored] == [2]
    assert shared_store.read_open_leases(after_position=before, limit=10) == []
    close_part(connection)
    for version in (1, 2, 3):
        with pytest.raises(VersionConflict):
            shared_store.append([NewEvent(lease, version, "lease.usage-charged.v1", b"{}")])


def test_nothing_is_closed_when_nothing_is_there(
    shared_store: PostgresEventStore, connection: BoundedConnection
) -> None:
    """Closing twice leaves no empty part behind; the head stays where it was, and the next position follows on it."""
    position = shared_store.append([NewEvent(uuid7(), 1, "a", b"")])
    assert close_part(connection) == position
    assert close_part(connection) is None
    assert shared_store.head_position() == position
    assert shared_store.append([NewEvent(uuid7(), 1, "a", b"")]) == position + 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {part} SET state = ''",
        "DELETE FROM {part}",
        "TRUNCATE {part}",
        "INSERT INTO {part} (originator_id, originator_version, topic, state) VALUES (gen_random_uuid(), 1, 'a', '')",
        "DELETE FROM event_log",
        "UPDATE event_log SET state = ''",
        "INSERT INTO event_log VALUES (1, now(), gen_random_uuid(), 1, 'a', '')",
    ],
)
def test_a_closed_part_cannot_be_changed(
    shared_store: PostgresEventStore, connection: BoundedConnection, change: str
) -> None:
    """Neither what it has nor what it has not; and nothing is changed through the parent."""
    last = shared_store.append([NewEvent(uuid7(), 1, "a", b"kept")])
    assert close_part(connection) == last
    shared_store.append([NewEvent(uuid7(), 1, "a", b"kept")])
    before = shared_store.read_log(after_position=0, limit=10_000)
    with pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(change.format(part=f"stored_events_{last}").encode())
    assert shared_store.read_log(after_position=0, limit=10_000) == before


def test_the_parts_ranges_follow_on_one_another(
    shared_store: PostgresEventStore, connection: BoundedConnection
) -> None:
    """Each begins behind the one before, and has every event in its range."""
    for _ in range(3):
        shared_store.append([NewEvent(uuid7(), 1, "a", b"")])
        close_part(connection)
    parts = connection.execute(
        "SELECT first_position, last_position, table_name FROM log_parts ORDER BY first_position"
    ).fetchall()
    assert [first for first, _, _ in parts] == [1, *[last + 1 for _, last, _ in parts[:-1]]]
    for first, last, _ in parts:
        found = shared_store.read_log(after_position=first - 1, limit=last - first + 1)
        assert [e.position for e in found] == list(range(first, last + 1))


def test_parts_may_be_closed_while_everyone_writes(
    postgres_store: PostgresEventStore, database_url: str
) -> None:
    """Two journals and a store write, parts are closed all the while: a reader misses nothing, no version is lost."""
    done = threading.Event()

    def keep_closing() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not done.wait(0.05):  # appends come in between
                with suppress(psycopg.errors.LockNotAvailable):
                    connection.execute(CLOSE)

    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WRITER), kind, str(random.getrandbits(32))],
                    stdin=PIPE,
                    stdout=PIPE,
                    text=True,
                )
            )
            for kind in ("journal", "journal", "store")
        ]
        for writer in writers:
            tell(writer, database_url)
            assert writer.stdout is not None
            writer.stdout.readline()
        closing = threading.Thread(target=keep_closing)
        closing.start()
        for writer in writers:
            tell(writer, "go")
        seen = follow(postgres_store, writers)
        done.set()
        closing.join()
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT count(*) > 1 FROM log_parts").fetchone() == (True,)
    log = postgres_store.read_log(after_position=0, limit=100_000)
    assert seen == [event.position for event in log]
    versions: dict[object, list[int]] = {}
    for event in log:
        versions.setdefault(event.stream_id, []).append(event.version)
    assert len(versions) == 3
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
