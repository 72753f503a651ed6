"""The client behind httpx's seam: called directly, and below `httpx.AsyncClient`."""

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.upstream.client import UpstreamClient
from adapters.upstream.httpx_transport import DirectTransport
from adapters.upstream.pool import PoolLimits

if TYPE_CHECKING:
    from tests.adapters.upstream.conftest import Kit, Peer, Run


async def echo(peer: "Peer") -> None:
    """Answer with the request as it came."""
    while True:
        head, body = await peer.request()
        await peer.answer(head + b"\r\n\r\n" + body, extra=b"content-type: text/plain\r\n")


def test_called_directly_it_passes_the_request_on(kit: "Kit", run: "Run") -> None:
    """Headers that httpx adds for the connection are replaced by ours, once each; the answer streams."""

    async def main() -> None:
        async with kit.serve(echo) as server, DirectTransport() as transport:
            request = httpx.Request(
                "POST", f"http://127.0.0.1:{server.port}/v1/x?a=b", headers={"x-a": "1"}, json={"b": 2}
            )
            response = await transport.handle_async_request(request)
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/plain"
            text = (await response.aread()).decode()
            lines = text.split("\r\n")
            assert lines[0] == "POST /v1/x?a=b HTTP/1.1"
            assert text.lower().count("content-length") == text.lower().count("host:") == 1
            assert "x-a: 1" in lines
            assert lines[-1] == '{"b":2}'

    run(main())


def test_below_a_client_it_serves_ordinary_calls(kit: "Kit", run: "Run") -> None:
    """JSON and streams, on one kept-alive connection."""

    async def main() -> None:
        async with kit.serve(echo) as server, httpx.AsyncClient(transport=DirectTransport()) as client:
            url = f"http://127.0.0.1:{server.port}/"
            assert (await client.get(url)).text.startswith("GET / HTTP/1.1")
            async with client.stream("POST", url, content=b"x" * 100_000) as response:
                body = b"".join([piece async for piece in response.aiter_raw()])
            assert body.endswith(b"x" * 100_000)
            assert server.connections == 1

    run(main())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"garbage\r\n\r\n", httpx.RemoteProtocolError),
        (b"", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", httpx.RemoteProtocolError),
    ],
)
def test_failures_become_httpx_errors(
    kit: "Kit", run: "Run", answer: bytes, expected: type[httpx.TransportError]
) -> None:
    """Also those that appear only while the body is read."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(answer)

        async with kit.serve(script) as server, httpx.AsyncClient(transport=DirectTransport()) as client:
            with pytest.raises(expected) as caught:
                await client.get(f"http://127.0.0.1:{server.port}/")
            assert type(caught.value) is expected
            assert str(caught.value).startswith("upstream_")

    run(main())


def test_timeouts_become_httpx_timeouts(kit: "Kit", run: "Run") -> None:
    """`connect` while waiting for a connection, `read` while waiting for the head and between pieces."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            head, _ = await peer.request()
            if b"/body" in head:
                await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhi")
            await peer.gone()

        limits = PoolLimits(connections_max=1)
        async with (
            kit.serve(script) as server,
            httpx.AsyncClient(transport=DirectTransport(UpstreamClient(pool_limits=limits))) as client,
        ):
            url = f"http://127.0.0.1:{server.port}"
            for path in ("/head", "/body"):
                with pytest.raises(httpx.ReadTimeout):
                    await client.get(url + path, timeout=httpx.Timeout(kit.wait_s, read=0.05))
            slow = asyncio.create_task(client.get(url, timeout=kit.wait_s))
            await kit.until(lambda: server.connections == 3)
            with pytest.raises(httpx.ConnectTimeout):
                await client.get(url, timeout=httpx.Timeout(kit.wait_s, connect=0.05))
            slow.cancel()
            await asyncio.wait([slow])

    run(main())


def test_what_cannot_be_sent_is_refused_before_connecting(kit: "Kit", run: "Run") -> None:
    """A header with a line end, another scheme, a closed port."""

    async def main() -> None:
        async with kit.serve(echo) as server:
            async with DirectTransport() as transport:
                url = f"http://127.0.0.1:{server.port}/"
                for request, expected in (
                    (httpx.Request("GET", url, headers={"x": "a\r\nb: c"}), httpx.LocalProtocolError),
                    (httpx.Request("GET", "ftp://127.0.0.1/"), httpx.UnsupportedProtocol),
                    (httpx.Request("GET", "http://name.invalid/"), httpx.ConnectError),
                ):
                    with pytest.raises(expected):
                        await transport.handle_async_request(request)
            assert server.connections == 0

    run(main())


def test_leaving_a_stream_early_cuts_the_connection(kit: "Kit", run: "Run") -> None:
    """The upstream can stop working."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhi")
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, httpx.AsyncClient(transport=DirectTransport()) as client:
            async with client.stream("GET", f"http://127.0.0.1:{server.port}/") as response:
                assert response.status_code == 200
            await asyncio.wait_for(left.wait(), kit.wait_s)

    run(main())
