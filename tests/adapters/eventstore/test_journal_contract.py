"""What every journal promises; runs on the one in memory and on the one that commits to Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Protocol
from uuid import UUID

import psycopg
import pytest

from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.memory import MemoryEventStore, MemoryJournal
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import (
    EventStore,
    JournalFull,
    LogUnavailable,
    NewEvent,
    UnstorableEvent,
    VersionConflict,
)
from domain.ids import uuid7

Outcome = int | BaseException


class Log(Protocol):
    """A store, journals on it, and a way to keep them from committing."""

    @property
    def store(self) -> EventStore: ...

    def journal(self, *, events_max: int = 4096) -> MemoryJournal | GroupCommitJournal: ...

    def hold(self) -> AbstractContextManager[None]: ...


class MemoryLog:
    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self._journals: list[MemoryJournal] = []

    def journal(self, *, events_max: int = 4096) -> MemoryJournal:
        self._journals.append(MemoryJournal(self.store, events_max=events_max, turn_events_max=8))
        return self._journals[-1]

    @contextmanager
    def hold(self) -> Iterator[None]:
        for journal in self._journals:
            journal.pause()
        yield
        for journal in self._journals:
            journal.resume()


class PostgresLog:
    def __init__(self, database_url: str, store: PostgresEventStore) -> None:
        self.store = store
        self._database_url = database_url

    def journal(self, *, events_max: int = 4096) -> GroupCommitJournal:
        return GroupCommitJournal(self._database_url, events_max=events_max, batch_events_max=8)

    @contextmanager
    def hold(self) -> Iterator[None]:
        with psycopg.connect(self._database_url) as connection:
            connection.execute("SELECT tokenok_lock_log()")
            yield


@pytest.fixture(params=["memory", "postgres"])
def log(request: pytest.FixtureRequest) -> Log:
    if request.param == "memory":
        return MemoryLog()
    return PostgresLog(request.getfixturevalue("shared_url"), request.getfixturevalue("shared_store"))


@asynccontextmanager
async def journal_of(
    log: Log, *, events_max: int = 4096
) -> AsyncIterator[MemoryJournal | GroupCommitJournal]:
    journal = log.journal(events_max=events_max)
    journal.start()
    try:
        yield journal
    finally:
        await journal.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(limited())


def event(stream_id: UUID, version: int, *, topic: str = "lease.usage-charged.v1") -> NewEvent:
    return NewEvent(stream_id, version, topic, b'{"n":%d}' % version)


async def outcomes(*futures: "asyncio.Future[int]") -> list[Outcome]:
    return await asyncio.gather(*futures, return_exceptions=True)


def stored(log: Log, stream_id: UUID) -> list[int]:
    return [recorded.version for recorded in log.store.read_stream(stream_id)]


def test_a_future_gives_the_position_once_the_group_is_durable(log: Log) -> None:
    """It is the position of the group's last event, as the store shows it."""

    async def scenario() -> None:
        stream_id = uuid7()
        async with journal_of(log) as journal:
            position = await journal.append([event(stream_id, 1), event(stream_id, 2)])
        assert [e.position for e in log.store.read_stream(stream_id)][-1] == position

    run(scenario)


