"""What a call to an upstream costs: our client beside others, in one run, as CPU of the gateway process per request.

    python benchmarks/http_client.py [--rounds 5] [--requests 4000] [--clients none direct transport pyreqwest httpx]

A bare upstream, one gateway process per client (uvicorn, raw ASGI, uvloop, nothing but the relay) and a load generator with
64 kept-alive connections; the clients take turns within each round, and the median of the rounds is printed. `none` answers
without an upstream: the server's share. Clients that are not installed are left out.
"""

import argparse
import asyncio
import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httptools
import httpx
import uvicorn
import uvloop

from adapters.upstream.client import UpstreamClient
from adapters.upstream.httpx_transport import DirectTransport
from application.upstream import ParsedUrl, UpstreamRequest

HOST = "127.0.0.1"
CONNECTIONS = 64
JSON_BODY = b'{"id":"x","object":"chat.completion","choices":[{"message":{"content":"' + b"a" * 500 + b'"}}]}'
EVENT = b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"delta":{"content":"word "}}]}\n\n'
EVENTS = 50
SLOW_S = 0.01
REQUEST_BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"q" * 200 + b'"}]}'
SENT_HEADERS = [(b"authorization", b"Bearer " + b"k" * 40), (b"content-type", b"application/json")]
SCENARIOS = {"json": 1.0, "sse": 0.5, "slow": 0.1}
"""Path and its share of `--requests`."""

ANSWERS = {
    b"/json": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    % (len(JSON_BODY), JSON_BODY),
    b"/sse": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    + b"%x\r\n%s\r\n" % (len(EVENT), EVENT) * EVENTS
    + b"0\r\n\r\n",
}
SLOW_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers by path and does nothing else."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one by shape only
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.path = url

    def on_message_complete(self) -> None:
        answer = ANSWERS.get(self.path)
        if answer is not None:
            self.transport.write(answer)
        else:
            self.transport.write(SLOW_HEAD)
            self._drip(EVENTS)

    def _drip(self, left: int) -> None:
        if left:
            self.transport.write(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
            asyncio.get_running_loop().call_later(SLOW_S, self._drip, left - 1)
        else:
            self.transport.write(b"0\r\n\r\n")


Emit = Callable[[bytes], Awaitable[None]]
Relay = Callable[[str, bytes, Emit], Awaitable[bytes]]
"""Path, body and where the pieces of a stream go; the last of them (for JSON: all) is returned."""


def relay_none(_port: int) -> Relay:
    async def relay(path: str, _body: bytes, _emit: Emit) -> bytes:
        return JSON_BODY if path == "/json" else EVENT * EVENTS

    return relay


def relay_direct(port: int) -> Relay:
    client = UpstreamClient()
    urls = {
        f"/{name}": ParsedUrl(scheme="http", host=HOST, port=port, target=f"/{name}".encode())
        for name in SCENARIOS
    }

    async def relay(path: str, body: bytes, emit: Emit) -> bytes:
        request = UpstreamRequest(method=b"POST", url=urls[path], headers=SENT_HEADERS, body=body)
        response = await client.send(request, connect_s=5, first_byte_s=60)
        try:
            if path == "/json":
                return await response.read(1 << 20, idle_s=60)
            while True:
                data = await response.receive(idle_s=60) or b""
                if response.at_end:
                    return data
                await emit(data)
        finally:
            await response.aclose()

    return relay


def relay_transport(port: int) -> Relay:
    return _relay_httpx(DirectTransport().handle_async_request, port)


def relay_httpx(port: int) -> Relay:
    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=1000, max_keepalive_connections=1000))
    return _relay_httpx(lambda request: client.send(request, stream=True), port)


def _relay_httpx(send: Callable[[httpx.Request], Awaitable[httpx.Response]], port: int) -> Relay:
    urls = {f"/{name}": httpx.URL(f"http://{HOST}:{port}/{name}") for name in SCENARIOS}

    async def relay(path: str, body: bytes, emit: Emit) -> bytes:
        response = await send(httpx.Request("POST", urls[path], headers=SENT_HEADERS, content=body))
        try:
            if path == "/json":
                return await response.aread()
            async for data in response.aiter_raw():
                await emit(data)
            return b""
        finally:
            await response.aclose()

    return relay


def relay_pyreqwest(port: int) -> Relay:
    from pyreqwest.client import (  # type: ignore[import-not-found]  # noqa: PLC0415  # not a dependency
        ClientBuilder,
    )

    client = ClientBuilder().gzip(enable=False).follow_redirects(enable=False).build()
    headers = {name.decode(): value.decode() for name, value in SENT_HEADERS}

    async def relay(path: str, body: bytes, emit: Emit) -> bytes:
        builder = client.post(f"http://{HOST}:{port}{path}").headers(headers).body_bytes(body)
        if path == "/json":
            response = await builder.build().send()
            return bytes(await response.bytes())
        # Without this limit it holds a stream back until 64 KiB have come, and its `read` joins pieces only by waiting.
        async with builder.streamed_read_buffer_limit(0).build_streamed() as response:
            while (data := await response.body_reader.read_chunk()) is not None:
                await emit(bytes(data))
        return b""

    return relay


