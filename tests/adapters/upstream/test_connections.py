"""The life of connections: reuse, the one retry, ends noticed early, and requests that are answered too soon."""

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.connection import WRITE_BYTES
from adapters.upstream.pool import PoolLimits
from application.upstream import (
    UpstreamClosed,
    UpstreamConnectError,
    UpstreamRequest,
    UpstreamRequestRefused,
    parse_url,
)

if TYPE_CHECKING:
    from adapters.upstream.client import UpstreamClient
    from adapters.upstream.pool import PoolCounts
    from tests.adapters.upstream.conftest import Kit, Peer, Run

LARGE = 8 * 1024 * 1024  #: more than the sockets' buffers on both sides take


def only(client: "UpstreamClient") -> "PoolCounts":
    """The counts of the one origin that the test uses."""
    (counts,) = client.counts().values()
    return counts


async def echo(peer: "Peer") -> None:
    """Answer every request with the number of its connection."""
    while True:
        await peer.request()
        await peer.answer(b"%d" % peer.number)


def test_a_connection_is_used_again(kit: "Kit", run: "Run") -> None:
    """Many requests one after the other need one connection."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client() as client:
            for _ in range(20):
                assert await kit.ask(client, server) == b"0"
            assert only(client).open == only(client).idle == 1

    run(main())


def test_the_request_arrives_as_written(kit: "Kit", run: "Run") -> None:
    """Head and body are exactly those given, small and large."""

    async def main() -> None:
        seen: list[tuple[bytes, bytes]] = []

        async def script(peer: "Peer") -> None:
            while True:
                seen.append(await peer.request())
                await peer.answer()

        async with kit.serve(script) as server, kit.client() as client:
            bodies = [
                b"",
                b"x",
                b"y" * WRITE_BYTES,
                b"z" * (WRITE_BYTES + 1),
                bytes(range(256)) * (LARGE // 256),
            ]
            for body in bodies:
                response = await client.send(
                    server.request(body), connect_s=kit.wait_s, first_byte_s=kit.wait_s
                )
                await response.aclose()
                await kit.until(lambda: only(client).idle == 1)
            assert [body for _, body in seen] == bodies
            assert seen[1][0].split(b"\r\n") == [
                b"POST /v1/chat/completions HTTP/1.1",
                b"host: localhost:%d" % server.port,
                b"x-test: 1",
                b"accept-encoding: identity",
                b"content-length: 1",
            ]
            assert server.connections == 1

    run(main())


@pytest.mark.parametrize("ends", ["close", "reset"])
def test_a_stale_connection_is_retried_once(kit: "Kit", run: "Run", ends: str) -> None:
    """A kept-alive connection that ends instead of answering costs nothing: the request is sent again on a new one."""

    async def main() -> None:
        requests = 0

        async def script(peer: "Peer") -> None:
            nonlocal requests
            await peer.request()
            requests += 1
            await peer.answer(b"%d" % peer.number)
            await peer.request()
            requests += 1
            if ends == "reset":
                peer.reset()

        async with kit.serve(script) as server, kit.client() as client:
            assert await kit.ask(client, server) == b"0"
            assert await kit.ask(client, server) == b"1"
            assert (server.connections, requests) == (2, 3)
            assert only(client).open == 1

    run(main())


def test_a_new_connection_that_ends_is_not_retried(kit: "Kit", run: "Run") -> None:
    """The upstream may have processed the request; only the caller can decide to send it again."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamClosed):
                await kit.ask(client, server)
            assert server.connections == 1
            assert only(client).open == 0

    run(main())


def test_the_retry_itself_is_not_retried(kit: "Kit", run: "Run") -> None:
    """An upstream that takes every request and answers none gets a request twice, never three times."""

    async def main() -> None:
        requests = 0

        async def script(peer: "Peer") -> None:
            nonlocal requests
            await peer.request()
            requests += 1
            if peer.number == 0:
                await peer.answer()
                await peer.request()
                requests += 1

        async with kit.serve(script) as server, kit.client() as client:
            await kit.ask(client, server)
            with pytest.raises(UpstreamClosed):
                await kit.ask(client, server)
            assert (server.connections, requests) == (2, 3)

    run(main())


