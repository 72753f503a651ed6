"""A provider that misbehaves as told: a raw TCP server, for below the seam where HTTP libraries are polite.

The prompt names the fault: `[[fault NAME]]`. Under the path `/good` every request gets a sound answer.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from tests.matrix.answers import Good, Kind, good

POISON: Final = "poison-7f3a"  #: in headers of every answer: none of it is for clients
MARK: Final = re.compile(rb"\[\[fault ([a-z0-9_]+)\]\]")
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("/chat/completions", "chat"),
    ("/responses", "responses"),
    ("/messages", "messages"),
    (":generateContent", "gemini"),
    (":streamGenerateContent", "gemini"),
)
_POISONED: Final = (
    f"set-cookie: session={POISON}\r\nserver: {POISON}\r\nx-inside: {POISON}\r\nlocation: http://{POISON}/\r\n"
    f"openai-organization: {POISON}\r\nstrict-transport-security: max-age=1\r\naccess-control-allow-origin: *\r\n"
).encode()


class Wire:
    """One request that was read, and the connection to misbehave on."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, head: bytes, body: bytes
    ) -> None:
        path = head.split(b" ", 2)[1].decode()
        self.kind = next(kind for end, kind in _KINDS if path.partition("?")[0].endswith(end))
        self.stream = "stream" in path or b'"stream":true' in body.replace(b" ", b"")
        self.good: Good = good(self.kind)
        self.secret = _secret_of(head)
        self._reader = reader
        self._writer = writer

    @property
    def sound(self) -> bytes:
        """All of a sound answer's body."""
        return b"".join(self.good.events) if self.stream else self.good.body

    @property
    def some(self) -> bytes:
        """A part of a sound answer's body; of a stream, whole events that say something."""
        if self.stream:
            return b"".join(self.good.events[: self.good.begun])
        return self.good.body[: len(self.good.body) // 2]

    @property
    def most(self) -> bytes:
        """All of a sound answer's body but its end."""
        if self.stream:
            return b"".join(self.good.events[: self.good.ending])
        return self.good.body[:-1]

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def head(self, *fields: str, status: int = 200, stream: bool | None = None) -> bytes:
        """A head with the content type of what was asked for."""
        is_stream = self.stream if stream is None else stream
        kind = "text/event-stream" if is_stream else "application/json"
        own = "" if any(field.lower().startswith("content-type") for field in fields) else kind
        lines = [f"content-type: {own}"] if own else []
        text = "".join(f"{line}\r\n" for line in (*lines, *fields) if line != "content-type:")
        return f"HTTP/1.1 {status} Said\r\n{text}".encode() + _POISONED + b"\r\n"

    async def whole(
        self, body: bytes, *fields: str, status: int = 200, stream: bool | None = None, length: bool = True
    ) -> None:
        """A well framed answer."""
        framed = (f"content-length: {len(body)}",) if length else ()
        await self.send(self.head(*framed, *fields, status=status, stream=stream) + body)

    async def chunked(self, *pieces: bytes, end: bool = True) -> None:
        """A head and chunks; each piece is one."""
        await self.send(self.head("transfer-encoding: chunked") + b"".join(map(chunk, pieces)))
        if end:
            await self.send(b"0\r\n\r\n")

    async def hang(self) -> None:
        """Say nothing until the other side closes."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65_536):
                pass

    async def pause(self) -> None:
        """Let some time pass, unless the other side closes meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                if not await self._reader.read(65_536):
                    raise ConnectionResetError

    async def endless(self, block: bytes) -> None:
        """Send the block for ever; ends when the other side has closed."""
        while True:
            await self.send(block)

    def reset(self) -> None:
        """Close by RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Play = Callable[[Wire], Awaitable[None]]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


async def sound(wire: Wire) -> None:
    """Answer as one should."""
    await (wire.chunked(*wire.good.events) if wire.stream else wire.whole(wire.good.body))


class FaultyUpstream:
    """Serves `plays` by name; counts what is open, so that a test sees what was left."""

    def __init__(self, plays: Mapping[str, Play]) -> None:
        self.port = 0
        self.open = 0
        self.requests = 0
        self.mistakes: list[str] = []  #: of this server: a fault that could not be played as it is written
        self._plays = plays
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield
            for writer in self._serving.values():
                writer.transport.abort()
            await asyncio.gather(*self._serving)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # kept no longer, or cut by the other side
        finally:
            self.open -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = await reader.readexactly(int(fields[b"content-length"]))
        self.requests += 1
        wire = Wire(reader, writer, head=head, body=body)
        if head.split(b" ", 2)[1].startswith(b"/good/"):
            await sound(wire)
            return True
        found = MARK.search(body)
        play = self._plays.get(found[1].decode()) if found is not None else None
        if play is None:
            self.mistakes.append(f"a request without a fault: {body[-200:]!r}")
            return False
        try:
            await play(wire)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # noqa: BLE001  told to the test, which fails by it
            self.mistakes.append(f"{found[1].decode() if found else ''}: {error!r}")
        return False


def _secret_of(head: bytes) -> str:
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() in ("authorization", "x-api-key", "x-goog-api-key"):
            return value.removeprefix("Bearer ")
    return ""
