"""Bodies that are not held in one piece: sent as the upstream takes them, whole, and again on a new connection."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.connection import WRITE_BYTES
from application.upstream import UpstreamRequest, UpstreamRequestRefused

if TYPE_CHECKING:
    from tests.adapters.upstream.conftest import Kit, Peer, Run, Scripted


class Source:
    """Pieces of a known pattern; `told` is another size than they have."""

    def __init__(self, pieces: int, *, told: int | None = None) -> None:
        self.size_bytes = pieces * WRITE_BYTES if told is None else told
        self.given = 0
        self.begun = 0
        self.closed = 0
        self._pieces = pieces

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        self.begun += 1
        try:
            for number in range(self._pieces):
                self.given += WRITE_BYTES
                yield bytes([number % 251]) * WRITE_BYTES
        finally:
            self.closed += 1


def _request(server: "Scripted", source: Source) -> UpstreamRequest:
    plain = server.request()
    return UpstreamRequest(b"POST", plain.url, plain.headers, source)


def _digest(pieces: int) -> str:
    digest = hashlib.sha256()
    for number in range(pieces):
        digest.update(bytes([number % 251]) * WRITE_BYTES)
    return digest.hexdigest()


@pytest.mark.parametrize("pieces", [1, 2, 400])
def test_a_source_arrives_whole_and_the_connection_is_used_again(kit: "Kit", run: "Run", pieces: int) -> None:
    """With its length announced; two requests over one connection."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            for _ in range(2):
                head, body = await peer.request()
                assert b"content-length: %d" % len(body) in head
                await peer.answer(hashlib.sha256(body).hexdigest().encode())
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            for _ in range(2):
                source = Source(pieces)
                response = await client.send(
                    _request(server, source), connect_s=kit.wait_s, first_byte_s=kit.wait_s
                )
                assert await response.read(1_000, idle_s=kit.wait_s) == _digest(pieces).encode()
                assert source.closed == source.begun == 1
            assert server.connections == 1

    run(main())


def test_a_source_is_read_no_faster_than_it_is_taken(kit: "Kit", run: "Run") -> None:
    """An upstream that does not read stops it: what is on its way is bounded."""

    async def main() -> None:
        may_read = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]  # the stream's own limit is no bound
            await may_read.wait()
            peer.reader._transport.resume_reading()  # type: ignore[attr-defined]
            await peer.reader.readexactly(2_000 * WRITE_BYTES)
            await peer.answer()

        async with kit.serve(script) as server, kit.client() as client:
            source = Source(2_000)
            sending = asyncio.ensure_future(
                client.send(_request(server, source), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            )
            await kit.until(lambda: source.given > 0)
            stopped_at = -1
            while stopped_at != source.given:
                stopped_at = source.given
                for _ in range(2_000):
                    await asyncio.sleep(0)
            assert stopped_at < source.size_bytes // 4
            may_read.set()
            response = await sending
            assert await response.read(10, idle_s=kit.wait_s) == b"ok"

    run(main())


def test_an_early_answer_ends_the_upload(kit: "Kit", run: "Run") -> None:
    """413 before the body was taken: the source is closed, and the connection is not used again."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            source = Source(20_000)
            response = await client.send(
                _request(server, source), connect_s=kit.wait_s, first_byte_s=kit.wait_s
            )
            assert response.status == 413
            await response.aclose()
            assert source.closed == 1
            assert source.given < source.size_bytes
            assert next(iter(client.counts().values())).idle == 0

    run(main())


@pytest.mark.parametrize("told", [WRITE_BYTES - 1, WRITE_BYTES + 1, 3 * WRITE_BYTES])
def test_a_source_of_another_size_than_announced_cuts_the_connection(
    kit: "Kit", run: "Run", told: int
) -> None:
    """What is too much is not sent, since it would be read as the next request."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamRequestRefused):
                await client.send(
                    _request(server, Source(1, told=told)), connect_s=kit.wait_s, first_byte_s=kit.wait_s
                )
            assert next(iter(client.counts().values())).idle == 0

    run(main())


def test_a_stale_connection_gets_the_body_from_its_start_on_a_new_one(kit: "Kit", run: "Run") -> None:
    """The source is asked for its pieces once more."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            if peer.number == 0:
                await peer.request()
                await peer.answer()
                await peer.reader.readuntil(b"\r\n\r\n")  # the second request: lost without an answer
                return
            _, body = await peer.request()
            await peer.answer(hashlib.sha256(body).hexdigest().encode())

        async with kit.serve(script) as server, kit.client() as client:
            first = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            await first.read(10, idle_s=kit.wait_s)
            source = Source(3)
            response = await client.send(
                _request(server, source), connect_s=kit.wait_s, first_byte_s=kit.wait_s
            )
            assert await response.read(1_000, idle_s=kit.wait_s) == _digest(3).encode()
            assert source.begun == source.closed == 2

    run(main())
