"""One client behind the server: bodies that are large, slow or cut, and a client that leaves."""

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
    """Gives the messages and then nothing, as a server does whose client is silent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def client(self, *, body_s_max: float = 30.0) -> AsgiClient:
        scope: Any = {"type": "http"}
        return AsgiClient(scope, self.receive, self.send, body_bytes_max=10, body_s_max=body_s_max)


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

        client.watch(tell)
        await left.wait()
        await client.start(200, [])
        await client.send(b"x")
        await client.end()
        assert (client.gone, client.started) == (True, False)
        client.unwatch()

    asyncio.run(scenario())
    assert (told, wire.sent) == ([True], [])
