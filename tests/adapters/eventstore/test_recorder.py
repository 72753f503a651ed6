"""Our recorder under the event-sourcing library: its readers work on our log, its dangers are refused."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from adapters.eventstore.migrations import migrate
from adapters.eventstore.recorder import TokenokRecorder
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent
from domain.ids import uuid7

OpenDatastore = Callable[..., PostgresDatastore]


@pytest.fixture
def open_datastore(database_url: str) -> Iterator[OpenDatastore]:
    address = conninfo_to_dict(database_url)

    with ExitStack() as stack:

        def open_one(**options: Any) -> PostgresDatastore:
            datastore = PostgresDatastore(
                dbname=str(address["dbname"]),
                host=str(address["host"]),
                port=str(address.get("port", "5432")),
                user=str(address["user"]),
                password=str(address.get("password", "")),
                **options,
            )
            stack.callback(datastore.close)
            return datastore

        yield open_one


@pytest.fixture
def recorder(open_datastore: OpenDatastore) -> TokenokRecorder:
    return TokenokRecorder(open_datastore())


def stored_event(stream_id: UUID, version: int, topic: str = "note.taken.v1") -> StoredEvent:
    return StoredEvent(stream_id, version, topic, b"%d" % version)


def test_the_librarys_readers_read_our_log(
    recorder: TokenokRecorder, postgres_store: PostgresEventStore
) -> None:
    """Streams with every bound, notifications with every bound, and the head, of events that our store wrote."""
    first, second = uuid7(), uuid7()
    postgres_store.append(
        [NewEvent(first, version, "note.taken.v1", b"%d" % version) for version in (1, 2, 3)]
    )
    postgres_store.append([NewEvent(second, 1, "note.filed.v1", b"x")])

    assert recorder.select_events(first) == [stored_event(first, version) for version in (1, 2, 3)]
    assert recorder.select_events(first, gt=1, lte=2) == [stored_event(first, 2)]
    assert recorder.select_events(first, desc=True, limit=1) == [stored_event(first, 3)]
    assert recorder.max_notification_id() == postgres_store.head_position()
    notifications = recorder.select_notifications(start=1, limit=10)
    assert [n.id for n in notifications] == [
        e.position for e in postgres_store.read_log(after_position=0, limit=10)
    ]
    assert [n.topic for n in recorder.select_notifications(start=1, limit=10, topics=["note.filed.v1"])] == [
        "note.filed.v1"
    ]
    assert len(recorder.select_notifications(start=2, limit=10, stop=3)) == 2
    assert len(recorder.select_notifications(start=2, limit=1, inclusive_of_start=False)) == 1


def test_inserting_returns_the_notification_ids(
    recorder: TokenokRecorder, postgres_store: PostgresEventStore
) -> None:
    """As the library expects them; nothing to insert gives nothing."""
    stream_id = uuid7()
    ids = recorder.insert_events([stored_event(stream_id, 1), stored_event(stream_id, 2)])
    assert list(ids or ()) == [e.position for e in postgres_store.read_stream(stream_id)]
    assert recorder.insert_events([]) == []


def test_a_conflict_is_the_librarys_integrity_error(recorder: TokenokRecorder) -> None:
    """For a version that is taken and, which the library alone does not check, for one that leaves a gap."""
    stream_id = uuid7()
    recorder.insert_events([stored_event(stream_id, 1)])
    for version in (1, 3):
        with pytest.raises(IntegrityError):
            recorder.insert_events([stored_event(uuid7(), 1), stored_event(stream_id, version)])
    assert recorder.max_notification_id() == 1


def test_the_librarys_database_functions_are_refused(open_datastore: OpenDatastore) -> None:
    """With them the library appends without a lock and readers lose events for good."""
    with pytest.raises(ProgrammingError, match="POSTGRES_ENABLE_DB_FUNCTIONS must be off"):
        TokenokRecorder(open_datastore(enable_db_functions=True))


def test_only_the_log_itself_is_served(open_datastore: OpenDatastore) -> None:
    """Another table, or text ids, would go past the append."""
    with pytest.raises(ProgrammingError):
        TokenokRecorder(open_datastore(), events_table_name="other_events")
    with pytest.raises(ProgrammingError):
        TokenokRecorder(open_datastore(originator_id_type="text"))


def test_the_recorder_makes_nothing(recorder: TokenokRecorder, database_url: str) -> None:
    """No table, type or function of the library appears, so many processes may start at once."""
    recorder.create_table()
    with psycopg.connect(database_url) as connection:
        made = connection.execute(
            "SELECT (SELECT count(*) FROM pg_type WHERE typname LIKE 'stored\\_event\\_%') "
            "+ (SELECT count(*) FROM pg_proc WHERE proname LIKE 'es\\_%')"
        ).fetchone()
    assert made == (0,)


def test_the_stock_recorder_may_write_beside_ours(
    recorder: TokenokRecorder, open_datastore: OpenDatastore, database_url: str
) -> None:
    """Its own set-up accepts our table, migrations accept its, and each sees what the other wrote as taken."""
    stock = PostgresApplicationRecorder(open_datastore())
    stock.create_table()
    assert migrate(database_url) == []
    stream_id = uuid7()
    recorder.insert_events([stored_event(stream_id, 1)])
    stock.insert_events([stored_event(stream_id, 2)])
    recorder.insert_events([stored_event(stream_id, 3)])
    for writer in (stock, recorder):
        with pytest.raises(IntegrityError):
            writer.insert_events([stored_event(stream_id, 3)])
    assert [e.originator_version for e in stock.select_events(stream_id)] == [1, 2, 3]