CLIENTS: dict[str, Callable[[int], Relay]] = {
    "none": relay_none,
    "direct": relay_direct,
    "transport": relay_transport,
    "pyreqwest": relay_pyreqwest,
    "httpx": relay_httpx,
}


def make_app(client: str, upstream_port: int) -> Callable[..., Awaitable[None]]:
    relay: Relay | None = None

    async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        nonlocal relay
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        if scope["path"] == "/cpu":
            await _answer(send, str(time.process_time_ns()).encode())
            return
        relay = relay or CLIENTS[client](upstream_port)
        if scope["path"] == "/json":
            await _answer(send, await relay("/json", body, _no_stream))
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )

        async def emit(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        last = await relay(scope["path"], body, emit)
        await send({"type": "http.response.body", "body": last})

    return app


async def _no_stream(_data: bytes) -> None:
    raise AssertionError("a JSON answer has no pieces")


async def _answer(send: Callable[..., Any], body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Caller(asyncio.Protocol):
    """One connection of the load generator: the next request as soon as the answer is complete."""

    transport: asyncio.Transport

    def __init__(self, request: bytes, budget: list[int], latencies: list[float]) -> None:
        self.request = request
        self.budget = budget
        self.latencies = latencies
        self.done = asyncio.get_running_loop().create_future()
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one by shape only
        self._next()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self.parser.get_status_code() == 200
        self.latencies.append(time.perf_counter() - self.begun)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the gateway closed a connection"))

    def _next(self) -> None:
        if self.budget[0] <= 0:
            self.done.set_result(None)
            self.transport.close()
            return
        self.budget[0] -= 1
        self.begun = time.perf_counter()
        self.transport.write(self.request)


async def load(port: int, path: str, requests: int, connections: int) -> list[float]:
    """Make `requests` requests; gives their latencies in seconds."""
    request = (
        b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        % (
            path.encode(),
            len(REQUEST_BODY),
            REQUEST_BODY,
        )
    )
    budget, latencies = [requests], list[float]()
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(lambda: Caller(request, budget, latencies), HOST, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*[caller.done for caller in callers])
    return latencies


def cpu_ns(port: int) -> int:
    return int(httpx.get(f"http://{HOST}:{port}/cpu", trust_env=False).text)


async def measure(port: int, scenario: str, requests: int) -> float:
    """CPU microseconds of the gateway per request."""
    await load(port, f"/{scenario}", CONNECTIONS, CONNECTIONS)
    before = await asyncio.to_thread(cpu_ns, port)
    await load(port, f"/{scenario}", requests, CONNECTIONS)
    return (await asyncio.to_thread(cpu_ns, port) - before) / requests / 1000


async def serve_upstream(listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, sock=listener)
    await server.serve_forever()


def serve(role: str, upstream_port: int) -> None:
    """Be the upstream or a gateway; prints the port that it listens on."""
    listener = socket.create_server((HOST, 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    if role == "upstream":
        uvloop.run(serve_upstream(listener))
        return
    config = uvicorn.Config(
        make_app(role, upstream_port),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[listener])


def start(role: str, upstream_port: int = 0) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", role, "--upstream-port", str(upstream_port)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


async def run(clients: list[str], rounds: int, requests: int) -> None:
    upstream, upstream_port = start("upstream")
    gateways = {client: start(client, upstream_port) for client in clients}
    try:
        figures: dict[tuple[str, str], list[float]] = {}
        latencies: dict[str, list[float]] = {client: [] for client in clients}
        for _ in range(rounds):
            for client, (_, port) in gateways.items():
                for scenario, share in SCENARIOS.items():
                    cost = await measure(port, scenario, int(requests * share))
                    figures.setdefault((client, scenario), []).append(cost)
                latencies[client] += await load(port, "/json", 500, 1)
        show(clients, figures, latencies)
    finally:
        for process in [upstream, *(process for process, _ in gateways.values())]:
            process.terminate()
            process.wait()


def show(
    clients: list[str], figures: dict[tuple[str, str], list[float]], latencies: dict[str, list[float]]
) -> None:
    """CPU per request, and in brackets the share above `none` as a ratio to `direct`'s."""
    print(f"{'client':12}" + "".join(f"{scenario:>20}" for scenario in SCENARIOS) + f"{'p50, 1 conn.':>16}")
    medians = {key: statistics.median(values) for key, values in figures.items()}
    for client in clients:
        row = f"{client:12}"
        for scenario in SCENARIOS:
            base = medians.get(("none", scenario), 0.0)
            own = medians.get(("direct", scenario), 0.0) - base
            ratio = (
                f" (x{(medians[client, scenario] - base) / own:.2f})" if own > 0 and client != "none" else ""
            )
            row += f"{f'{medians[client, scenario]:.1f} us{ratio}':>20}"
        print(row + f"{statistics.median(latencies[client]) * 1e6:>13.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--clients", nargs="+", choices=list(CLIENTS), default=list(CLIENTS))
    parser.add_argument("--serve", choices=["upstream", *CLIENTS], help=argparse.SUPPRESS)
    parser.add_argument("--upstream-port", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.upstream_port)
        return
    has_pyreqwest = importlib.util.find_spec("pyreqwest") is not None
    clients = [client for client in options.clients if client != "pyreqwest" or has_pyreqwest]
    uvloop.run(run(clients, options.rounds, options.requests))


if __name__ == "__main__":
    main()
