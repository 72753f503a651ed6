"""Faults of HTTP itself: heads that contradict the body, and bytes that are no HTTP at all."""

import random

import msgspec

from sandbox.answer import Answer, event_bytes
from sandbox.exchange import Exchange
from sandbox.faults.fault import both
from sandbox.messages import JSON, LAST_FRAME, SSE, Headers, frame
from sandbox.senders import send_normally

_NOISE_BYTES = 4_096


def noise(size: int, *, seed: int = 0) -> bytes:
    """The same random bytes every time; never an HTTP status line."""
    return b"\xff\x00" + random.Random(seed).randbytes(size - 2)  # noqa: S311 - repeatable, not secret


def _body(answer: Answer) -> bytes:
    """The answer's bytes without framing."""
    if answer.stream:
        return b"".join(map(event_bytes, answer.events()))
    return msgspec.json.encode(answer.whole())


def _type(answer: Answer) -> Headers:
    return SSE if answer.stream else (JSON,)


async def _with_lengths(out: Exchange, answer: Answer, *lengths: str) -> None:
    """The whole body under the given content-length values, then FIN."""
    headers = [*_type(answer), *(("content-length", length) for length in lengths)]
    await out.raw(out.head(200, headers) + _body(answer))
    out.cut()


@both
async def content_length_short(out: Exchange, answer: Answer) -> None:
    """A content-length 10 bytes less than what is sent; then FIN."""
    await _with_lengths(out, answer, str(len(_body(answer)) - 10))


@both
async def content_length_long(out: Exchange, answer: Answer) -> None:
    """A content-length 10 bytes more than what is sent; then FIN."""
    await _with_lengths(out, answer, str(len(_body(answer)) + 10))


@both
async def content_length_twice(out: Exchange, answer: Answer) -> None:
    """Two content-length headers that differ."""
    size = len(_body(answer))
    await _with_lengths(out, answer, str(size), str(size + 1))


@both
async def content_length_negative(out: Exchange, answer: Answer) -> None:
    """`content-length: -1`."""
    await _with_lengths(out, answer, "-1")


@both
async def content_length_huge(out: Exchange, answer: Answer) -> None:
    """A content-length of 10 GB, the ordinary body, then FIN."""
    await _with_lengths(out, answer, str(10 * 1024**3))


@both
async def length_and_chunked(out: Exchange, answer: Answer) -> None:
    """Both content-length and transfer-encoding: chunked, as in a smuggling attempt; the body is chunked."""
    body = _body(answer)
    headers = [*_type(answer), ("content-length", "5"), ("transfer-encoding", "chunked")]
    await out.raw(out.head(200, headers) + frame(body) + LAST_FRAME)
    out.cut()


@both
async def bad_chunk_size(out: Exchange, answer: Answer) -> None:
    """A chunked body whose second chunk has no hexadecimal size."""
    body = _body(answer)
    head = out.head(200, [*_type(answer), ("transfer-encoding", "chunked")])
    await out.raw(head + frame(body[:20]) + b"zz\r\n" + body[20:] + b"\r\n" + LAST_FRAME)
    out.cut()


@both
async def trailers(out: Exchange, answer: Answer) -> None:
    """A valid chunked body that ends with trailer fields."""
    head = out.head(200, [*_type(answer), ("transfer-encoding", "chunked")])
    await out.raw(head + frame(_body(answer)) + b"0\r\nx-checksum: 1\r\nset-cookie: t=1\r\n\r\n")
    _whole(out, answer)


@both
async def until_close(out: Exchange, answer: Answer) -> None:
    """A valid answer with neither length nor chunks: the body ends with the connection."""
    await out.raw(out.head(200, [*_type(answer), ("connection", "close")]) + _body(answer))
    _whole(out, answer)
    out.cut()


def _whole(out: Exchange, answer: Answer) -> None:
    out.complete = True
    out.tokens_sent = answer.usage.get("completion_tokens", 0)


@both
async def bad_status_line(out: Exchange, answer: Answer) -> None:
    """A status line without a number."""
    await out.raw(out.head(200, _type(answer)).replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 OK fine", 1))
    out.cut()


@both
async def garbage_for_http(out: Exchange, answer: Answer) -> None:
    """4 KiB of binary noise in place of an HTTP response."""
    await out.raw(noise(answer.script.size_bytes or _NOISE_BYTES))
    out.cut()


@both
async def switching_protocols(out: Exchange, answer: Answer) -> None:
    """`101 Switching Protocols`, which nobody asked for, then the answer's bytes."""
    await out.raw(out.head(101, [("connection", "upgrade"), ("upgrade", "h2c")]) + _body(answer))
    out.cut()


@both
async def informational_flood(out: Exchange, answer: Answer) -> None:
    """100 times `103 Early Hints` before a good answer."""
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
    await out.raw(hint * 100)
    await send_normally(out, answer)


@both
async def extra_response(out: Exchange, answer: Answer) -> None:
    """A good answer and at once a second one that nobody asked for, on the same connection."""
    await send_normally(out, answer)
    body = b'{"object":"chat.completion","choices":[],"sandbox":"unsolicited"}'
    await out.raw(out.head(200, [JSON, ("content-length", str(len(body)))]) + body)


FAULTS = (
    content_length_short,
    content_length_long,
    content_length_twice,
    content_length_negative,
    content_length_huge,
    length_and_chunked,
    bad_chunk_size,
    trailers,
    until_close,
    bad_status_line,
    garbage_for_http,
    switching_protocols,
    informational_flood,
    extra_response,
)
