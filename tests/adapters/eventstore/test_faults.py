"""The database is stopped, killed, frozen and locked under load: nothing acknowledged is lost, nothing is stored twice."""

import asyncio
import contextlib
import os
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from adapters.embedded import EmbeddedServers
from adapters.eventstore.connection import Limits
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import JournalFull, LogUnavailable, NewEvent, OutcomeUnknown
from domain.ids import uuid7

WRITERS = 16


class Load:
    """Writers that each append to a stream of their own and remember what was acknowledged."""

    def __init__(self, journal: GroupCommitJournal) -> None:
        self.acknowledged: dict[tuple[UUID, int], int] = {}
        self.refused = 0  #: appends that found the queue full
        self.progress = asyncio.Event()  #: set at each acknowledgement
        self._journal = journal
        self._stopped = False
        self._tasks = [asyncio.create_task(self._write()) for _ in range(WRITERS)]

    async def _write(self) -> None:
        stream_id, version = uuid7(), 1
        while not self._stopped:
            try:
                future = self._journal.append([event(stream_id, version)])
            except JournalFull:
                self.refused += 1
                await asyncio.sleep(0.01)
                continue
            self.acknowledged[stream_id, version] = await future
            self.progress.set()
            version += 1

    async def advance(self, *, events: int) -> None:
        """Return when so many more were acknowledged."""
        goal = len(self.acknowledged) + events
        while len(self.acknowledged) < goal:
            self.progress.clear()
            await self.progress.wait()

    async def stop(self) -> None:
        self._stopped = True
        await asyncio.gather(*self._tasks)


def event(stream_id: UUID, version: int) -> NewEvent:
    return NewEvent(stream_id, version, "lease.usage-charged.v1", b'{"n":%d}' % version)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(200):
            await scenario()

    asyncio.run(limited())


async def break_under_load(database_url: str, break_it: Callable[[], object], *, times: int) -> None:
    """Break it again and again while writers write; afterwards the log holds exactly what was acknowledged."""
    before = await asyncio.to_thread(head, database_url)
    journal = GroupCommitJournal(database_url, batch_events_max=8, wait_s_max=60)
    journal.start()
    load = Load(journal)
    for _ in range(times):
        await load.advance(events=random.randint(50, 400))
        break_it()
    await load.advance(events=50)
    assert journal.is_writable()
    await load.stop()
    await journal.close()
    with PostgresEventStore(database_url) as store:
        log = store.read_log(after_position=before, limit=1_000_000)
    assert {(e.stream_id, e.version): e.position for e in log} == load.acknowledged
    assert len(log) == len(load.acknowledged)
    assert all(e.state == b'{"n":%d}' % e.version for e in log)


def head(database_url: str) -> int:
    with PostgresEventStore(database_url) as store:
        return store.head_position()


@pytest.mark.parametrize(
    "how", [signal.SIGQUIT, signal.SIGINT, signal.SIGKILL], ids=["immediate", "fast", "kill"]
)
def test_stopping_the_server_loses_nothing(
    breakable_servers: EmbeddedServers, breakable_url: str, how: signal.Signals
) -> None:
    """Every append is acknowledged at last, is in the log once, at the position that was told."""

    def stop_and_start() -> None:
        os.kill(breakable_servers.pids()["Postgres"], how)
        while not breakable_servers.restart_ended():
            threading.Event().wait(0.02)

    run(lambda: break_under_load(breakable_url, stop_and_start, times=2))


def test_killing_the_journals_backend_loses_nothing(breakable_url: str) -> None:
    """Postgres ends all its backends then and recovers."""

    def kill() -> None:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(breakable_url) as connection:
            for (pid,) in connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'tokenok-journal'"
            ):
                os.kill(pid, signal.SIGKILL)

    run(lambda: break_under_load(breakable_url, kill, times=2))


