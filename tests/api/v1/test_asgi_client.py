"""One client behind the server: bodies that are large, slow or cut, a client that leaves, and one that does not read."""

import asyncio
from typing import Any

import pytest

from api.v1.asgi_client import AsgiClient
from application.gateway.client import BodyTooLarge, BodyTooSlow, ClientGone

PART = {"type": "http.request", "body": b"12345", "more_body": True}
LAST = {"type": "http.request", "body": b"67", "more_body": False}
GONE = {"type": "http.disconnect"}
SECONDS = 0.05


class Wire:
    """Gives the messages and then nothing, as a server does whose client is silent; `stall` stops what is sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.sent: list[Any] = []
        self.flowing = asyncio.Event()
        self.flowing.set()

    def stall(self) -> None:
        self.flowing.clear()

    async def receive(self) -> Any:
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)

    async def send(self, message: Any) -> None:
        await self.flowing.wait()
        self.sent.append(message)

    def client(self, *, body_s_max: float = 30.0) -> AsgiClient:
        return AsgiClient(self.receive, self.send, body_bytes_max=10, body_s_max=body_s_max)


def test_a_body_comes_whole_from_its_parts() -> None:
    """One part or several."""
    assert asyncio.run(Wire(LAST).client().body()) == b"67"
    assert asyncio.run(Wire(PART, LAST).client().body()) == b"1234567"


@pytest.mark.parametrize(
    "messages", [[PART, PART, PART], [{**LAST, "body": b"x" * 11}]], ids=["in parts", "at once"]
)
def test_a_body_above_the_limit_is_not_read_on(messages: list[dict[str, Any]]) -> None:
    """Eleven bytes are one too many."""
    with pytest.raises(BodyTooLarge):
        asyncio.run(Wire(*messages).client().body())


@pytest.mark.parametrize("messages", [[], [PART]], ids=["nothing", "a part"])
def test_a_body_that_does_not_come_is_not_waited_for(messages: list[dict[str, Any]]) -> None:
    """Also when not a single byte of it comes: silent senders must not pile up."""
    with pytest.raises(BodyTooSlow):
        asyncio.run(Wire(*messages).client(body_s_max=SECONDS).body())


@pytest.mark.parametrize("messages", [[GONE], [PART, GONE]], ids=["at once", "within"])
def test_a_client_that_leaves_within_its_body(messages: list[dict[str, Any]]) -> None:
    """The request never was one."""
    client = Wire(*messages).client()
    with pytest.raises(ClientGone):
        asyncio.run(client.body())
    assert client.gone


def test_a_client_that_left_is_noticed_once_and_sent_nothing() -> None:
    """The watcher tells; what is sent afterwards goes nowhere."""
    wire = Wire(GONE)
    told: list[bool] = []

    async def scenario() -> None:
        client = wire.client()
        left = asyncio.Event()

        def tell() -> None:
            told.append(client.gone)
            left.set()

        client.watch(tell, write_s=60.0)
        await left.wait()
        await client.start(200, [])
        await client.send(b"x")
        await client.end()
        assert (client.gone, client.started) == (True, False)
        client.unwatch()

    asyncio.run(scenario())
    assert (told, wire.sent) == ([True], [])


def test_a_body_that_is_announced_too_large_is_not_asked_for() -> None:
    """Refused by its head: not one part is received."""
    wire = Wire(LAST)
    client = wire.client()
    client.announced_bytes = 11
    with pytest.raises(BodyTooLarge):
        asyncio.run(client.body())
    assert len(wire._messages) == 1
    client.announced_bytes = 10
    assert asyncio.run(client.body()) == b"67"


@pytest.mark.parametrize("stuck_in", ["start", "send", "end"])
def test_a_client_that_takes_nothing_is_given_up(stuck_in: str) -> None:
    """The send returns, the exchange is told once, and nothing more is sent."""
    wire, told = Wire(), []

    async def scenario() -> None:
        client = wire.client()
        client.watch(lambda: told.append(client.gone), write_s=SECONDS)
        if stuck_in == "start":
            wire.stall()
        await client.start(200, [])
        if stuck_in == "send":
            wire.stall()
        await client.send(b"1")
        if stuck_in == "end":
            wire.stall()
        await client.end(b"2")
        wire.flowing.set()
        await client.end(b"3")
        client.unwatch()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert told == [True]
    assert len(wire.sent) == ["start", "send", "end"].index(stuck_in)


def test_a_slow_client_that_takes_something_is_kept() -> None:
    """Every send waits, none as long as the limit: the sum of them does not count."""
    wire, told = Wire(), []

    async def scenario() -> None:
        client = wire.client()
        client.watch(lambda: told.append(True), write_s=4 * SECONDS)
        await client.start(200, [])
        for _ in range(20):
            wire.stall()
            asyncio.get_running_loop().call_later(SECONDS / 2, wire.flowing.set)
            await client.send(b"1")
        await client.end()
        client.unwatch()

    asyncio.run(scenario())
    assert (told, len(wire.sent)) == ([], 22)


def test_an_interruption_that_is_not_the_guards_goes_on() -> None:
    """A deadline of the exchange, or the server's shutdown, ends a send that is stuck."""

    async def scenario() -> None:
        wire = Wire()
        client = wire.client()
        client.watch(lambda: None, write_s=60.0)
        await client.start(200, [])
        wire.stall()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await client.send(b"1")
        client.unwatch()
        assert not client.gone

    asyncio.run(scenario())


def test_a_deadline_that_strikes_with_the_guard_is_not_lost() -> None:
    """Both interrupt the same send: the deadline's is the one that goes on."""

    async def scenario() -> None:
        wire = Wire()
        client = wire.client()
        deadline = asyncio.timeout(None)
        # In the guard's own turn of the loop, so before the interrupted send can run.
        client.watch(lambda: deadline.reschedule(0), write_s=SECONDS)
        await client.start(200, [])
        wire.stall()

        async def send_under_deadline() -> None:
            async with deadline:
                await client.send(b"1")
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await send_under_deadline()
        client.unwatch()

    asyncio.run(asyncio.wait_for(scenario(), 30))


async def _pieces(client: AsgiClient, *, bytes_max: int = 10) -> list[bytes]:
    return [piece async for piece in client.pieces(bytes_max=bytes_max)]


def test_an_upload_comes_in_its_pieces() -> None:
    """As the server gives them; its limit is the caller's, and not that of other bodies."""
    assert asyncio.run(_pieces(Wire(PART, LAST).client())) == [b"12345", b"67"]
    long = {**LAST, "body": b"x" * 99}
    assert asyncio.run(_pieces(Wire(long).client(), bytes_max=99)) == [long["body"]]


@pytest.mark.parametrize(
    ("messages", "announced", "error"),
    [
        ([PART, PART, LAST], 0, BodyTooLarge),
        ([], 11, BodyTooLarge),
        ([PART], 0, BodyTooSlow),
        ([PART, GONE], 0, ClientGone),
    ],
    ids=["too large", "announced too large", "silent", "gone"],
)
def test_an_upload_that_does_not_come_whole_ends(
    messages: list[dict[str, Any]], announced: int, error: type[Exception]
) -> None:
    """Each piece has its own time; what is announced as too large is not read at all."""
    client = Wire(*messages).client(body_s_max=SECONDS)
    client.announced_bytes = announced
    with pytest.raises(error):
        asyncio.run(_pieces(client))
