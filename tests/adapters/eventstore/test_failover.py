"""A standby that lacks the last commits is promoted: nothing that was decided on what is gone is stored on it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.embedded import EmbeddedServers
from adapters.embedded.postgres import PostgresServer
from adapters.eventstore.batch import Batch
from adapters.eventstore.connection import Limits, connect
from adapters.eventstore.history import history_of
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.migrations import migrate
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import HistoryReplaced, NewEvent

WITHIN_S = 120.0


def event(stream_id: UUID, version: int, words: str) -> NewEvent:
    return NewEvent(stream_id, version, "test.event.v1", b'{"of":"%s"}' % words.encode())


class Pair:
    """A primary, and a standby that follows it without being waited for. `url` leads to whichever may be written to."""

    def __init__(self, servers: EmbeddedServers, root: Path) -> None:
        self._primary_url = servers.start_postgres()
        migrate(self._primary_url)
        self._servers = servers
        self._root = root
        primary = servers._postgres
        assert primary is not None
        self._cluster = root / "standby"
        self._binaries, self._user = primary._binaries, primary._user
        self._standby: PostgresServer | None = None
        self._hidden, self._seen = root / "hidden", root / "seen"
        for directory, mode in ((self._hidden, 0o711), (self._cluster, 0o700)):
            directory.mkdir(mode=mode)
            self._user.give(directory)

    @property
    def url(self) -> str:
        """The primary first; the standby once it can be seen."""
        head, _, query = self._primary_url.partition("?host=")
        return f"{head}?host={query},{quote(str(self._seen), safe='')}&target_session_attrs=read-write"

    def copy(self) -> None:
        """Make the standby out of the primary as it is."""
        tool = str(self._binaries.postgres.with_name("pg_basebackup"))
        done = self._user.run(
            [tool, "-D", str(self._cluster), "-R", "-X", "stream", "-c", "fast", "-d", self._primary_url],
            timeout_s=WITHIN_S,
        )
        assert done.returncode == 0, done.stderr

    def fail_over(self) -> str:
        """Kill the primary, and have the standby take over where `url` does not lead yet; its own address."""
        pid = self._servers.pids()["Postgres"]
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._standby = PostgresServer(
            binaries=self._binaries,
            cluster=self._cluster,
            user=self._user,
            log_path=self._root / "standby.log",
        )
        self._standby.start(self._hidden)
        head, _, _ = self._primary_url.partition("?host=")
        url = f"{head}?host={quote(str(self._hidden), safe='')}"
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)
        return url

    def show(self) -> None:
        """Let `url` lead to the standby."""
        self._seen.symlink_to(self._hidden)

    def stop(self) -> None:
        if self._standby is not None:
            self._standby.stop()


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tokenok-failover-")))
        scratch.chmod(0o711)
        found = Pair(stack.enter_context(EmbeddedServers(scratch / "data")), scratch)
        stack.callback(found.stop)
        yield found


@pytest.mark.timeout(300)
def test_what_was_decided_on_a_lost_tail_is_refused(pair: Pair) -> None:
    """Though its version fits: behind the event of another, which has taken the lost one's place."""
    stream_id, replaced = uuid4(), asyncio.Event()

    async def scenario() -> None:
        journal = GroupCommitJournal(pair.url, wait_s_max=WITHIN_S, on_replaced=replaced.set)
        journal.start()
        await journal.append([event(stream_id, 1, "both")])
        pair.copy()  # on this thread: what it starts dies with it
        await journal.append([event(stream_id, 2, "ours, and lost")])
        promoted = pair.fail_over()
        decided_on_it = journal.append([event(stream_id, 3, "ours, decided on what is lost")])
        with PostgresEventStore(promoted) as store:
            store.append([event(stream_id, 2, "theirs")])
            pair.show()
            async with asyncio.timeout(WITHIN_S):
                with pytest.raises(HistoryReplaced):
                    await decided_on_it
            assert replaced.is_set()  # before anybody could decide again
            await asyncio.sleep(0)  # the writer hears of it behind those who waited
            await journal.append([event(stream_id, 3, "ours, decided on theirs")])
            stored = [one.state.decode() for one in store.read_stream(stream_id)]
        await journal.close()
        assert stored == ['{"of":"both"}', '{"of":"theirs"}', '{"of":"ours, decided on theirs"}']

    asyncio.run(scenario())


def test_what_was_stored_before_is_known_as_ours(database_url: str) -> None:
    """Of a batch in doubt, what the new history has as well was stored; the rest was not, and is not."""
    first, second = (uuid4() for _ in range(2))
    groups = [[event(first, 1, "a")], [event(second, 1, "b")]]
    with connect(database_url, limits=Limits(), application_name="test") as connection:
        (position,) = Batch(groups[:1]).commit(connection)
        batch = Batch(groups)
        sure = batch.disown(connection)
        assert [type(one) for one in sure] == [HistoryReplaced, HistoryReplaced]
        batch.in_doubt = True
        found, gone = batch.disown(connection)
        assert (found, type(gone)) == (position, HistoryReplaced)
        assert connection.execute("SELECT count(*) FROM event_log").fetchone() == (1,)


def test_a_restart_is_no_other_history(breakable_servers: EmbeddedServers, breakable_url: str) -> None:
    """The same cluster writes on the same timeline, also after a crash: nothing is lost."""
    with connect(breakable_url, limits=Limits(), application_name="test") as connection:
        before = history_of(connection)
    os.kill(breakable_servers.pids()["Postgres"], signal.SIGKILL)
    while not breakable_servers.restart_ended():
        pass
    with connect(breakable_url, limits=Limits(), application_name="test") as connection:
        assert history_of(connection) == before
    assert before.cluster > 0
