"""A process that appends to the log in one of four ways; run by `test_order.py`.

Reads the database's address from its standard input, says that it is ready by a line, waits for one, and writes.
"""

import asyncio
import random
import sys
from collections.abc import Callable

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.recorder import TokenokRecorder
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent
from domain.ids import uuid7

GROUPS = 200


def groups() -> list[list[NewEvent]]:
    """Groups of 1 to 5 events on a stream of this process."""
    stream_id, version, made = uuid7(), 0, []
    for _ in range(GROUPS):
        size = random.randint(1, 5)
        made.append(
            [NewEvent(stream_id, version + n, "lease.usage-charged.v1", b"{}") for n in range(1, size + 1)]
        )
        version += size
    return made


def write_with_store(database_url: str, ready: Callable[[], None]) -> None:
    with PostgresEventStore(database_url) as store:
        store.head_position()
        ready()
        for group in groups():
            store.append(group)


def write_with_journal(database_url: str, ready: Callable[[], None]) -> None:
    async def write() -> None:
        journal = GroupCommitJournal(database_url, batch_events_max=16)
        journal.start()
        ready()
        pending = groups()
        while pending:
            now, pending = pending[:20], pending[20:]
            await asyncio.gather(*[journal.append(group) for group in now])
        await journal.close()

    asyncio.run(write())


def write_with_recorder(database_url: str, ready: Callable[[], None], *, stock: bool) -> None:
    address = conninfo_to_dict(database_url)
    with PostgresDatastore(
        dbname=str(address["dbname"]),
        host=str(address["host"]),
        port=str(address.get("port", "5432")),
        user=str(address["user"]),
        password=str(address.get("password", "")),
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore) if stock else TokenokRecorder(datastore)
        recorder.max_notification_id()
        ready()
        for group in groups():
            recorder.insert_events([StoredEvent(e.stream_id, e.version, e.topic, e.state) for e in group])


def main() -> None:
    kind, seed = sys.argv[1:]
    random.seed(int(seed))
    database_url = sys.stdin.readline().strip()

    def ready() -> None:
        sys.stdout.write("\n")
        sys.stdout.flush()
        sys.stdin.readline()

    if kind == "store":
        write_with_store(database_url, ready)
    elif kind == "journal":
        write_with_journal(database_url, ready)
    else:
        write_with_recorder(database_url, ready, stock=kind == "stock")


if __name__ == "__main__":
    main()
