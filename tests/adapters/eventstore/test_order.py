"""Positions grow in commit order: a reader that follows the log, whoever writes, misses nothing."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import pytest
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from adapters.eventstore.store import PostgresEventStore

WRITER = Path(__file__).with_name("log_writer.py")


@pytest.fixture
def datastore(database_url: str) -> Iterator[PostgresDatastore]:
    address = conninfo_to_dict(database_url)
    with PostgresDatastore(
        dbname=str(address["dbname"]),
        host=str(address["host"]),
        port=str(address.get("port", "5432")),
        user=str(address["user"]),
        password=str(address.get("password", "")),
    ) as opened:
        yield opened


def follow(store: PostgresEventStore, writers: list["subprocess.Popen[str]"]) -> list[int]:
    """Every position, read as a projector reads: on from the last one, while the writers write and once after."""
    seen: list[int] = []
    writing = True
    while writing:
        writing = any(writer.poll() is None for writer in writers)
        while page := store.read_log(after_position=seen[-1] if seen else 0, limit=50):
            seen += [event.position for event in page]
    return seen


@pytest.mark.parametrize(
    "kinds",
    [
        ["journal", "journal", "journal", "store"],
        ["journal", "recorder", "stock", "store"],
        ["stock", "stock", "recorder", "journal"],
    ],
    ids="-".join,
)
def test_a_following_reader_misses_nothing(
    kinds: list[str], postgres_store: PostgresEventStore, datastore: PostgresDatastore, database_url: str
) -> None:
    """Four processes write at once, also the library's own recorder; the reader has seen all that is in the log."""
    if "stock" in kinds:
        PostgresApplicationRecorder(datastore).create_table()
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
            for kind in kinds
        ]
        for writer in writers:
            tell(writer, database_url)
            assert writer.stdout is not None
            assert writer.stdout.readline() == "\n"
        for writer in writers:
            tell(writer, "go")
        seen = follow(postgres_store, writers)
        assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    log = postgres_store.read_log(after_position=0, limit=100_000)
    assert seen == [event.position for event in log]
    versions: dict[object, list[int]] = {}
    for event in log:
        versions.setdefault(event.stream_id, []).append(event.version)
    assert len(versions) == 4
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def tell(writer: "subprocess.Popen[str]", line: str) -> None:
    assert writer.stdin is not None
    writer.stdin.write(line + "\n")
    writer.stdin.flush()
