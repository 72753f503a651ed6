"""Writing an answer down on its way to the client, within bounds."""

import asyncio

from application.idempotent_requests.kept_answers import KeptAnswer
from application.idempotent_requests.recording import Buffers, RecordingClient
from application.wire.relay import PING
from tests.application.gateway.exchange_world import FakeClient

HEAD = [
    (b"content-type", b"text/event-stream"),
    (b"x-request-id", b"r"),
    (b"x-ratelimit-remaining-requests", b"3"),
    (b"x-tokenok-balance", b"1"),
    (b"content-length", b"9"),
]


class Recorded:
    """A client that is written down, and what was kept of it and when."""

    def __init__(self, *, answer_bytes_max: int = 100, bytes_max: int = 1_000) -> None:
        self.client = FakeClient()
        self.buffers = Buffers(answer_bytes_max=answer_bytes_max, bytes_max=bytes_max)
        self.kept: list[KeptAnswer] = []
        self.waited = 0
        self.recording = RecordingClient(self.client, self.buffers, self._keep, until_free=self._until_free)

    async def _until_free(self) -> None:
        self.waited += 1

    async def _keep(self, answer: KeptAnswer) -> None:
        assert not self.client.ended, "the answer is kept before its end goes out"
        self.kept.append(answer)

    async def answer(self, *parts: bytes, end: bytes = b"") -> None:
        await self.recording.start(200, HEAD)
        for part in parts:
            await self.recording.send(part)
        await self.recording.end(end)
        await self.recording.close()


def played(*parts: bytes, end: bytes = b"", **bounds: int) -> Recorded:
    recorded = Recorded(**bounds)
    asyncio.run(recorded.answer(*parts, end=end))
    assert recorded.client.received == b"".join(parts) + end
    assert recorded.buffers.take(bounds.get("bytes_max", 1_000)), "all memory was given back"
    return recorded


def test_what_the_client_got_is_kept() -> None:
    """But for what was of the moment: limits, balance, length, signs of life."""
    (kept,) = played(b"one ", PING, b"two", end=b" end").kept
    assert kept.body == b"one two end"
    assert kept.headers == ((b"content-type", b"text/event-stream"), (b"x-request-id", b"r"))
    assert "one" not in repr(kept)


def test_an_answer_beyond_the_bound_is_served_and_not_kept() -> None:
    """To the byte."""
    assert played(b"x" * 60, end=b"x" * 40).kept
    assert not played(b"x" * 60, end=b"x" * 41).kept
    assert not played(b"x" * 101, b"y").kept


def test_recordings_share_their_memory() -> None:
    """What does not fit beside the others is not kept; when they end, there is room again."""
    buffers = Buffers(answer_bytes_max=100, bytes_max=100)
    assert buffers.take(60)
    assert not buffers.take(41)
    assert buffers.take(40)
    buffers.give_back(100)
    assert buffers.take(100)


def test_a_client_that_has_left_is_still_written_down() -> None:
    """It may come back with the same key."""
    recorded = Recorded()
    recorded.client.leave()
    assert recorded.recording.gone
    asyncio.run(recorded.answer(b"one", end=b"two"))
    assert [one.body for one in recorded.kept] == [b"onetwo"]
    assert recorded.client.received == b""


def test_an_answer_without_an_end_is_not_kept() -> None:
    """It broke off, and its memory is given back."""
    recorded = Recorded()

    async def scenario() -> None:
        await recorded.recording.start(200, HEAD)
        await recorded.recording.send(b"one")
        await recorded.recording.close()

    asyncio.run(scenario())
    assert not recorded.kept
    assert recorded.waited == 1
    assert recorded.buffers.take(1_000)


def test_everything_else_is_the_clients_own() -> None:
    """Its body, its pieces, and the watch for its leaving."""
    recorded = Recorded()
    left = []

    async def scenario() -> None:
        assert await recorded.recording.body() == await recorded.client.body()
        pieces = [piece async for piece in recorded.recording.pieces(bytes_max=1_000)]
        assert pieces == [await recorded.client.body()]
        recorded.recording.watch(lambda: left.append(True), write_s=7.0)
        recorded.client.leave()

    asyncio.run(scenario())
    assert left
    assert recorded.client.write_s == 7.0
