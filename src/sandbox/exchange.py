"""The slow way out: one answer sent step by step, with delays, back pressure and every means to misbehave.

Owns the account of what went out (`status`, `tokens_sent`, `reported`, `complete`, and whether the sandbox `worked` for
it or refused), from which the journal is written.
"""

import asyncio
import socket
import struct
from typing import Any, Final, Protocol

from sandbox.messages import LAST_FRAME, Headers, Request, frame, head

HANG_MS: Final = 600_000
_FLUSH_TURNS_MAX: Final = 2_000


class Gone(Exception):
    """The peer has left or the connection was cut; nothing more can be sent."""


class Link(Protocol):
    """The connection, as an exchange sees it."""

    transport: asyncio.Transport
    lost: bool

    async def drained(self) -> None:
        """Return once the socket takes more."""
        ...


class Exchange:
    """Sends one answer. After `cut` or `reset`, nothing more may be sent."""

    def __init__(self, link: Link, request: Request, id_: str) -> None:
        self._link = link
        self._request = request
        self._chunked = False
        self.id = id_
        self.keep_alive = request.keep_alive
        self.bearer = (request.authorization or b"").removeprefix(b"Bearer ").decode("latin-1")
        self.status: int | None = None
        self.complete = False
        self.worked = True
        self.reported: Any = None
        self.tokens_sent = 0

    async def raw(self, data: bytes) -> None:
        """Put bytes on the wire as they are, waiting while the peer does not read.

        Raises:
            Gone: the connection is closed; nothing was sent.
        """
        if self._link.lost:
            raise Gone
        self._link.transport.write(data)
        await self._link.drained()

    def head(self, status: int, headers: Headers) -> bytes:
        """A head for `raw`, noted as the answer's status."""
        self.status = status
        return head(status, headers, id_=self.id)

    async def start(self, status: int, headers: Headers, *, length: int | None = None) -> None:
        """Send the head; without a length the body is chunked (or, for HTTP/1.0, ends with the connection)."""
        lines = list(headers)
        if length is not None:
            lines.append(("content-length", str(length)))
        elif self._request.chunks_allowed:
            self._chunked = True
            lines.append(("transfer-encoding", "chunked"))
        else:
            self.keep_alive = False
        if not self.keep_alive:
            lines.append(("connection", "close"))
        await self.raw(self.head(status, lines))

    async def body(self, data: bytes) -> None:
        """A part of the body, framed as `start` announced."""
        await self.raw(frame(data) if self._chunked else data)

    async def end(self, *, complete: bool = True) -> None:
        """End the body as announced. `complete=False`: well framed, but not the whole answer."""
        if self._chunked:
            await self.raw(LAST_FRAME)
        self.complete = complete

    async def wait_ms(self, wait_ms: int | None) -> None:
        """Wait; None does not even let another connection run."""
        if wait_ms is not None:
            await asyncio.sleep(wait_ms / 1000)

    async def hang(self, hang_ms: int | None) -> None:
        """Say nothing for long, then cut."""
        await self.wait_ms(HANG_MS if hang_ms is None else hang_ms)
        self.cut()

    def cut(self) -> None:
        """Close after what was written has left (FIN)."""
        self.keep_alive = False
        self._link.transport.close()

    async def reset(self) -> None:
        """Close with a TCP reset, after what was written has left."""
        self.keep_alive = False
        for _ in range(_FLUSH_TURNS_MAX):
            if self._link.transport.get_write_buffer_size() == 0 or self._link.lost:
                break
            await asyncio.sleep(0.001)
        linger_off = struct.pack("ii", 1, 0)
        sock = self._link.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_off)
        self._link.transport.abort()
