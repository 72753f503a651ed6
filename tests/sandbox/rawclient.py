"""A client that hides nothing: plain sockets, the bytes as they came, and how the connection ended."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

WAIT_S = 60.0  #: how long anything that must happen may take on a busy machine


@dataclass
class Answer:
    """What came back on one connection until it ended; `reset` if by RST instead of FIN."""

    raw: bytes
    reset: bool = False
    stream: bool = False
    good: Any = None  #: the answer to the same question without a fault
    journal: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, found
        return found[0] if found else None

    @property
    def rest(self) -> bytes:
        """Everything behind the head."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def body(self) -> bytes:
        """The body without its framing, as far as it came."""
        return unchunked(self.rest)[0] if self.header("transfer-encoding") else self.rest

    @property
    def ended(self) -> bool:
        """Whether the body came to the end that the head announced."""
        if self.header("transfer-encoding"):
            return unchunked(self.rest)[1]
        return len(self.rest) == int(self.header("content-length") or -1)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        """The data of the events that came whole, as a lenient reader sees them."""
        text = self.body.decode("utf-8", "replace").replace("\r\n", "\n")
        blocks = text.split("\n\n")[:-1]
        return [
            line[5:].removeprefix(" ")
            for block in blocks
            for line in block.split("\n")
            if line.startswith("data:")
        ]

    @property
    def chunks(self) -> list[Any]:
        """The events that are JSON objects with choices."""
        found = []
        for data in self.events:
            try:
                value = json.loads(data)
            except ValueError:
                continue
            if isinstance(value, dict) and "choices" in value:
                found.append(value)
        return found

    @property
    def text(self) -> str:
        """The content, whichever way it came."""
        if not self.stream:
            content = self.json["choices"][0]["message"]["content"]
            assert isinstance(content, str)
            return content
        choices = [choice for chunk in self.chunks for choice in chunk["choices"]]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    @property
    def pieces(self) -> int:
        """Events with content."""
        choices = [choice for chunk in self.chunks for choice in chunk["choices"]]
        return sum(bool(choice["delta"].get("content")) for choice in choices)

    @property
    def finishes(self) -> list[Any]:
        return [choice["finish_reason"] for chunk in self.chunks for choice in chunk["choices"]]

    @property
    def usages(self) -> list[Any]:
        """Every usage on the wire that is not null, in order."""
        found = self.chunks if self.stream else [self.json]
        return [chunk["usage"] for chunk in found if chunk.get("usage") is not None]

    @property
    def done(self) -> bool:
        return bool(self.events) and self.events[-1] == "[DONE]"


def unchunked(data: bytes) -> tuple[bytes, bool]:
    """The chunks' content as far as they came, and whether the last chunk came."""
    body: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        try:
            size = int(data[at:end], 16)
        except ValueError:
            break
        at = end + 2
        if size == 0:
            return b"".join(body), data.endswith(b"\r\n\r\n")
        body.append(data[at : at + size])
        at += size + 2
    return b"".join(body), False


def request_bytes(
    method: str, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None, close: bool = True
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: sandbox", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if close:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def connect(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=WAIT_S)


def read_to_end(sock: socket.socket) -> tuple[bytes, bool]:
    """All bytes until the connection ends, and whether it ended by a reset."""
    parts = []
    try:
        while part := sock.recv(1 << 20):
            parts.append(part)
    except ConnectionResetError:
        return b"".join(parts), True
    return b"".join(parts), False


def read_one(sock: socket.socket) -> bytes:
    """Exactly one response from a connection that goes on; a chunked one must be the last that was asked for."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    answer = Answer(data)
    while answer.header("transfer-encoding") and not data.endswith(b"\r\n0\r\n\r\n"):
        data += _some(sock, 1 << 16)
    missing = int(answer.header("content-length") or 0) - len(answer.rest)
    while missing > 0:
        part = _some(sock, missing)
        data += part
        missing -= len(part)
    return data


def _some(sock: socket.socket, limit: int = 1) -> bytes:
    part = sock.recv(min(limit, 1 << 20))
    if not part:
        raise EOFError("the connection ended early")
    return part
