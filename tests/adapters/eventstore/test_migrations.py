"""Migrations: each once, whole, in order, and safe when everyone starts at the same moment."""

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest

from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.migrations import Migration, MigrationError, migrate, migrations, pending
from application.eventlog import NewEvent
from domain.ids import uuid7

FIRST = Migration(1, "first", b"CREATE TABLE first (id int)")
SECOND = Migration(2, "second", b"CREATE TABLE second (id int); INSERT INTO second VALUES (1), (2)")


@pytest.fixture(scope="module")
def database_template() -> str:
    """Here databases begin empty."""
    return "template1"


def fetch(database_url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_what_is_missing_is_applied_once(database_url: str) -> None:
    """In order of the numbers, with name, hash and time kept; a second run does nothing."""
    assert migrate(database_url, [FIRST]) == [FIRST]
    assert migrate(database_url, [FIRST, SECOND]) == [SECOND]
    assert migrate(database_url, [FIRST, SECOND]) == []
    assert fetch(database_url, "SELECT version, name, sha256 FROM schema_migrations ORDER BY version") == [
        (1, "first", FIRST.sha256),
        (2, "second", SECOND.sha256),
    ]
    assert fetch(database_url, "SELECT count(*) FROM second") == [(2,)]


def test_a_file_added_late_is_applied(database_url: str) -> None:
    """Adapters number their files on their own: a lower number may come later."""
    migrate(database_url, [SECOND])
    assert migrate(database_url, [FIRST, SECOND]) == [FIRST]


def test_a_failing_file_leaves_nothing(database_url: str) -> None:
    """Its statements before the bad one are undone and it is not recorded; files before it stay applied."""
    bad = Migration(2, "bad", b"CREATE TABLE half (id int); SELECT 1 / 0")
    with pytest.raises(MigrationError, match=r"0002_bad\.sql failed: division by zero"):
        migrate(database_url, [FIRST, bad])
    assert fetch(database_url, "SELECT version FROM schema_migrations") == [(1,)]
    assert fetch(database_url, "SELECT to_regclass('half') IS NULL") == [(True,)]
    assert migrate(database_url, [FIRST, SECOND]) == [SECOND]


def test_a_changed_file_is_refused(database_url: str) -> None:
    """What was applied must stay as it is; nothing else is applied either."""
    migrate(database_url, [FIRST])
    changed = Migration(1, "first", FIRST.sql + b" -- better")
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed after it was applied"):
        migrate(database_url, [changed, SECOND])
    assert fetch(database_url, "SELECT to_regclass('second') IS NULL") == [(True,)]


def test_a_newer_database_is_refused(database_url: str) -> None:
    """Old code must not work on a schema that it does not know."""
    migrate(database_url, [FIRST, SECOND])
    with pytest.raises(MigrationError, match="newer than this code: it has migration 0002"):
        migrate(database_url, [FIRST])


def test_pending_says_what_is_missing_and_changes_nothing(database_url: str) -> None:
    """On an empty database that is every file of this package; afterwards none."""
    everything = migrations()
    assert pending(database_url) == everything
    assert fetch(database_url, "SELECT to_regclass('schema_migrations') IS NULL") == [(True,)]
    assert migrate(database_url) == everything
    assert pending(database_url) == []


def test_a_journal_waits_for_the_migration(database_url: str) -> None:
    """A gateway that starts first is not writable and keeps what is queued; then it goes on by itself."""

    async def scenario() -> None:
        journal = GroupCommitJournal(database_url)
        journal.start()
        durable = journal.append([NewEvent(uuid7(), 1, "lease.opened.v1", b"{}")])
        assert not journal.is_writable()
        await asyncio.to_thread(migrate, database_url)
        assert await durable == 1
        assert journal.is_writable()
        await journal.close()

    asyncio.run(scenario())


START = """
import sys
from adapters.eventstore.migrations import migrate
print(flush=True)
url = sys.stdin.readline().strip()
print(len(migrate(url)))
"""


def test_eight_processes_may_start_at_once(database_url: str) -> None:
    """One of them migrates, the others wait and find nothing left to do."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", START], stdin=PIPE, stdout=PIPE, text=True)
            )
            for _ in range(8)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()  # it is ready
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(database_url + "\n")
            process.stdin.flush()
        counts = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert sorted(counts) == [0] * 7 + [len(migrations())]


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dash.sql", "0001_Upper.sql", "0001_a.b.sql"])
def test_a_misnamed_file_is_refused(tmp_path: Path, name: str) -> None:
    """Else it would be skipped in silence, or applied at a surprising place."""
    (tmp_path / name).touch()
    with pytest.raises(MigrationError, match=r"NNNN_name\.sql"):
        migrations(tmp_path)


def test_a_number_used_twice_is_refused(tmp_path: Path) -> None:
    """The message names both files."""
    (tmp_path / "0007_a.sql").touch()
    (tmp_path / "0007_b.sql").touch()
    with pytest.raises(MigrationError, match=r"0007_b\.sql: a has the number 0007 already"):
        migrations(tmp_path)


def test_other_files_beside_are_ignored(tmp_path: Path) -> None:
    """Only `.sql` files are migrations; they come in the order of their numbers."""
    (tmp_path / "README.md").touch()
    (tmp_path / "0010_b.sql").write_bytes(b"SELECT 2")
    (tmp_path / "0002_a.sql").write_bytes(b"SELECT 1")
    assert [(m.version, m.name, m.sql) for m in migrations(tmp_path)] == [
        (2, "a", b"SELECT 1"),
        (10, "b", b"SELECT 2"),
    ]
