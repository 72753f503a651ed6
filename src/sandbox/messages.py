"""HTTP/1.1 messages: the request as parsed, response heads as bytes, chunked framing."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import msgspec

JSON: Final = ("content-type", "application/json")
SSE: Final = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
LAST_FRAME: Final = b"0\r\n\r\n"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}

Headers = Iterable[tuple[str, str]]


class Request(msgspec.Struct, frozen=True, gc=False):
    """One whole request. Header values are as sent; `chunks_allowed` is false for HTTP/1.0."""

    method: bytes
    path: bytes
    query: bytes
    body: bytes
    authorization: bytes | None
    request_id: bytes | None
    keep_alive: bool
    chunks_allowed: bool


def head(status: int, headers: Headers, *, id_: str) -> bytes:
    """Status line and headers, with the blank line. `id_` becomes the `x-request-id`."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["server: tokenok-sandbox", "openai-processing-ms: 1", f"x-request-id: req_{id_}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def frame(data: bytes) -> bytes:
    """One chunk of a chunked body. An empty one would end the body, so nothing becomes nothing."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def plain(
    status: int, body: bytes, *, id_: str, content_type: str = "application/json", close: bool = False
) -> bytes:
    """A whole response with a body of known length."""
    headers = [("content-type", content_type), ("content-length", str(len(body)))]
    if close:
        headers.append(("connection", "close"))
    return head(status, headers, id_=id_) + body
