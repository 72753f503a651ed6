"""Faults of pace and quantity: a byte at a time, and without an end.

An endless answer stops at `size_bytes` (default 1 GiB) with a cut: every loop here has a limit.
"""

from itertools import cycle

import msgspec

from sandbox.answer import Answer, event_bytes
from sandbox.exchange import Exchange
from sandbox.faults.fault import both, json_only, stream_only
from sandbox.messages import JSON, LAST_FRAME, SSE, frame
from sandbox.senders import more_events, send_normally, send_piece, start_stream

_ENDLESS_BYTES = 1024**3
_LINE_BYTES = 2 * 1024**2
_SLOW_MS = 2_000


def _size(answer: Answer, default: int) -> int:
    return default if answer.script.size_bytes is None else answer.script.size_bytes


@both
async def slow_first_byte(out: Exchange, answer: Answer) -> None:
    """Silence for `first_byte_ms` (default 2000), then a good answer."""
    if answer.script.first_byte_ms is None:
        await out.wait_ms(_SLOW_MS)
    await send_normally(out, answer)


async def _drip(out: Exchange, answer: Answer, data: bytes) -> None:
    drip_ms = 1 if answer.script.drip_ms is None else answer.script.drip_ms
    for at in range(len(data)):
        await out.raw(data[at : at + 1])
        await out.wait_ms(drip_ms)


def _wire(out: Exchange, answer: Answer) -> tuple[bytes, bytes]:
    """Head and framed body of the good answer."""
    if not answer.stream:
        body = msgspec.json.encode(answer.whole())
        return out.head(200, [JSON, ("content-length", str(len(body)))]), body
    frames = b"".join(frame(event_bytes(event)) for event in answer.events())
    return out.head(200, [*SSE, ("transfer-encoding", "chunked")]), frames + LAST_FRAME


@both
async def drip(out: Exchange, answer: Answer) -> None:
    """The head at once, then the body one byte per `drip_ms`."""
    head, body = _wire(out, answer)
    await out.raw(head)
    await _drip(out, answer, body)
    _whole(out, answer)


@both
async def drip_all(out: Exchange, answer: Answer) -> None:
    """Head and body one byte per `drip_ms`."""
    head, body = _wire(out, answer)
    await _drip(out, answer, head + body)
    _whole(out, answer)


def _whole(out: Exchange, answer: Answer) -> None:
    out.complete = True
    out.reported = answer.usage
    out.tokens_sent = answer.usage.get("completion_tokens", 0)


@stream_only
async def endless_stream(out: Exchange, answer: Answer) -> None:
    """Content chunks for ever: no limit of the request is kept, no finish comes."""
    await start_stream(out, answer)
    events = [event for event in answer.events() if event.kind == "content"]
    left = _size(answer, _ENDLESS_BYTES)
    for event in cycle(events):
        await more_events(out, answer, [event])
        await out.wait_ms(0)
        left -= len(event_bytes(event))
        if left <= 0:
            break
    out.cut()


@stream_only
async def endless_comments(out: Exchange, answer: Answer) -> None:
    """Only keep-alive comments for ever: the connection lives, and no content comes."""
    await start_stream(out, answer)
    for _ in range(_size(answer, _ENDLESS_BYTES) // 14):
        await send_piece(out, answer, b": keep-alive\n\n")
        await out.wait_ms(0)
    out.cut()


@json_only
async def endless_body(out: Exchange, answer: Answer) -> None:
    """A JSON body whose content never ends, in chunks."""
    await out.start(200, [JSON])
    await out.body(b'{"id":"chatcmpl-endless","choices":[{"message":{"role":"assistant","content":"')
    block = b"endless " * 8_192
    for _ in range(_size(answer, _ENDLESS_BYTES) // len(block)):
        await out.body(block)
        await out.wait_ms(0)
    out.cut()


@both
async def endless_headers(out: Exchange, answer: Answer) -> None:
    """Header after header, and never the blank line."""
    await out.raw(out.head(200, [JSON])[:-2])
    block = b"".join(b"x-endless-%d: %s\r\n" % (number, b"e" * 100) for number in range(100))
    for _ in range(_size(answer, _ENDLESS_BYTES) // len(block)):
        await out.raw(block)
        await out.wait_ms(0)
    out.cut()


@stream_only
async def long_line(out: Exchange, answer: Answer) -> None:
    """One content event whose line has `size_bytes` (default 2 MiB); a good stream otherwise."""
    await start_stream(out, answer)
    size = _size(answer, _LINE_BYTES)
    grown = False
    for event in answer.events():
        if event.kind == "content" and not grown and event.data is not None:
            event.data["choices"][0]["delta"] = {"content": "long " * (size // 5)}
            grown = True
        await more_events(out, answer, [event])
    await out.end()


@stream_only
async def endless_line(out: Exchange, answer: Answer) -> None:
    """One event whose line never ends."""
    await start_stream(out, answer)
    await out.body(b'data: {"id":"chatcmpl-endless","choices":[{"index":0,"delta":{"content":"')
    block = b"endless " * 8_192
    for _ in range(_size(answer, _ENDLESS_BYTES) // len(block)):
        await out.body(block)
        await out.wait_ms(0)
    out.cut()


FAULTS = (
    slow_first_byte,
    drip,
    drip_all,
    endless_stream,
    endless_comments,
    endless_body,
    endless_headers,
    long_line,
    endless_line,
)
