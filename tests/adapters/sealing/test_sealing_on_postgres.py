"""The sealer of a process on a real database: turns, checkpoints, and the alarm."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from adapters.eventstore.store import PostgresEventStore
from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.ed25519 import new_key
from adapters.sealing.keys import parse_seal_keys
from adapters.sealing.turn import sealing_turn
from application.eventlog import LogUnavailable, NewEvent
from application.sealing.ports import KeptCheckpoint
from bootstrap import open_pool, sealed_directory
from domain.ids import uuid7
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.notes import BadKey
from domain.sealing.tree import leaf_hash
from sealing import LogSealing
from settings import Settings
from tests.domain.sealing import naive
from tests.waiting import until

_NAME = "tokenok-test"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        seal_dir=str(tmp_path / "seal"),
        seal_key=new_key("example.com/log"),
        seal_every_s=0.01,
    )


def test_the_log_is_sealed_as_it_grows(settings: Settings) -> None:
    """Checkpoints are over the log in its order, and the database remembers the newest."""
    streams = [uuid7() for _ in range(3)]
    with LogSealing(settings):
        _append(settings, streams, versions=range(1, 101))
        until(lambda: _signed(settings) == _wanted(settings))
        _append(settings, streams, versions=range(101, 111))
        until(lambda: _signed(settings) == _wanted(settings))
    with open_pool(settings) as pool:
        newest = PostgresCheckpointBook(pool).newest()
    assert newest is not None
    assert newest.size == 330
    assert newest.note == sealed_directory(settings).checkpoint()


def test_a_changed_log_is_an_alarm_that_stays(settings: Settings) -> None:
    """Whoever switches the trigger off and changes a sealed event does not get a new checkpoint over it."""
    stream = uuid7()
    with LogSealing(settings):
        _append(settings, [stream], versions=range(1, 6))
        until(lambda: _signed(settings) == _wanted(settings))
    before = _signed(settings)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("ALTER TABLE stored_events DISABLE TRIGGER stored_events_append_only")
        connection.execute("UPDATE stored_events SET state = '{}' WHERE originator_version = 5")
    _append(settings, [stream], versions=range(6, 8))
    with open_pool(settings) as pool:
        book = PostgresCheckpointBook(pool)
        with capture_logs() as logs, LogSealing(settings):
            until(lambda: book.fault() is not None)
        fault = book.fault()
    assert fault is not None
    assert fault.code == "log_changed"
    assert [line["code"] for line in logs if line["event"] == "sealing_stopped"] == ["log_changed"]
    assert _signed(settings) == before


def test_the_alarm_ends_when_all_is_well_again(settings: Settings) -> None:
    """A directory that was mended: the next start says so."""
    _append(settings, [uuid7()], versions=range(1, 3))
    with open_pool(settings) as pool:
        book = PostgresCheckpointBook(pool)
        book.set_fault("tiles_missing", "there is no usable tile/0/000.p/2")
        with LogSealing(settings):
            until(lambda: book.fault() is None)


def test_one_seals_at_a_time(database_url: str) -> None:
    """The second waits until the first is gone, and the first notices when its turn is lost."""
    with sealing_turn(database_url, application_name=_NAME) as look:
        assert look is not None
        look()
        with sealing_turn(database_url, application_name=_NAME) as other:
            assert other is None
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (_NAME,)
            )
        with pytest.raises(LogUnavailable):
            look()
        with sealing_turn(database_url, application_name=_NAME) as other:
            assert other is not None


def test_the_book_remembers(settings: Settings) -> None:
    """The newest is the longest; a size that is kept again is not kept twice."""
    with open_pool(settings) as pool:
        book = PostgresCheckpointBook(pool)
        assert book.newest() is None
        for size, note in ((5, b"a"), (3, b"b"), (5, b"c")):
            book.keep(KeptCheckpoint(size=size, position=size + 1, note=note))
        assert book.newest() == KeptCheckpoint(size=5, position=6, note=b"c")


def test_a_database_that_is_away_is_said_to_be_away(settings: Settings) -> None:
    """One error for every way in which it can be."""
    with open_pool(settings) as pool:
        book = PostgresCheckpointBook(pool)
    with pytest.raises(LogUnavailable):
        book.newest()
    with pytest.raises(LogUnavailable), sealing_turn("postgresql://localhost:1/x", application_name=_NAME):
        pass


def test_without_a_key_nothing_is_sealed(settings: Settings) -> None:
    """It is said once; a public key does not sign either."""
    public = parse_seal_keys(settings.seal_key).public[0].text
    for seal_key in ("", public):
        with (
            capture_logs() as logs,
            LogSealing(Settings(database_url=settings.database_url, seal_dir="x", seal_key=seal_key)),
        ):
            pass
        assert [line["event"] for line in logs] == ["sealing_off"]


def test_a_key_that_cannot_be_used_stops_the_start(settings: Settings) -> None:
    """Better than a log that is not sealed and nobody knows."""
    with pytest.raises(BadKey):
        LogSealing(Settings(database_url=settings.database_url, seal_dir="x", seal_key="k1:abc"))


def _append(settings: Settings, streams: list[UUID], *, versions: range) -> None:
    with PostgresEventStore(settings.database_url) as store:
        store.append(
            [
                NewEvent(stream, version, "test.event.v1", b'{"n":%d}' % version)
                for version in versions
                for stream in streams
            ]
        )


def _signed(settings: Settings) -> Checkpoint | None:
    note = sealed_directory(settings).checkpoint()
    return None if note is None else parse_seal_keys(settings.seal_key).trust.open(note)


def _wanted(settings: Settings) -> Checkpoint:
    with PostgresEventStore(settings.database_url) as store:
        leaves = [leaf_hash(leaf(event)) for event in store.read_log(after_position=0, limit=10_000)]
    return Checkpoint("example.com/log", len(leaves), naive.mth(leaves))
