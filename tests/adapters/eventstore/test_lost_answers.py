"""The answer to a commit gets lost: what is stored is acknowledged, what is not is stored once, nothing is stored twice.

Between us and Postgres stands a proxy that does with one append what networks do.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.eventstore.connection import Limits
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.recorder import TokenokRecorder
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import LogUnavailable, NewEvent, OutcomeUnknown, VersionConflict
from domain.ids import uuid7

SHORT = Limits(answer_s=1.0, resolve_s=4.0)


class Fault(Enum):
    """What happens to the connection on which the next append goes out."""

    LOSE_ANSWER = "the append is carried out, its answer is lost"
    LOSE_REQUEST = "the append is lost on the way"
    LATE_REQUEST = "the connection breaks, yet the append arrives when `let_go` is called"
    VANISH = "the append is carried out, its answer is lost, and nobody can connect any more"
    SILENCE = "the append is carried out, and nothing is ever answered"


class Proxy:
    """Stands before Postgres on a port of its own. `fault` happens once, to the next message with `marker` in it."""

    def __init__(self, upstream: dict[str, str]) -> None:
        self.fault: Fault | None = None
        self.fault_happened = threading.Event()
        self.marker = b"ours"
        self._let_go = threading.Event()
        self._late_is_done = threading.Event()
        self._upstream = upstream
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def let_go(self) -> None:
        """Let the held append arrive, and wait until Postgres has dealt with it."""
        self._let_go.set()
        assert self._late_is_done.wait(30)

    def close(self) -> None:
        self._let_go.set()
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._dial()
                self._sockets += [client, server]
                faults: list[Fault] = []
                self._start(self._requests, client, server, faults)
                self._start(self._answers, client, server, faults)

    def _dial(self) -> socket.socket:
        host, port = self._upstream["host"], self._upstream.get("port", "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _requests(self, client: socket.socket, server: socket.socket, faults: list[Fault]) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if self.fault and self.marker in data:
                    fault, self.fault = self.fault, None
                    faults.append(fault)
                    if fault in {Fault.LOSE_REQUEST, Fault.LATE_REQUEST}:
                        client.shutdown(socket.SHUT_RDWR)
                        self.fault_happened.set()
                    if fault == Fault.LOSE_REQUEST:
                        break
                    if fault == Fault.LATE_REQUEST:
                        self._let_go.wait()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, client: socket.socket, server: socket.socket, faults: list[Fault]) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if not faults:
                    client.sendall(data)
                elif faults[0] in {Fault.LOSE_ANSWER, Fault.VANISH}:
                    if faults[0] == Fault.VANISH:
                        self._listener.shutdown(socket.SHUT_RDWR)
                        self._listener.close()
                    self.fault_happened.set()
                    client.shutdown(socket.SHUT_RDWR)
                elif faults[0] == Fault.SILENCE:
                    self.fault_happened.set()
                else:
                    self._late_is_done.set()
            client.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(shared_url: str) -> Iterator[Proxy]:
    proxy = Proxy({name: str(value) for name, value in conninfo_to_dict(shared_url).items()})
    yield proxy
    proxy.close()


@pytest.fixture
def proxied_url(proxy: Proxy, shared_url: str) -> str:
    through = {"host": "127.0.0.1", "port": str(proxy.port), "sslmode": "disable", "gssencmode": "disable"}
    return make_conninfo("", **conninfo_to_dict(shared_url) | through)


@pytest.fixture
def proxied_store(proxied_url: str) -> Iterator[PostgresEventStore]:
    with PostgresEventStore(proxied_url, limits=SHORT) as store:
        store.head_position()
        yield store


def event(stream_id: UUID, version: int, state: bytes = b"ours") -> NewEvent:
    return NewEvent(stream_id, version, "lease.usage-charged.v1", state)


def states(store: PostgresEventStore, stream_id: UUID) -> list[bytes]:
    return [recorded.state for recorded in store.read_stream(stream_id)]


ANY_LOSS = pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.SILENCE])


@ANY_LOSS
def test_a_store_whose_answer_is_lost_finds_out(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore, fault: Fault
) -> None:
    """Stored or not, the append ends up stored once, and its true position is returned."""
    stream_id = uuid7()
    proxy.fault = fault
    position = proxied_store.append([event(stream_id, 1), event(stream_id, 2)])
    assert proxy.fault_happened.is_set()
    assert [e.position for e in shared_store.read_stream(stream_id)] == [position - 1, position]


def test_a_store_that_lost_the_race_as_well_finds_out(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore
) -> None:
    """The append was lost on the way and another writer took the version: a conflict, although it was in doubt."""
    stream_id = uuid7()
    shared_store.append([event(stream_id, 1, b"theirs")])
    proxy.fault = Fault.LOSE_ANSWER
    with pytest.raises(VersionConflict):
        proxied_store.append([event(stream_id, 1)])
    assert proxy.fault_happened.is_set()
    assert states(shared_store, stream_id) == [b"theirs"]


def test_an_append_that_arrives_late_is_not_stored_twice(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore
) -> None:
    """It was taken for lost and repeated; when the first one comes through at last, it stores nothing."""
    stream_id = uuid7()
    proxy.fault = Fault.LATE_REQUEST
    proxied_store.append([event(stream_id, 1)])
    proxy.let_go()
    assert states(shared_store, stream_id) == [b"ours"]


def test_a_store_gives_up_on_a_database_that_stays_away(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore
) -> None:
    """Then it says that it does not know; before anything was sent it says that nothing is stored."""
    stream_id = uuid7()
    proxy.fault = Fault.VANISH
    with pytest.raises(OutcomeUnknown):
        proxied_store.append([event(stream_id, 1)])
    with pytest.raises(LogUnavailable) as refusal:
        proxied_store.append([event(stream_id, 2)])
    assert not isinstance(refusal.value, OutcomeUnknown)
    assert states(shared_store, stream_id) == [b"ours"]


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SILENCE])
def test_a_locked_append_whose_answer_is_lost_finds_out(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore, fault: Fault
) -> None:
    """The commit went through: what was decided is returned, decided once, stored once."""
    stream_id = uuid7()
    decisions: list[int] = []

    def decide(tail: list[object]) -> list[NewEvent]:
        decisions.append(len(tail))
        proxy.marker, proxy.fault = b"COMMIT", fault
        return [event(stream_id, 1)]

    stored = proxied_store.append_locked([stream_id], decide)  # type: ignore[arg-type]  # reads no event
    assert proxy.fault_happened.is_set()
    assert decisions == [0]
    assert [e.version for e in stored] == [1]
    assert states(shared_store, stream_id) == [b"ours"]


def test_a_locked_append_whose_commit_is_lost_is_not_stored(
    proxy: Proxy, proxied_store: PostgresEventStore, shared_store: PostgresEventStore
) -> None:
    """The transaction ended without its commit: said so for certain, after the lock was had again."""
    stream_id = uuid7()

    def decide(_: list[object]) -> list[NewEvent]:
        proxy.marker, proxy.fault = b"COMMIT", Fault.LOSE_REQUEST
        return [event(stream_id, 1)]

    with pytest.raises(LogUnavailable) as refusal:
        proxied_store.append_locked([stream_id], decide)  # type: ignore[arg-type]  # reads no event
    assert not isinstance(refusal.value, OutcomeUnknown)
    assert states(shared_store, stream_id) == []


@ANY_LOSS
def test_a_journal_whose_answer_is_lost_finds_out(
    proxy: Proxy, proxied_url: str, shared_store: PostgresEventStore, fault: Fault
) -> None:
    """Each group of the batch gets its true answer: its position, or the conflict with another writer."""
    ours, taken, pair = uuid7(), uuid7(), uuid7()
    shared_store.append([event(taken, 1, b"theirs")])

    async def scenario() -> list[int | BaseException]:
        journal = GroupCommitJournal(proxied_url, limits=SHORT)
        journal.start()
        await journal.append([event(ours, 1)])
        proxy.fault = fault
        futures = [
            journal.append([event(ours, 2)]),
            journal.append([event(taken, 1)]),
            journal.append([event(pair, 1), event(ours, 3)]),
            journal.append([event(taken, 2)]),
        ]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        await journal.append([event(ours, 4)])
        await journal.close()
        return answers

    answers = asyncio.run(scenario())
    assert proxy.fault_happened.is_set()
    log = {
        (e.stream_id, e.version): e.position for e in shared_store.read_log(after_position=0, limit=10_000)
    }
    assert answers[0] == log[ours, 2]
    assert isinstance(answers[1], VersionConflict)
    assert answers[2] == log[ours, 3]
    assert isinstance(answers[3], VersionConflict)
    assert states(shared_store, ours) == [b"ours"] * 4
    assert states(shared_store, taken) == [b"theirs"]


def test_a_fence_that_comes_in_between_is_seen(
    proxy: Proxy, proxied_url: str, shared_store: PostgresEventStore
) -> None:
    """The answer is lost, and before the journal looks again another writer ends the stream behind our event.

    Ours is acknowledged, since it is stored; what we queue then is refused.
    """
    lease = uuid7()

    async def scenario() -> tuple[int, int | BaseException]:
        journal = GroupCommitJournal(proxied_url, limits=SHORT)
        journal.start()
        proxy.fault = Fault.SILENCE
        first = journal.append([event(lease, 1)])
        await asyncio.to_thread(proxy.fault_happened.wait)
        shared_store.append([NewEvent(lease, 2, "lease.fenced.v1", b"theirs")])
        position = await first
        (refused,) = await asyncio.gather(journal.append([event(lease, 2)]), return_exceptions=True)
        await journal.close()
        return position, refused

    position, refused = asyncio.run(scenario())
    assert shared_store.read_stream(lease)[0].position == position
    assert isinstance(refused, VersionConflict)
    assert states(shared_store, lease) == [b"ours", b"theirs"]


def test_a_journals_batch_that_arrives_late_is_not_stored_twice(
    proxy: Proxy, proxied_url: str, shared_store: PostgresEventStore
) -> None:
    """It was repeated on a new connection meanwhile."""
    stream_id = uuid7()

    async def scenario() -> None:
        journal = GroupCommitJournal(proxied_url, limits=SHORT)
        journal.start()
        await journal.append([event(stream_id, 1)])
        proxy.fault = Fault.LATE_REQUEST
        await asyncio.gather(journal.append([event(stream_id, 2)]), journal.append([event(stream_id, 3)]))
        await asyncio.to_thread(proxy.let_go)
        await journal.append([event(stream_id, 4)])
        await journal.close()

    asyncio.run(scenario())
    assert len(states(shared_store, stream_id)) == 4


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
def test_the_recorder_treats_its_own_duplicate_as_success(
    proxy: Proxy, proxied_url: str, shared_store: PostgresEventStore, fault: Fault
) -> None:
    """The stock recorder repeats a lost insert and reports its own events as a conflict."""
    stream_id = uuid7()
    address = conninfo_to_dict(proxied_url)
    with PostgresDatastore(
        dbname=str(address["dbname"]),
        host="127.0.0.1",
        port=proxy.port,
        user=str(address["user"]),
        password=str(address.get("password", "")),
    ) as datastore:
        recorder = TokenokRecorder(datastore)
        proxy.fault = fault
        ids = recorder.insert_events([StoredEvent(stream_id, 1, "note.taken.v1", b"ours")])
        assert proxy.fault_happened.is_set()
        assert list(ids or ()) == [e.position for e in shared_store.read_stream(stream_id)]
        with pytest.raises(IntegrityError):
            recorder.insert_events([StoredEvent(stream_id, 1, "note.taken.v1", b"other")])


def test_reading_survives_a_broken_connection(
    proxied_store: PostgresEventStore, shared_url: str, shared_store: PostgresEventStore
) -> None:
    """Connections that died in the pool are replaced; nobody is told."""
    stream_id = uuid7()
    shared_store.append([event(stream_id, 1)])
    for _ in range(3):
        assert states(proxied_store, stream_id) == [b"ours"]
        with psycopg.connect(shared_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