@pytest.mark.parametrize("first", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_one_byte_of_an_answer_forbids_the_retry(kit: "Kit", run: "Run", first: bytes) -> None:
    """Also an interim answer is an answer: the upstream has begun."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()
            await peer.request()
            await peer.send(first)

        async with kit.serve(script) as server, kit.client() as client:
            await kit.ask(client, server)
            with pytest.raises(UpstreamClosed):
                await kit.ask(client, server)
            assert server.connections == 1

    run(main())


def test_the_retry_needs_no_second_slot(kit: "Kit", run: "Run") -> None:
    """At the limit of connections, with others waiting, the retry takes the place of the connection that ended."""

    async def main() -> None:
        ends = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"%d" % peer.number)
            if peer.number == 0:
                await peer.request()
                await ends.wait()
                return
            while True:
                await peer.request()
                await peer.answer(b"%d" % peer.number)

        limits = PoolLimits(connections_max=1)
        async with kit.serve(script) as server, kit.client(pool_limits=limits) as client:
            assert await kit.ask(client, server) == b"0"
            tasks = [asyncio.create_task(kit.ask(client, server)) for _ in range(5)]
            await kit.until(lambda: only(client).waiting == 4)
            ends.set()
            assert await asyncio.gather(*tasks) == [b"1"] * 5
            assert server.connections == 2

    run(main())


@pytest.mark.parametrize("ends", ["close", "reset"])
def test_the_end_of_an_idle_connection_is_noticed_at_once(kit: "Kit", run: "Run", ends: str) -> None:
    """It leaves the pool when it ends, not when someone wants to use it."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()
            if ends == "reset":
                peer.reset()

        async with kit.serve(script) as server, kit.client() as client:
            for _ in range(3):
                await kit.ask(client, server)
                await kit.until(lambda: only(client).open == 0)

    run(main())


def test_an_idle_connection_is_closed_by_us_first(kit: "Kit", run: "Run") -> None:
    """After its idle time, without any further request."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, kit.client(pool_limits=PoolLimits(idle_s=0.05)) as client:
            await kit.ask(client, server)
            await asyncio.wait_for(left.wait(), kit.wait_s)
            await kit.until(lambda: only(client).open == 0)

    run(main())


def test_an_expired_connection_is_not_used(kit: "Kit", run: "Run") -> None:
    """Also when the loop was too busy to close it in time."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client(pool_limits=PoolLimits(idle_s=0.0)) as client:
            assert await kit.ask(client, server) == b"0"
            assert await kit.ask(client, server) == b"1"

    run(main())


def test_only_so_many_connections_stay_idle(kit: "Kit", run: "Run") -> None:
    """The rest is closed when it comes free."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client(pool_limits=PoolLimits(idle_max=2)) as client:
            await asyncio.gather(*[kit.ask(client, server) for _ in range(6)])
            assert only(client).idle <= 2
            assert only(client).open == only(client).idle
            await kit.until(lambda: server.open <= 2)

    run(main())


def test_a_half_closed_connection_still_answers(kit: "Kit", run: "Run") -> None:
    """An upstream that ends its side after a complete answer was heard in full; it is not asked again."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"%d" % peer.number)
            peer.writer.write_eof()
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            for number in range(3):
                assert await kit.ask(client, server) == b"%d" % number

    run(main())


def test_a_half_closed_connection_without_an_answer_is_lost(kit: "Kit", run: "Run") -> None:
    """Nothing can come any more, so nothing is waited for."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            peer.writer.write_eof()
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamClosed):
                await kit.ask(client, server)

    run(main())


@pytest.mark.parametrize("framing", ["length", "end"])
def test_an_answer_before_the_request_was_sent_stops_the_sending(
    kit: "Kit", run: "Run", framing: str
) -> None:
    """The refusal of a large body is read at once, the rest of the body is not sent, the connection not used again."""

    async def main() -> None:
        got = 0

        async def script(peer: "Peer") -> None:
            nonlocal got
            if peer.number > 0:
                await echo(peer)
            await peer.reader.readuntil(b"\r\n\r\n")
            length = b"content-length: 8\r\n" if framing == "length" else b""
            await peer.send(b"HTTP/1.1 413 Too Large\r\n" + length + b"\r\n")
            await peer.send(b"too much")
            if framing == "end":
                peer.writer.write_eof()
            while data := await peer.reader.read(65536):
                got += len(data)

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(
                server.request(b"x" * LARGE), connect_s=kit.wait_s, first_byte_s=kit.wait_s
            )
            assert response.status == 413
            assert await response.read(100, idle_s=kit.wait_s) == b"too much"
            assert await kit.ask(client, server) == b"1"
            await kit.until(lambda: server.open == 1)
            assert got < LARGE

    run(main())


def test_a_request_that_is_still_on_its_way_out_ends_the_connection(kit: "Kit", run: "Run") -> None:
    """Answered while its rest waits in our write buffer: what is left would be read as the next request's beginning."""

    async def main() -> None:
        stuck = asyncio.Event()

        async def script(peer: "Peer") -> None:
            if peer.number > 0:
                await echo(peer)
            await peer.request()
            raw = peer.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a full transport
            await peer.answer()
            await stuck.wait()
            await peer.answer(b"early")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            await kit.ask(client, server)
            (connection,) = client._alive
            transport = connection._transport
            assert transport is not None
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
            body = b"x" * WRITE_BYTES
            sending = asyncio.create_task(
                client.send(server.request(body), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            )
            for _ in range(20):
                await asyncio.sleep(0)
            assert transport.get_write_buffer_size() > 0
            stuck.set()
            response = await sending
            assert await response.read(10, idle_s=kit.wait_s) == b"early"
            assert await kit.ask(client, server) == b"1"

    run(main())


def test_a_request_that_was_not_sent_whole_ends_the_connection(kit: "Kit", run: "Run") -> None:
    """Also when all that was written has been taken meanwhile, and the early answer was complete."""

    async def main() -> None:
        taken = asyncio.Event()

        async def script(peer: "Peer") -> None:
            if peer.number > 0:
                await echo(peer)
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 8\r\n\r\ntoo ")
            reading = asyncio.create_task(peer.gone())
            await taken.wait()
            await peer.send(b"much")
            await reading

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(
                server.request(b"x" * LARGE), connect_s=kit.wait_s, first_byte_s=kit.wait_s
            )
            (connection,) = client._alive
            transport = connection._transport
            assert transport is not None
            await kit.until(lambda: transport.get_write_buffer_size() == 0)
            taken.set()
            assert await response.read(100, idle_s=kit.wait_s) == b"too much"
            assert await kit.ask(client, server) == b"1"

    run(main())


def test_an_interim_answer_does_not_stop_the_sending(kit: "Kit", run: "Run") -> None:
    """100 Continue in front of a large body: it is sent whole."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            head = await peer.reader.readuntil(b"\r\n\r\n")
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert b"content-length: %d" % LARGE in head
            await peer.reader.readexactly(LARGE)
            await peer.answer(b"%d" % peer.number)
            await echo(peer)

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(
                server.request(b"x" * LARGE), connect_s=kit.wait_s, first_byte_s=kit.wait_s
            )
            assert await response.read(100, idle_s=kit.wait_s) == b"0"
            assert await kit.ask(client, server) == b"0"

    run(main())


def test_an_upstream_that_ends_while_we_send(kit: "Kit", run: "Run") -> None:
    """A large body meets a closed connection: an error, not a hang, and not a retry on a new connection."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.reset()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamClosed):
                await client.send(server.request(b"x" * LARGE), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert (server.connections, only(client).open) == (1, 0)

    run(main())


def test_closing_gives_a_connection_with_an_incomplete_answer_up(kit: "Kit", run: "Run") -> None:
    """The upstream sees the end of the connection, so it can stop working; closing twice is harmless."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            if peer.number > 0:
                await peer.answer()
            else:
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
                await peer.gone()
                left.set()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            await response.aclose()
            await response.aclose()
            await asyncio.wait_for(left.wait(), kit.wait_s)
            with pytest.raises(UpstreamClosed):
                await response.receive(idle_s=kit.wait_s)
            assert await kit.ask(client, server) == b"ok"

    run(main())


def test_closing_keeps_a_connection_whose_answer_is_complete(kit: "Kit", run: "Run") -> None:
    """An error whose body nobody wants to read costs no connection, and its body is not found in the next answer."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            await response.aclose()
            assert await kit.ask(client, server) == b"0"

    run(main())


def test_a_dropped_response_leaks_no_connection(kit: "Kit", run: "Run") -> None:
    """Who forgets to close is told so; the connection is cut, the slot comes free."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert only(client).open == 1
            with pytest.warns(ResourceWarning, match="dropped"):
                del response
            assert only(client).open == 0
            await kit.until(lambda: server.open == 0)

    run(main())


def test_closing_the_client_ends_everything(kit: "Kit", run: "Run") -> None:
    """Who reads, who waits for an answer and who waits for a connection all hear of it; then nothing is sent."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            if peer.number == 0:
                await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.gone()

        limits = PoolLimits(connections_max=2)
        async with kit.serve(script) as server, kit.client(pool_limits=limits) as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            reading = asyncio.create_task(response.receive(idle_s=kit.wait_s))
            asking = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: server.open == 2)
            waiting = asyncio.create_task(kit.ask(client, server))
            await kit.until(lambda: only(client).waiting == 1)
            await client.aclose()
            results = await asyncio.gather(reading, asking, waiting, return_exceptions=True)
            assert [type(result) for result in results] == [
                UpstreamClosed,
                UpstreamClosed,
                UpstreamConnectError,
            ]
            with pytest.raises(UpstreamConnectError):
                await kit.ask(client, server)
            assert server.connections == 2
            await kit.until(lambda: server.open == 0)

    run(main())


def test_origins_do_not_share_connections(kit: "Kit", run: "Run") -> None:
    """Neither does a name share those of another, although both lead to the same address."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client() as client:

            async def ask(host: str) -> bytes:
                request = UpstreamRequest(
                    method=b"POST", url=parse_url(f"http://{host}:{server.port}/"), headers=[], body=b""
                )
                response = await client.send(request, connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                return await response.read(10, idle_s=kit.wait_s)

            assert [await ask(host) for host in ("a.example", "b.example", "a.example")] == [b"0", b"1", b"0"]

    run(main())


def test_an_unsendable_request_opens_nothing(kit: "Kit", run: "Run") -> None:
    """A header that would split the request is refused before a connection is asked for."""

    async def main() -> None:
        async with kit.serve(echo) as server, kit.client() as client:
            request = UpstreamRequest(
                method=b"POST", url=server.url(), headers=[(b"x", b"1\r\nevil: 1")], body=b""
            )
            with pytest.raises(UpstreamRequestRefused):
                await client.send(request, connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert server.connections == 0
            assert only(client).open == 0

    run(main())


def test_redirects_are_not_followed(kit: "Kit", run: "Run") -> None:
    """The caller gets the redirect; its target is never asked."""

    async def main() -> None:
        async def inside(peer: "Peer") -> None:
            raise AssertionError("the target of a redirect was asked")

        async with kit.serve(inside) as target:

            async def script(peer: "Peer") -> None:
                await peer.request()
                await peer.send(
                    b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n"
                    % target.port
                )
                await peer.gone()

            async with kit.serve(script) as server, kit.client() as client:
                response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                assert response.status == 302
                await response.aclose()
                assert target.connections == 0

    run(main())


def test_many_origins_do_not_pile_up(kit: "Kit", run: "Run") -> None:
    """What is remembered of upstreams that are no longer called is bounded."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(extra=b"connection: close\r\n")

        async with kit.serve(script) as server, kit.client() as client:
            for number in range(300):
                url = parse_url(f"http://h{number}.example:{server.port}/")
                request = UpstreamRequest(method=b"GET", url=url, headers=[])
                response = await client.send(request, connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                assert await response.read(10, idle_s=kit.wait_s) == b"ok"
            assert len(client.counts()) <= 256

    run(main())


def test_stale_connections_under_load_never_fail_a_request(kit: "Kit", run: "Run") -> None:
    """An upstream that ends every connection right after an answer, from 8 callers: each request gets an answer."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            for _ in range(1 + peer.number % 3):
                await peer.request()
                await peer.answer()
            # The answer promised to stay; now it ends, whatever is on its way.

        async with kit.serve(script) as server, kit.client() as client:

            async def caller() -> None:
                for _ in range(40):
                    assert await kit.ask(client, server) == b"ok"

            await asyncio.gather(*[caller() for _ in range(8)])

    run(main())
