"""Cancelled anywhere, nothing leaks: no connection, no slot, no place in the queue, and no dirty connection comes back."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.pool import PoolLimits
from application.upstream import UpstreamResponse

if TYPE_CHECKING:
    from adapters.upstream.client import UpstreamClient
    from tests.adapters.upstream.conftest import Kit, Peer, Run, Scripted

LARGE = 16 * 1024 * 1024


class Stage:
    """An upstream that gets a request exactly as far as `name`, and signals in `reached` that it is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reached = asyncio.Event()
        self.is_over = False
        self.left = asyncio.Event()

    async def resolve(self, host: str) -> list[str]:
        if self.name == "resolving" and not self.is_over:
            self.reached.set()
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    async def script(self, peer: "Peer") -> None:
        if self.is_over:
            await self._behave(peer)
        if self.name == "sending":
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a full transport
            self.reached.set()
            await self.left.wait()
            return
        await peer.request()
        if self.name == "head":
            await peer.send(b"HTTP/1.1 200 OK\r\nx: ")
        if self.name in {"body", "reading", "iterating"}:
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        self.reached.set()
        await peer.gone()
        self.left.set()

    async def _behave(self, peer: "Peer") -> None:
        while True:
            await peer.request()
            await peer.answer(b"clean")


async def whole(client: "UpstreamClient", server: "Scripted", stage: Stage, wait_s: float) -> None:
    """An exchange as a caller writes it."""
    body = b"x" * (LARGE if stage.name == "sending" else 2)
    response: UpstreamResponse = await client.send(
        server.request(body), connect_s=wait_s, first_byte_s=wait_s
    )
    try:
        if stage.name == "body":
            await response.receive(idle_s=wait_s)
            await response.receive(idle_s=wait_s)
        elif stage.name == "iterating":
            async for _ in response.aiter_raw(idle_s=wait_s):
                pass
        else:
            await response.read(100, idle_s=wait_s)
    finally:
        await response.aclose()


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize(
    "name", ["resolving", "sending", "waiting for the head", "head", "body", "reading", "iterating"]
)
def test_cancelling_at_each_stage_leaves_nothing_behind(
    kit: "Kit", run: "Run", name: str, is_tls: bool
) -> None:
    """The upstream sees the connection end, the pool is empty, and the next request is answered on a clean connection."""

    async def main() -> None:
        stage = Stage(name)
        tls = kit.server_tls() if is_tls else None
        async with (
            kit.serve(stage.script, tls=tls) as server,
            kit.client(resolve=stage.resolve, pool_limits=PoolLimits(connections_max=1)) as client,
        ):
            task = asyncio.create_task(whole(client, server, stage, kit.wait_s))
            await asyncio.wait_for(stage.reached.wait(), kit.wait_s)
            if name == "sending":
                await kit.until(lambda: any(connection._is_write_paused for connection in client._alive))
            for _ in range(20):
                await asyncio.sleep(0)
            stage.is_over = True
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            (counts,) = client.counts().values()
            assert (counts.open, counts.idle, counts.waiting) == (0, 0, 0)
            await kit.until(lambda: not client._alive)
            if name not in {"resolving", "sending"}:
                await asyncio.wait_for(stage.left.wait(), kit.wait_s)
            stage.left.set()
            assert await kit.ask(client, server) == b"clean"

    run(main())


def test_cancelling_during_a_handshake_closes_the_socket(kit: "Kit", run: "Run") -> None:
    """An upstream that accepts and then says nothing to the TLS greeting."""

    async def main() -> None:
        greeted, left = asyncio.Event(), asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.reader.read(1)
            greeted.set()
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, kit.client() as client:
            request = server.request()
            url = type(request.url)(scheme="https", host="localhost", port=server.port, target=b"/")
            task = asyncio.create_task(
                client.send(
                    type(request)(method=b"GET", url=url, headers=[]),
                    connect_s=kit.wait_s,
                    first_byte_s=kit.wait_s,
                )
            )
            await asyncio.wait_for(greeted.wait(), kit.wait_s)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(left.wait(), kit.wait_s)
            assert next(iter(client.counts().values())).open == 0

    run(main())


