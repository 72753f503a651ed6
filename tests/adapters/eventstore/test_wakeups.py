"""Wake-ups: they come soon after a change, and when they cannot come, listeners look by themselves."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from adapters.eventstore.store import PostgresEventStore
from adapters.eventstore.wakeups import MESSAGE_CHARS_MAX, PostgresWakeups, listen
from application.eventlog import NewEvent
from domain.ids import uuid7

NEVER_S = 600.0


class Heard:
    """Collects messages and lets a test wait for one."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._news = asyncio.Event()

    def receive(self, message: str) -> None:
        self.messages.append(message)
        self._news.set()

    async def until(self, condition: Callable[[list[str]], bool]) -> None:
        while not condition(self.messages):
            self._news.clear()
            await self._news.wait()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(limited())


def cut_all(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_message_reaches_every_process(shared_url: str) -> None:
    """The sender included; each listener is first told to look, since it may have missed something before."""

    async def scenario() -> None:
        here, there = PostgresWakeups(shared_url, poll_s=NEVER_S), PostgresWakeups(shared_url, poll_s=NEVER_S)
        heard_here, heard_there = Heard(), Heard()
        here.subscribe(heard_here.receive)
        there.subscribe(heard_there.receive)
        here.start()
        there.start()
        for heard in (heard_here, heard_there):
            await heard.until(lambda messages: messages == [""])
        here.poke("recall:x")
        here.poke("recalled:y")
        for heard in (heard_here, heard_there):
            await heard.until(lambda messages: messages == ["", "recall:x", "recalled:y"])
        await here.close()
        await there.close()

    run(scenario)


@pytest.mark.parametrize(("topic", "wakes"), [("key.revoked.v1", True), ("lease.opened.v1", False)])
def test_a_control_event_wakes_followers(shared_url: str, topic: str, wakes: bool) -> None:
    """After its commit, so they find it; lease events do not, there are too many."""

    async def scenario() -> None:
        wakeups, heard = PostgresWakeups(shared_url, poll_s=NEVER_S), Heard()
        wakeups.subscribe(heard.receive)
        wakeups.start()
        await heard.until(lambda messages: messages == [""])
        with PostgresEventStore(shared_url) as store:
            await asyncio.to_thread(store.append, [NewEvent(uuid7(), 1, topic, b"{}")])
            await asyncio.to_thread(store.poke, "end")
        await heard.until(lambda messages: "end" in messages)
        assert heard.messages == ["", *(["log"] if wakes else []), "end"]
        await wakeups.close()

    run(scenario)


def test_silence_makes_a_listener_look(shared_url: str) -> None:
    """Also when no wake-up ever comes through."""

    async def scenario() -> None:
        wakeups, heard = PostgresWakeups(shared_url, poll_s=0.01), Heard()
        wakeups.subscribe(heard.receive)
        wakeups.start()
        await heard.until(lambda messages: messages[:3] == ["", "", ""])
        await wakeups.close()

    run(scenario)


def test_a_lost_connection_makes_a_listener_look_and_listen_again(shared_url: str) -> None:
    """What was sent in between is not heard, so it is told to look at once; later messages are heard again."""

    async def scenario() -> None:
        wakeups, heard = PostgresWakeups(shared_url, poll_s=NEVER_S), Heard()
        wakeups.subscribe(heard.receive)
        wakeups.start()
        await heard.until(lambda messages: messages == [""])
        await asyncio.to_thread(cut_all, shared_url)
        await heard.until(lambda messages: messages == ["", "", ""])  # at the loss, and listening again
        wakeups.poke("again")  # its own connection was lost, too
        await heard.until(lambda messages: messages[-1] == "again")
        await wakeups.close()

    run(scenario)


def test_a_failing_receiver_stops_nobody_else(shared_url: str) -> None:
    """The others hear the message, and everyone hears the next."""

    async def scenario() -> None:
        wakeups, heard = PostgresWakeups(shared_url, poll_s=NEVER_S), Heard()

        def fail(_: str) -> None:
            raise LookupError

        wakeups.subscribe(fail)
        wakeups.subscribe(heard.receive)
        wakeups.start()
        await heard.until(lambda messages: messages == [""])
        wakeups.poke("a")
        await heard.until(lambda messages: messages == ["", "a"])
        await wakeups.close()

    run(scenario)


def test_poking_never_blocks_and_never_raises() -> None:
    """Without a database, with a full outbox, with a message that is too long."""

    async def scenario() -> None:
        wakeups = PostgresWakeups("postgresql://nobody@127.0.0.1:1/nothing", poll_s=0.01)
        heard = Heard()
        wakeups.subscribe(heard.receive)
        wakeups.start()
        for _ in range(2000):
            wakeups.poke("x")
        wakeups.poke("x" * (MESSAGE_CHARS_MAX + 1))
        await heard.until(lambda messages: len(messages) > 0 and set(messages) == {""})
        await wakeups.close()

    run(scenario)
    with PostgresEventStore("postgresql://nobody@127.0.0.1:1/nothing") as store:
        store.poke()


def test_a_thread_listens_before_it_looks(shared_url: str) -> None:
    """The generator first says to look, hears what comes then, and survives the loss of its connection."""
    stop = threading.Event()
    messages = listen(shared_url, stop=stop, poll_s=NEVER_S)
    assert next(messages) == ""
    with PostgresEventStore(shared_url) as store:
        store.poke("one")
        assert next(messages) == "one"
        cut_all(shared_url)
        stop_waiting = [next(messages), next(messages)]
        assert stop_waiting == ["", ""]  # at the loss, and listening again
        store.poke("two")
        assert next(messages) == "two"
    stop.set()
    messages.close()  # type: ignore[attr-defined]  # a generator


def test_a_thread_looks_when_nothing_comes(shared_url: str) -> None:
    """Each `poll_s`; and it ends soon after it was told to."""
    stop = threading.Event()
    messages = listen(shared_url, stop=stop, poll_s=0.01)
    assert [next(messages) for _ in range(3)] == ["", "", ""]
    stop.set()
    assert list(messages) in ([], [""])
