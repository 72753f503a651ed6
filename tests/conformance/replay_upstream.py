"""A provider that answers with recorded bytes: a TCP server that cuts them at random places.

A request names its exchange in the member `x_replay`, which the gateway knows nothing of and passes on where it passes
bytes; in one that it translates, the prompt says `[[replay NAME]]`.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

NAME = "x_replay"
_MARK = re.compile(rb"\[\[replay ([^]]+)\]\]")
_CONTINUED = re.compile(rb"[\x80-\xbf]")  #: a byte within a UTF-8 character


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered to one request."""

    status: int
    body: bytes
    stream: bool


class Cuts:
    """Counts what the test is about, so that a run without hard cuts can be told from one with them."""

    def __init__(self) -> None:
        self.pieces = 0
        self.single_bytes = 0
        self.within_characters = 0

    def of(self, body: bytes, dice: random.Random) -> Iterator[bytes]:
        """`body` in pieces of 1 to 900 bytes, most of them small."""
        start = 0
        while start < len(body):
            size = dice.choice((1, 2, 3, dice.randint(1, 60), dice.randint(1, 900), dice.randint(1, 900)))
            within = _CONTINUED.search(body, start + 1, start + size)
            if within is not None and dice.random() < 0.5:
                size = within.start() - start
            piece = body[start : start + size]
            start += size
            self.pieces += 1
            self.single_bytes += len(piece) == 1
            self.within_characters += _CONTINUED.match(body, start) is not None
            yield piece


class ReplayUpstream:
    """Serves `replies` and keeps what was asked and under which path, all by name."""

    @property
    def base_url(self) -> str:
        """As the OpenAI dialect has it."""
        return f"{self.origin}/v1"

    def __init__(self, replies: dict[str, Reply], *, seed: int) -> None:
        self.asked: dict[str, list[dict[str, Any]]] = {}
        self.paths: dict[str, str] = {}
        self.cuts = Cuts()
        self.origin = ""
        self._replies = replies
        self._seed = seed
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield
            for writer in self._serving.values():
                writer.close()
            await asyncio.gather(*self._serving)  # each ends once it reads the end

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a connection that is kept no longer
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = await reader.readexactly(int(fields[b"content-length"]))
        request: dict[str, Any] = json.loads(body)
        name = request.pop(NAME, None) or _marked(body)
        self.paths[name] = head.split(b" ", 2)[1].decode()
        self.asked.setdefault(name, []).append(request)
        reply = self._replies[name]
        dice = random.Random(f"{self._seed}{name}")
        framing = dice.choice(("chunked", "chunked", "length", "close"))
        writer.write(_head(reply, framing))
        for piece in self.cuts.of(reply.body, dice):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if framing == "chunked" else piece)
            if dice.random() < 0.2:
                await writer.drain()
                await asyncio.sleep(0)  # lets others send in between, so that pieces arrive apart
        if framing == "chunked":
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return framing != "close"


def _marked(body: bytes) -> str:
    found = _MARK.search(body)
    assert found is not None, "a request without its exchange's name"
    return found[1].decode()


def _head(reply: Reply, framing: str) -> bytes:
    kind = b"text/event-stream" if reply.stream else b"application/json"
    framed = {
        "chunked": b"transfer-encoding: chunked",
        "length": b"content-length: %d" % len(reply.body),
        "close": b"connection: close",
    }[framing]
    return b"HTTP/1.1 %d Recorded\r\ncontent-type: %b\r\n%b\r\n\r\n" % (reply.status, kind, framed)
