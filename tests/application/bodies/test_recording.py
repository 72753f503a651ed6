"""The copy of what passes: exact up to its bound, and invisible to both sides."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.bodies.ports import Body
from application.bodies.recording import Recording
from application.directory_views import AccountView, ApiKeyView, Caller
from application.gateway.client import Call, Headers
from domain.limits import NO_LIMITS
from tests.fakes import ManualClock

CALL = Call(request_id=UUID(int=1), secret=None, client_ref=None, started_s=0.0)
CALLER = Caller(
    key=ApiKeyView(
        key_id=UUID(int=2),
        account_id=UUID(int=3),
        prefix="tk",
        limits=NO_LIMITS,
        models=None,
        valid_until_us=1 << 60,
    ),
    account=AccountView(account_id=UUID(int=3), status="open", limits=NO_LIMITS, models=None),
)
BOUND = 10


class Peer:
    """Implements `Client`: remembers what it was sent."""

    def __init__(self) -> None:
        self.gone = False
        self.got: list[object] = []

    async def body(self) -> bytes:
        raise AssertionError

    async def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        self.got.append(bytes_max)
        yield b"piece"

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        self.got.append(write_s)

    async def start(self, status: int, headers: Headers) -> None:
        self.got.append((status, headers))

    async def send(self, data: bytes) -> None:
        self.got.append(data)

    async def end(self, data: bytes = b"") -> None:
        self.got.append(data)


class Shelf:
    """Implements `BodySink`."""

    body_bytes_max = BOUND

    def __init__(self) -> None:
        self.bodies: list[Body] = []

    def offer(self, body: Body) -> None:
        self.bodies.append(body)


def recording(peer: Peer, shelf: Shelf, request: bytes) -> Recording:
    return Recording(peer, call=CALL, caller=CALLER, request=request, sink=shelf, clock=ManualClock())


@given(
    request=st.binary(max_size=25),
    pieces=st.lists(st.binary(max_size=8), max_size=6),
    ends=st.booleans(),
    leaves=st.booleans(),
)
def test_what_passes_is_copied_up_to_its_bound(
    request: bytes, pieces: list[bytes], ends: bool, leaves: bool
) -> None:
    """Sizes are the whole sizes; an answer is complete when its end was sent to a client that was there."""
    peer, shelf = Peer(), Shelf()

    async def scenario() -> None:
        with recording(peer, shelf, request) as client:
            assert await client.body() == request
            await client.start(201, [])
            for piece in pieces:
                await client.send(piece)
            peer.gone = leaves
            assert client.gone == leaves
            if ends:
                await client.end(b"end")

    asyncio.run(scenario())
    sent = [*pieces, *([b"end"] if ends else [])]
    assert peer.got == [(201, []), *sent]
    (body,) = shelf.bodies
    assert (body.request, body.response) == (request[:BOUND], b"".join(sent)[:BOUND])
    assert (body.request_bytes, body.response_bytes) == (len(request), len(b"".join(sent)))
    assert (body.status, body.complete) == (201, ends and not leaves)
    assert (body.request_id, body.account_id, body.key_id) == (UUID(int=1), UUID(int=3), UUID(int=2))


def test_a_request_without_an_answer_is_kept_too() -> None:
    """With status 0, whatever it ended by."""
    shelf = Shelf()
    with pytest.raises(LookupError), recording(Peer(), shelf, b"{}"):
        raise LookupError
    (body,) = shelf.bodies
    assert (body.status, body.complete, body.request, body.response) == (0, False, b"{}", b"")


def test_the_rest_is_the_client_s_own() -> None:
    """Pieces of a form, and noticing that it leaves."""
    peer = Peer()

    async def scenario() -> None:
        client = recording(peer, Shelf(), b"")
        client.watch(lambda: None, write_s=3.0)
        assert [piece async for piece in client.pieces(bytes_max=7)] == [b"piece"]

    asyncio.run(scenario())
    assert peer.got == [3.0, 7]
