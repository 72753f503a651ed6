"""Limits: how many connections, who waits for one, how long, and in which order."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.pool import PoolLimits
from application.upstream import UpstreamBusy, UpstreamConnectError, UpstreamTimeout

if TYPE_CHECKING:
    from adapters.upstream.client import UpstreamClient
    from adapters.upstream.pool import PoolCounts
    from tests.adapters.upstream.conftest import Kit, Peer, Run


def only(client: "UpstreamClient") -> "PoolCounts":
    (counts,) = client.counts().values()
    return counts


def test_connections_never_exceed_the_limit(kit: "Kit", run: "Run") -> None:
    """Fifty callers over three connections: all are served, and the upstream never sees a fourth."""

    async def main() -> None:
        most = 0

        async def script(peer: "Peer") -> None:
            nonlocal most
            while True:
                await peer.request()
                most = max(most, server.open)
                await peer.answer()

        limits = PoolLimits(connections_max=3)
        async with kit.serve(script) as server, kit.client(pool_limits=limits) as client:
            answers = await asyncio.gather(*[kit.ask(client, server) for _ in range(50)])
            assert answers == [b"ok"] * 50
            assert (most, server.connections) == (3, 3)

    run(main())


def test_who_waits_longest_is_served_first(kit: "Kit", run: "Run") -> None:
    """A newcomer does not overtake the queue."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            while True:
                await peer.request()
                await peer.answer()

        async with (
            kit.serve(script) as server,
            kit.client(pool_limits=PoolLimits(connections_max=1)) as client,
        ):
            order: list[int] = []

            async def ask(number: int) -> None:
                await kit.ask(client, server)
                order.append(number)

            tasks = [asyncio.create_task(ask(number)) for number in range(10)]
            await asyncio.gather(*tasks)
            assert order == list(range(10))

    run(main())


def test_waiting_has_a_deadline(kit: "Kit", run: "Run") -> None:
    """Who gets no connection in time is told so as a connect timeout, and leaves the queue."""

    async def main() -> None:
        release = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await release.wait()
            await peer.answer()

        async with (
            kit.serve(script) as server,
            kit.client(pool_limits=PoolLimits(connections_max=1)) as client,
        ):
            first = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: server.open == 1)
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(server.request(), connect_s=0.05, first_byte_s=kit.wait_s)
            assert caught.value.phase == "connect"
            assert (only(client).waiting, only(client).open) == (0, 1)
            release.set()
            assert await first == b"ok"

    run(main())


def test_the_queue_is_bounded(kit: "Kit", run: "Run") -> None:
    """One more than may wait is refused at once; the others are served."""

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
            await kit.until(lambda: server.open == 1 and only(client).waiting == 2)
            with pytest.raises(UpstreamBusy):
                await kit.ask(client, server)
            release.set()
            assert await asyncio.gather(*tasks) == [b"ok"] * 3
            assert server.connections == 1

    run(main())


def test_a_slot_that_comes_free_without_a_connection_goes_on(kit: "Kit", run: "Run") -> None:
    """Upstreams that close after each answer serve the queue as well: each waiter opens its own connection."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(extra=b"connection: close\r\n")

        limits = PoolLimits(connections_max=2)
        async with kit.serve(script) as server, kit.client(pool_limits=limits) as client:
            assert await asyncio.gather(*[kit.ask(client, server) for _ in range(20)]) == [b"ok"] * 20
            assert server.connections == 20
            assert only(client).open == 0

    run(main())


def test_failed_connections_give_their_slots_back(kit: "Kit", run: "Run") -> None:
    """After more refusals than slots the pool is as free as before."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()

        async with kit.serve(script) as server:
            pass  # Its port is now closed.
        async with kit.client(pool_limits=PoolLimits(connections_max=2)) as client:
            for _ in range(5):
                with pytest.raises(UpstreamConnectError) as caught:
                    await kit.ask(client, server)
                assert caught.value.reason == "unreachable"
            failures = await asyncio.gather(
                *[kit.ask(client, server) for _ in range(8)], return_exceptions=True
            )
            assert {type(failure) for failure in failures} == {UpstreamConnectError}
            assert only(client).open == only(client).waiting == 0

    run(main())


def test_a_connection_that_breaks_on_its_way_to_a_waiter_is_replaced(kit: "Kit", run: "Run") -> None:
    """Handed over and ended in the same turn of the loop: the waiter opens another in its place."""

    async def main() -> None:
        release = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await release.wait()
            await peer.answer(b"%d" % peer.number)
            await peer.gone()

        async with (
            kit.serve(script) as server,
            kit.client(pool_limits=PoolLimits(connections_max=1)) as client,
        ):
            response_task = asyncio.create_task(
                client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            )
            await kit.until(lambda: server.open == 1)
            waiting = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: only(client).waiting == 1)
            release.set()
            response = await response_task
            connection = response._connection
            assert connection is not None
            await response.aclose()  # Hands the connection over; the waiter has not run yet.
            connection.cut()
            assert await waiting == b"1"
            assert only(client).open == 1

    run(main())


@pytest.mark.parametrize("breaks", [False, True])
def test_what_a_leaving_waiter_was_given_goes_to_the_next(kit: "Kit", run: "Run", breaks: bool) -> None:
    """Cancelled in the very moment of the hand-over: neither the connection nor its slot is lost."""

    async def main() -> None:
        release = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            if peer.number == 0:
                await release.wait()
            while True:
                await peer.answer(b"%d" % peer.number)
                await peer.request()

        async with (
            kit.serve(script) as server,
            kit.client(pool_limits=PoolLimits(connections_max=1)) as client,
        ):
            first = asyncio.create_task(
                client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            )
            await kit.until(lambda: server.open == 1)
            leaving = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: only(client).waiting == 1)
            staying = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: only(client).waiting == 2)
            release.set()
            response = await first
            connection = response._connection
            assert connection is not None
            await response.aclose()
            if breaks:
                connection.cut()
            leaving.cancel()
            assert await staying == (b"1" if breaks else b"0")
            with pytest.raises(asyncio.CancelledError):
                await leaving
            assert only(client).open == 1

    run(main())
