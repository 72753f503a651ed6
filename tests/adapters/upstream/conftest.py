"""A scripted upstream on a real socket, and both event loops for every test that takes `run`."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Self

import pytest
import trustme
import uvloop

from adapters.upstream.client import UpstreamClient
from adapters.upstream.tls import make_tls_context
from application.upstream import ParsedUrl, UpstreamRequest

WAIT_S = 30.0  #: how long anything that must happen may take on a busy machine


class Peer:
    """The upstream's end of one connection. `number` counts connections from 0."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> tuple[bytes, bytes]:
        """Read one request: its head without the empty line, and its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4]
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name == b"content-length":
                return head, await self.reader.readexactly(int(value))
        return head, b""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", *, extra: bytes = b"") -> None:
        await self.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s" % (len(body), extra, body))

    async def gone(self) -> None:
        """Until the client has ended the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """End by RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class Scripted:
    """A server that runs `script` for each connection and closes it afterwards. A failing script fails the test."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "localhost") -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []
        self.connections = 0
        self.open = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: object, *rest: object) -> None:
        self._server.close()
        await self._server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if kind is None and self._failures:
            raise self._failures[0]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(reader, writer, self.connections)
        self.connections += 1
        self.open += 1
        try:
            await self._script(peer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The client left, or the test is over.
        except Exception as error:  # noqa: BLE001  # given to the test by __aexit__
            self._failures.append(error)
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    def url(self, target: bytes = b"/v1/chat/completions") -> ParsedUrl:
        return ParsedUrl(
            scheme="https" if self._tls else "http", host=self._host, port=self.port, target=target
        )

    def request(self, body: bytes = b"{}", *, method: bytes = b"POST") -> UpstreamRequest:
        return UpstreamRequest(method=method, url=self.url(), headers=[(b"x-test", b"1")], body=body)


async def to_loopback(host: str) -> list[str]:
    """The resolver of these tests: every name is this machine."""
    assert host
    return ["127.0.0.1"]


class Kit:
    """What a test of the client needs, in one place."""

    peer = Peer
    wait_s = WAIT_S

    def __init__(self, authority: trustme.CA) -> None:
        self.authority = authority

    def serve(self, script: Script, *, tls: ssl.SSLContext | None = None) -> Scripted:
        return Scripted(script, tls=tls)

    def server_tls(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*(names or ("localhost",))).configure_cert(context)
        return context

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[UpstreamClient]:
        """A client that trusts the test authority; at the end, nothing of it may be left open."""
        if "tls" not in options:
            options["tls"] = make_tls_context()
            self.authority.configure_trust(options["tls"])
        client = UpstreamClient(**{"resolve": to_loopback, **options})
        try:
            yield client
        finally:
            await asyncio.wait_for(client.aclose(), WAIT_S)

    async def ask(self, client: UpstreamClient, server: Scripted, *, method: bytes = b"POST") -> bytes:
        """One whole exchange."""
        response = await client.send(server.request(method=method), connect_s=WAIT_S, first_byte_s=WAIT_S)
        return await response.read(1 << 20, idle_s=WAIT_S)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until `condition` holds."""
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110  # conditions of the code under test have no event
                await asyncio.sleep(0)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def kit(authority: trustme.CA) -> Kit:
    return Kit(authority)


Run = Callable[[Coroutine[Any, Any, None]], None]


def _runner(factory: Callable[[], asyncio.AbstractEventLoop]) -> Run:
    def run_on(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(main, 120))

    return run_on


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on the loop of production, and on the standard one."""
    return _runner(uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop)


@pytest.fixture
def run_uvloop() -> Run:
    """For what only the loop of production can do."""
    return _runner(uvloop.new_event_loop)