def test_groups_are_stored_in_the_order_of_their_appends(log: Log) -> None:
    """Many groups of several streams, in several commits, none lost, each at the position it was told."""

    async def scenario() -> None:
        streams = [uuid7() for _ in range(3)]
        before = log.store.head_position()
        async with journal_of(log) as journal:
            futures = [journal.append([event(streams[n % 3], n // 3 + 1)]) for n in range(60)]
            positions = await asyncio.gather(*futures)
        read = log.store.read_log(after_position=before, limit=100)
        assert [(e.stream_id, e.version) for e in read] == [(streams[n % 3], n // 3 + 1) for n in range(60)]
        assert [e.position for e in read] == positions

    run(scenario)


def test_a_conflict_fails_its_own_stream_only(log: Log) -> None:
    """Neighbours in the same commit are stored; the refusal names the stream."""

    async def scenario() -> None:
        ours, taken = uuid7(), uuid7()
        log.store.append([event(taken, 1)])
        async with journal_of(log) as journal:
            with log.hold():
                futures = [
                    journal.append([event(ours, 1)]),
                    journal.append([event(taken, 1)]),
                    journal.append([event(ours, 2)]),
                ]
            first, second, third = await outcomes(*futures)
        assert isinstance(first, int)
        assert isinstance(second, VersionConflict)
        assert second.stream_id == taken
        assert isinstance(third, int)

    run(scenario)


@pytest.mark.parametrize("queued", [3, 20])
def test_nothing_is_stored_behind_a_fence(log: Log, queued: int) -> None:
    """The owner has queued v2, v3, ...; another writer has stored its fence at v2: v3 must not be stored behind it.

    v3 would be the next version. The fence has no ending topic, so only the order of the queue protects here. 20 groups
    do not fit into one commit.
    """

    async def scenario() -> None:
        lease = uuid7()
        log.store.append([event(lease, 1), event(lease, 2)])
        async with journal_of(log) as journal:
            with log.hold():
                futures = [journal.append([event(lease, 2 + n)]) for n in range(queued)]
            answers = await outcomes(*futures)
        assert all(isinstance(answer, VersionConflict) for answer in answers)
        assert stored(log, lease) == [1, 2]

    run(scenario)


def test_what_is_queued_before_the_owner_was_told_is_refused(log: Log) -> None:
    """An owner that counts on until its own callback runs gets nothing stored behind the other writer's event.

    The second append is made by a task that runs between the refusal and the callback of the first.
    """

    async def scenario() -> None:
        lease = uuid7()
        log.store.append([event(lease, 1)])
        late: list[asyncio.Future[int]] = []

        async with journal_of(log) as journal:
            refused = journal.append([event(lease, 1)])

            async def count_on() -> None:
                while not refused.done():  # noqa: ASYNC110  # in every turn of the loop, not when it is told
                    await asyncio.sleep(0)
                late.append(journal.append([event(lease, 2)]))  # it would be the next version

            refused.add_done_callback(lambda _: late.append(journal.append([event(lease, 2)])))
            await asyncio.gather(count_on(), outcomes(refused))
            answers = await outcomes(*late)
        assert len(answers) == 2
        assert all(isinstance(answer, VersionConflict) for answer in answers)
        assert stored(log, lease) == [1]

    run(scenario)


def test_an_owner_that_has_read_again_may_go_on(log: Log) -> None:
    """A refusal is not for ever: who was told and read the stream stores at its new head."""

    async def scenario() -> None:
        wallet = uuid7()
        log.store.append([event(wallet, 1)])
        async with journal_of(log) as journal:
            for _ in range(3):
                head = stored(log, wallet)[-1]
                with pytest.raises(VersionConflict):
                    await journal.append([event(wallet, head)])
                await asyncio.to_thread(stored, log, wallet)
                await journal.append([event(wallet, head + 1)])
        assert stored(log, wallet) == [1, 2, 3, 4]

    run(scenario)


def test_a_group_over_two_streams_is_stored_whole_or_not_at_all(log: Log) -> None:
    """The wallet has moved on: the lease is not closed either, and what was queued behind on the lease fails too."""

    async def scenario() -> None:
        lease, wallet, other = uuid7(), uuid7(), uuid7()
        log.store.append([event(lease, 1), event(wallet, 1)])
        async with journal_of(log) as journal:
            with log.hold():
                futures = [
                    journal.append([event(lease, 2)]),
                    journal.append([event(lease, 3), event(wallet, 1)]),
                    journal.append([event(lease, 4)]),
                    journal.append([event(lease, 3)]),
                    journal.append([event(other, 1)]),
                ]
            answers = await outcomes(*futures)
        assert [isinstance(answer, int) for answer in answers] == [True, False, False, False, True]
        assert isinstance(answers[1], VersionConflict)
        assert answers[1].stream_id == wallet
        assert stored(log, lease) == [1, 2]
        assert stored(log, wallet) == [1]

    run(scenario)


def test_a_group_that_no_log_can_hold_fails_alone(log: Log) -> None:
    """Those queued before and behind it are stored."""

    async def scenario() -> None:
        ours = uuid7()
        async with journal_of(log) as journal:
            with log.hold():
                futures = [
                    journal.append([event(ours, 1)]),
                    journal.append([NewEvent(uuid7(), 1, "a\0b", b"")]),
                    journal.append([NewEvent(uuid7(), 1, "\ud800", b"")]),
                    journal.append([event(ours, 2)]),
                ]
            answers = await outcomes(*futures)
        assert isinstance(answers[1], UnstorableEvent)
        assert isinstance(answers[2], UnstorableEvent)
        assert stored(log, ours) == [1, 2]

    run(scenario)


def test_cancelling_a_waiter_cancels_no_append(log: Log) -> None:
    """The event is stored, and those who wait for others are told as ever."""

    async def scenario() -> None:
        stream_id = uuid7()
        async with journal_of(log) as journal:
            with log.hold():

                async def wait_for(version: int) -> int:
                    return await journal.append([event(stream_id, version)])

                waiters = [asyncio.create_task(wait_for(version)) for version in (1, 2, 3)]
                await asyncio.sleep(0)
                waiters[1].cancel()
                await asyncio.sleep(0)
            first, second, third = await asyncio.gather(*waiters, return_exceptions=True)
        assert isinstance(first, int)
        assert isinstance(second, asyncio.CancelledError)
        assert isinstance(third, int)
        assert stored(log, stream_id) == [1, 2, 3]

    run(scenario)


def test_a_full_queue_refuses_at_once(log: Log) -> None:
    """Above the bound an append raises and is not queued; when the queue has drained there is room again."""

    async def scenario() -> None:
        stream_id = uuid7()
        async with journal_of(log, events_max=4) as journal:
            with log.hold():
                futures = [journal.append([event(stream_id, 1), event(stream_id, 2)])]
                futures.append(journal.append([event(stream_id, 3)]))
                with pytest.raises(JournalFull):
                    journal.append([event(stream_id, 4), event(stream_id, 5)])
                futures.append(journal.append([event(stream_id, 4)]))
                with pytest.raises(JournalFull):
                    journal.append([event(stream_id, 5)])
            await asyncio.gather(*futures)
            await journal.append([event(stream_id, 5)])
        assert stored(log, stream_id) == [1, 2, 3, 4, 5]

    run(scenario)


def test_closing_commits_what_is_queued(log: Log) -> None:
    """Every future is answered; afterwards appends are refused and the journal is not writable."""

    async def scenario() -> None:
        stream_id = uuid7()
        journal = log.journal()
        journal.start()
        futures = [journal.append([event(stream_id, version)]) for version in range(1, 31)]
        await journal.close()
        assert all(isinstance(answer, int) for answer in await outcomes(*futures))
        assert stored(log, stream_id) == list(range(1, 31))
        assert not journal.is_writable()
        with pytest.raises(LogUnavailable):
            journal.append([event(stream_id, 31)])
        await journal.close()

    run(scenario)
