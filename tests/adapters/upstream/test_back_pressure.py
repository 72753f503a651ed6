"""A slow reader slows the upstream down; memory stays bounded in both directions."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.connection import READ_BYTES, UNREAD_BYTES_MAX

if TYPE_CHECKING:
    from tests.adapters.upstream.conftest import Kit, Peer, Run

BODY_BYTES = 32 * 1024 * 1024


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
def test_a_body_that_nobody_reads_is_not_taken_from_the_network(
    kit: "Kit", run: "Run", framing: str, is_tls: bool
) -> None:
    """The upstream is stopped long before the end; what is kept is bounded; then all of it arrives, in order."""

    async def main() -> None:
        sent = 0
        block = bytes(range(256)) * 256

        async def script(peer: "Peer") -> None:
            nonlocal sent
            await peer.request()
            if framing == "length":
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % BODY_BYTES)
            else:
                await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(BODY_BYTES // len(block)):
                await peer.send(block if framing == "length" else b"10000\r\n" + block + b"\r\n")
                sent += len(block)
            if framing == "chunked":
                await peer.send(b"0\r\n\r\n")
            await peer.gone()

        tls = kit.server_tls() if is_tls else None
        async with kit.serve(script, tls=tls) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            connection = response._connection
            assert connection is not None
            await kit.until(lambda: connection._is_read_paused)
            for _ in range(200):
                await asyncio.sleep(0)
            stopped_at = sent
            for _ in range(2000):
                await asyncio.sleep(0)
            assert sent == stopped_at < BODY_BYTES
            kept = sum(map(len, connection.answer.body))
            # Over TLS one more read of the layer below, which must be emptied before it may pause.
            assert kept < UNREAD_BYTES_MAX + READ_BYTES + (256 * 1024 if is_tls else 0)
            got = 0
            while data := await response.receive(idle_s=kit.wait_s):
                assert data[0] == got % 256
                got += len(data)
            assert got == BODY_BYTES
            await kit.until(lambda: next(iter(client.counts().values())).idle == 1)

    run(main())


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("size", [32_768, 40_000, 100_000, 700_000])
@pytest.mark.parametrize("ends", ["orderly", "without closing alert"])
def test_an_end_behind_unread_bytes_loses_none_of_them(
    kit: "Kit", run: "Run", *, is_tls: bool, size: int, ends: str
) -> None:
    """An upstream that answers and closes at once, and a reader that comes late: the whole body is there."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            # Written apart, read together: 32 KiB of body then end within a TLS record, just behind a full buffer.
            peer.writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size)
            await peer.send(b"x" * size)
            if ends != "orderly":
                await kit.until(lambda: peer.writer.transport.get_write_buffer_size() == 0)
                peer.writer.transport.abort()

        tls = kit.server_tls() if is_tls else None
        async with kit.serve(script, tls=tls) as server, kit.client() as client:
            for _ in range(5):
                response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                for _ in range(300):
                    await asyncio.sleep(0)
                assert await response.read(size, idle_s=kit.wait_s) == b"x" * size

    run(main())


def test_a_large_request_is_written_as_fast_as_it_is_taken(kit: "Kit", run: "Run") -> None:
    """An upstream that reads slowly keeps the rest of the body out of our write buffer."""

    async def main() -> None:
        start = asyncio.Event()

        async def script(peer: "Peer") -> None:
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a full transport
            await start.wait()
            peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
            _, body = await peer.request()
            await peer.answer(b"%d" % len(body))
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            sending = asyncio.create_task(
                client.send(server.request(b"x" * BODY_BYTES), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            )
            await kit.until(lambda: bool(client._alive))
            (connection,) = client._alive
            await kit.until(lambda: connection._is_write_paused)
            for _ in range(500):
                await asyncio.sleep(0)
            transport = connection._transport
            assert transport is not None
            assert 0 < transport.get_write_buffer_size() < 512 * 1024
            start.set()
            response = await sending
            assert await response.read(100, idle_s=kit.wait_s) == b"%d" % BODY_BYTES

    run(main())