def test_cancelling_the_retry_gives_its_slot_back(kit: "Kit", run: "Run") -> None:
    """The slot of the stale connection, kept for the retry, is not lost with it."""

    async def main() -> None:
        hang, looking = asyncio.Event(), asyncio.Event()

        async def resolve(host: str) -> list[str]:
            if hang.is_set():
                looking.set()
                await asyncio.Event().wait()
            return ["127.0.0.1"]

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()
            await peer.request()

        async with kit.serve(script) as server, kit.client(resolve=resolve) as client:
            await kit.ask(client, server)
            hang.set()
            task = asyncio.create_task(kit.ask(client, server))
            await asyncio.wait_for(looking.wait(), kit.wait_s)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert next(iter(client.counts().values())).open == 0
            hang.clear()
            assert await kit.ask(client, server) == b"ok"

    run(main())


def test_a_cancelled_receive_loses_nothing(kit: "Kit", run: "Run") -> None:
    """The caller may wait again: what arrives meanwhile is kept."""

    async def main() -> None:
        go = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
            await go.wait()
            await peer.send(b"0123456789")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            for turns in range(5):
                task = asyncio.create_task(response.receive(idle_s=kit.wait_s))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            go.set()
            assert await response.read(10, idle_s=kit.wait_s) == b"0123456789"

    run(main())


def test_cancelling_while_data_arrives_loses_nothing(kit: "Kit", run: "Run") -> None:
    """Each turn of the loop in which a piece may just have arrived is a turn in which the caller may be cancelled."""

    async def main() -> None:
        expected = b"".join(b"%04d" % number for number in range(300))

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(expected))
            for start in range(0, len(expected), 4):
                await peer.send(expected[start : start + 4])
                await asyncio.sleep(0)
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            got = b""
            turns = 0
            while not response.at_end:
                task = asyncio.create_task(response.receive(idle_s=kit.wait_s))
                for _ in range(turns % 7):
                    await asyncio.sleep(0)
                turns += 1
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    got += await task or b""
            assert got == expected

    run(main())


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("chunks", [1, 5])
def test_cancelling_after_any_number_of_turns(kit: "Kit", run: "Run", is_tls: bool, chunks: int) -> None:
    """Brute force: cancelled in each turn of the loop from the first to the last, with a queue behind it."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            number = 0
            while True:
                await peer.request()
                await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                for _ in range(chunks):
                    await peer.send(b"4\r\n%04d\r\n" % number)
                    await asyncio.sleep(0)
                await peer.send(b"0\r\n\r\n")
                number += 1

        tls = kit.server_tls() if is_tls else None
        limits = PoolLimits(connections_max=2)
        async with kit.serve(script, tls=tls) as server, kit.client(pool_limits=limits) as client:

            async def turn(count: int) -> bool:
                """Three requests over two connections, the first two cancelled; True if they were done before."""
                tasks = [asyncio.create_task(kit.ask(client, server)) for _ in range(3)]
                for _ in range(count):
                    await asyncio.sleep(0)
                were_done = tasks[0].done() and tasks[1].done()
                tasks[0].cancel()
                tasks[1].cancel()
                await asyncio.wait(tasks)
                for task in tasks:
                    if not task.cancelled():
                        body = task.result()
                        assert len(body) == 4 * chunks
                        assert body == body[:4] * chunks
                assert not tasks[2].cancelled()
                (counts,) = client.counts().values()
                assert counts.waiting == 0
                assert counts.open == counts.idle <= 2
                return were_done

            count = 0
            while not await turn(count):
                count += 1
            assert count > 3
            await kit.until(lambda: len(client._alive) == next(iter(client.counts().values())).open)

    run(main())


def test_cancelling_in_the_queue_leaves_it(kit: "Kit", run: "Run") -> None:
    """The place is free, and those behind move up."""

    async def main() -> None:
        release = asyncio.Event()

        async def script(peer: "Peer") -> None:
            while True:
                await peer.request()
                await release.wait()
                await peer.answer()

        limits = PoolLimits(connections_max=1, waiting_max=2)
        async with kit.serve(script) as server, kit.client(pool_limits=limits) as client:
            tasks = [asyncio.create_task(kit.ask(client, server)) for _ in range(3)]

            def waiting(count: int) -> Callable[[], bool]:
                return lambda: sum(pool.waiting for pool in client.counts().values()) == count

            await kit.until(waiting(2))
            tasks[1].cancel()
            await kit.until(waiting(1))
            tasks.append(asyncio.create_task(kit.ask(client, server)))
            await kit.until(waiting(2))
            release.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(result) for result in results] == [bytes, asyncio.CancelledError, bytes, bytes]
            assert server.connections == 1

    run(main())