def test_cutting_all_connections_loses_nothing(breakable_url: str) -> None:
    """Again and again, in whatever state they are."""

    def cut() -> None:
        with psycopg.connect(breakable_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    run(lambda: break_under_load(breakable_url, cut, times=15))


@contextlib.contextmanager
def frozen(postmaster_pid: int) -> Iterator[None]:
    """Every process of the server stands still."""
    children = Path(f"/proc/{postmaster_pid}/task/{postmaster_pid}/children").read_text().split()
    pids = [postmaster_pid, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_frozen_database_makes_the_journal_refuse(
    breakable_servers: EmbeddedServers, breakable_url: str
) -> None:
    """Once the oldest event has waited too long, appends are refused and it is not writable; both come back."""

    async def scenario() -> None:
        journal = GroupCommitJournal(breakable_url, wait_s_max=0.5)
        journal.start()
        load = Load(journal)
        await load.advance(events=20)
        with frozen(breakable_servers.pids()["Postgres"]):
            await until(lambda: not journal.is_writable())
            with pytest.raises(JournalFull, match="has waited"):
                journal.append([event(uuid7(), 1)])
        await load.advance(events=20)
        await load.stop()
        assert journal.is_writable()
        await journal.close()

    run(scenario)


def test_an_idle_journal_notices_that_the_database_is_frozen(
    breakable_servers: EmbeddedServers, breakable_url: str
) -> None:
    """Also when nothing is appended; and that it is back."""

    async def scenario() -> None:
        journal = GroupCommitJournal(breakable_url, wait_s_max=0.5)
        journal.start()
        await until(journal.is_writable)
        with frozen(breakable_servers.pids()["Postgres"]):
            await until(lambda: not journal.is_writable())
        await until(journal.is_writable)
        await journal.close()

    run(scenario)


def test_a_store_does_not_hang_on_a_frozen_database(
    breakable_servers: EmbeddedServers, breakable_url: str
) -> None:
    """Reading and connecting give up in bounded time, and say that nothing is known to be stored."""
    with PostgresEventStore(breakable_url, limits=Limits(answer_s=0.5, resolve_s=0.5, connect_s=1)) as store:
        store.head_position()
        with frozen(breakable_servers.pids()["Postgres"]):
            with pytest.raises(LogUnavailable):
                store.head_position()
            with pytest.raises(LogUnavailable):
                store.append([event(uuid7(), 1)])
        store.head_position()


def test_a_store_does_not_hang_on_a_locked_table(breakable_url: str) -> None:
    """A migration holds the table: the append gives up in bounded time, and is certain that nothing is stored."""
    with (
        PostgresEventStore(breakable_url) as store,
        psycopg.connect(breakable_url) as connection,
    ):
        before = store.head_position()
        connection.execute("LOCK TABLE stored_events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LogUnavailable) as refusal:
            store.append([event(uuid7(), 1)])
        assert not isinstance(refusal.value, OutcomeUnknown)
        connection.rollback()
        assert store.head_position() == before


def test_a_journal_on_a_locked_table_waits_unwritable(breakable_url: str) -> None:
    """Also when idle; when the table is free again it goes on by itself, with what was queued."""

    async def scenario() -> None:
        journal = GroupCommitJournal(breakable_url)
        journal.start()
        await until(journal.is_writable)
        with psycopg.connect(breakable_url) as connection:
            connection.execute("LOCK TABLE stored_events IN ACCESS EXCLUSIVE MODE")
            await until(lambda: not journal.is_writable())
            future = journal.append([event(uuid7(), 1)])
        await future
        assert journal.is_writable()
        await journal.close()

    run(scenario)


def test_all_connections_busy_is_unavailable(breakable_url: str) -> None:
    """A pool of one that is in use refuses the next caller in bounded time."""
    limits = Limits(connect_s=1)
    with PostgresEventStore(breakable_url, connections_max=1, limits=limits) as store:
        stream_id = uuid7()

        def decide(_: object) -> list[NewEvent]:
            with pytest.raises(LogUnavailable, match="all connections are in use"):
                store.head_position()
            return [event(stream_id, 1)]

        store.append_locked([stream_id], decide)
        assert [e.version for e in store.read_stream(stream_id)] == [1]


def test_closing_gives_up_on_a_database_that_is_away() -> None:
    """What was queued is answered, in this case for certain: it was never sent."""

    async def scenario() -> None:
        journal = GroupCommitJournal("postgresql://nobody@127.0.0.1:1/nothing")
        journal.start()
        future = journal.append([event(uuid7(), 1)])
        assert not journal.is_writable()
        await journal.close(timeout_s=0.2)
        with pytest.raises(LogUnavailable) as refusal:
            await future
        assert not isinstance(refusal.value, OutcomeUnknown)

    run(scenario)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # it is not told, it is asked
        await asyncio.sleep(0.01)
