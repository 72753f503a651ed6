"""A log that is older than its parts: the migration keeps every event, and what may follow."""

import psycopg
import pytest

from adapters.eventstore.batch import Batch
from adapters.eventstore.migrations import migrate, migrations
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent, VersionConflict
from domain.ids import uuid7

FIRST_OF_PARTS = 70


@pytest.fixture(scope="module")
def database_template() -> str:
    """Here databases begin empty."""
    return "template1"


def test_an_older_log_becomes_the_open_part(database_url: str) -> None:
    """Its events are read as before, its streams go on at their heads, and it can be closed."""
    migrate(database_url, [one for one in migrations() if one.version < FIRST_OF_PARTS])
    stream, ended = uuid7(), uuid7()
    events = [
        NewEvent(stream, 1, "account.opened.v1", b"{}"),
        NewEvent(ended, 1, "lease.opened.v1", b"{}"),
        NewEvent(ended, 2, "lease.fenced.v1", b"{}"),
    ]
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert Batch([events]).commit(connection) == [3]
        migrate(database_url)
        with PostgresEventStore(database_url) as store:
            for closed in (False, True):
                log = store.read_log(after_position=0, limit=10)
                assert [NewEvent(e.stream_id, e.version, e.topic, e.state) for e in log] == events
                with pytest.raises(VersionConflict):
                    store.append([NewEvent(ended, 3, "lease.usage-charged.v1", b"{}")])
                if not closed:
                    connection.execute("SELECT tokenok_close_part()")
            assert store.append([NewEvent(stream, 2, "account.closed.v1", b"{}")]) == 4
