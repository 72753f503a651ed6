"""Faults of content and headers: well framed HTTP that carries something else than the answer."""

import gzip
import struct
import zlib
from collections.abc import Iterator

import msgspec

from sandbox.answer import Answer, event_bytes
from sandbox.errors import envelope
from sandbox.exchange import Exchange
from sandbox.faults.fault import both, json_only, stream_only
from sandbox.faults.framing import noise
from sandbox.messages import JSON, SSE
from sandbox.senders import send_body, send_events, send_json, send_pieces, start_stream

_HTML = ("content-type", "text/html; charset=utf-8")
_GZIP = ("content-encoding", "gzip")
_BOMB_BYTES = 1024**3
_FILL_BYTES = 1024**2
_DEPTH = 100_000


@both
async def garbage_body(out: Exchange, answer: Answer) -> None:
    """4 KiB of binary noise under the right content type and length."""
    headers = SSE if answer.stream else (JSON,)
    await send_body(out, answer, noise(answer.script.size_bytes or 4_096), headers=headers)


@both
async def empty_body(out: Exchange, answer: Answer) -> None:
    """HTTP 200 with `content-length: 0`."""
    await send_body(out, answer, b"", headers=SSE if answer.stream else (JSON,))


@both
async def html_200(out: Exchange, answer: Answer) -> None:
    """HTTP 200 with a login page, as a captive portal or a wrong address gives."""
    page = b"<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
    await send_body(out, answer, page, headers=[_HTML])


@both
async def error_in_200(out: Exchange, answer: Answer) -> None:
    """HTTP 200 whose JSON body is an OpenAI error."""
    out.worked = False
    await send_body(out, answer, envelope("Something went wrong.", type_="server_error", code="internal"))


@json_only
async def truncated_json(out: Exchange, answer: Answer) -> None:
    """Two thirds of the JSON, under a content-length that fits what is sent."""
    body = msgspec.json.encode(answer.whole())
    await send_body(out, answer, body[: len(body) * 2 // 3])
    out.complete = False


@json_only
async def invalid_utf8(out: Exchange, answer: Answer) -> None:
    """JSON that is whole but for three bytes of no UTF-8 inside a string."""
    body = msgspec.json.encode({**answer.whole(), "note": "@@@"})
    await send_body(out, answer, body.replace(b"@@@", b"\xff\xfe\x80"))


@json_only
async def json_null(out: Exchange, answer: Answer) -> None:
    """The body is `null`."""
    await send_json(out, answer, None)


@json_only
async def json_array(out: Exchange, answer: Answer) -> None:
    """The answer inside a list."""
    await send_json(out, answer, [answer.whole()])


@json_only
async def json_empty_object(out: Exchange, answer: Answer) -> None:
    """The body is `{}`: no choices, no usage."""
    await send_json(out, answer, {})


@json_only
async def json_deep(out: Exchange, answer: Answer) -> None:
    """100,000 nested arrays in an unknown field of the answer."""
    body = msgspec.json.encode({**answer.whole(), "deep": "@@@"})
    await send_body(out, answer, body.replace(b'"@@@"', b"[" * _DEPTH + b"]" * _DEPTH))


@json_only
async def json_nan(out: Exchange, answer: Answer) -> None:
    """`NaN` and `1e400000` where JSON wants numbers."""
    body = msgspec.json.encode({"score": "@@@", **answer.whole()})
    await send_body(out, answer, body.replace(b'"@@@"', b'NaN,"size":1e400000'))


@json_only
async def leading_whitespace(out: Exchange, answer: Answer) -> None:
    """Blank lines before the JSON, as DeepSeek sends while a request queues."""
    await send_body(out, answer, b"\n" * 200 + msgspec.json.encode(answer.whole()))
    _note_whole(out, answer)


@json_only
async def byte_order_mark(out: Exchange, answer: Answer) -> None:
    """A UTF-8 byte order mark before the JSON."""
    await send_body(out, answer, b"\xef\xbb\xbf" + msgspec.json.encode(answer.whole()))


@json_only
async def wrong_content_type(out: Exchange, answer: Answer) -> None:
    """The right JSON as `text/plain`."""
    await send_json(out, answer, answer.whole(), headers=[("content-type", "text/plain")])


@json_only
async def no_content_type(out: Exchange, answer: Answer) -> None:
    """The right JSON without a content-type."""
    await send_json(out, answer, answer.whole(), headers=())


@json_only
async def stream_for_json(out: Exchange, answer: Answer) -> None:
    """A stream of events although JSON was asked for."""
    await start_stream(out, answer)
    await out.body(b"data: " + msgspec.json.encode(answer.whole()) + b"\n\ndata: [DONE]\n\n")
    await out.end(complete=False)


@stream_only
async def json_for_stream(out: Exchange, answer: Answer) -> None:
    """A whole JSON answer although a stream was asked for."""
    await send_json(out, answer, answer.whole())


def _plain(answer: Answer) -> bytes:
    if answer.stream:
        return b"".join(map(event_bytes, answer.events()))
    return msgspec.json.encode(answer.whole())


def _note_whole(out: Exchange, answer: Answer) -> None:
    out.reported = answer.usage
    out.tokens_sent = answer.usage.get("completion_tokens", 0)


@both
async def gzip_unasked(out: Exchange, answer: Answer) -> None:
    """The right answer, compressed although nobody asked for it."""
    headers = [*(SSE if answer.stream else (JSON,)), _GZIP]
    await send_body(out, answer, gzip.compress(_plain(answer)), headers=headers)
    _note_whole(out, answer)


@both
async def gzip_cut(out: Exchange, answer: Answer) -> None:
    """Half of a compressed answer under a content-length that fits it."""
    body = gzip.compress(_plain(answer))
    await send_body(
        out, answer, body[: len(body) // 2], headers=[*(SSE if answer.stream else (JSON,)), _GZIP]
    )
    out.complete = False


@both
async def gzip_false(out: Exchange, answer: Answer) -> None:
    """`content-encoding: gzip` over a body that is not compressed."""
    await send_body(out, answer, _plain(answer), headers=[*(SSE if answer.stream else (JSON,)), _GZIP])


def bomb(size_bytes: int) -> Iterator[bytes]:
    """One gzip stream of `size_bytes` line feeds in parts: blank before JSON, and nothing to an event stream.

    After a full flush equal input packs to equal bytes, so one packed part serves for all: only the checksum costs.
    """
    fill = b"\n" * _FILL_BYTES
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    part = packer.compress(fill) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    for _ in range(size_bytes // _FILL_BYTES):
        checksum = zlib.crc32(fill, checksum)
        yield part
    rest = fill[: size_bytes % _FILL_BYTES]
    last = packer.compress(rest) + packer.flush()
    yield last + struct.pack("<II", zlib.crc32(rest, checksum), size_bytes % 2**32)


@both
async def gzip_bomb(out: Exchange, answer: Answer) -> None:
    """A compressed body that inflates to `size_bytes` (default 1 GiB) line feeds, a thousandth of it on the wire."""
    await out.start(200, [*(SSE if answer.stream else (JSON,)), _GZIP])
    for part in bomb(_BOMB_BYTES if answer.script.size_bytes is None else answer.script.size_bytes):
        await out.body(part)
        await out.wait_ms(0)
    await out.end(complete=False)


@both
async def set_cookie(out: Exchange, answer: Answer) -> None:
    """The right answer with Set-Cookie, CORS and hop-by-hop headers that no client of a gateway may see."""
    extra = [
        ("set-cookie", "session=upstream; Path=/; HttpOnly"),
        ("access-control-allow-origin", "*"),
        ("strict-transport-security", "max-age=1"),
        ("openai-organization", "org-sandbox"),
        ("www-authenticate", "Basic"),
        ("keep-alive", "timeout=1"),
    ]
    await _with_headers(out, answer, extra)


@both
async def headers_300(out: Exchange, answer: Answer) -> None:
    """The right answer with 300 headers more."""
    await _with_headers(out, answer, [(f"x-sandbox-{number}", str(number)) for number in range(300)])


@both
async def header_huge(out: Exchange, answer: Answer) -> None:
    """The right answer with one header of `size_bytes` (default 1 MiB)."""
    await _with_headers(out, answer, [("x-sandbox-huge", "h" * (answer.script.size_bytes or 1024**2))])


@both
async def header_latin1(out: Exchange, answer: Answer) -> None:
    """The right answer with a header of bytes beyond ASCII."""
    await _with_headers(out, answer, [("x-sandbox-note", "na\xefve \xff")])


async def _with_headers(out: Exchange, answer: Answer, extra: list[tuple[str, str]]) -> None:
    if not answer.stream:
        await send_json(out, answer, answer.whole(), headers=[JSON, *extra])
        return
    await start_stream(out, answer, headers=[*SSE, *extra])
    await send_events_only(out, answer)


async def send_events_only(out: Exchange, answer: Answer) -> None:
    """The ordinary events of an open stream, and its end."""
    from_here = answer.events()
    for event in from_here:
        await out.body(event_bytes(event))
    _note_whole(out, answer)
    await out.end()


@stream_only
async def garbage_in_stream(out: Exchange, answer: Answer) -> None:
    """A good stream with 4 KiB of binary noise between two events."""
    pieces = [event_bytes(event) for event in answer.events()]
    half = len(pieces) // 2
    await send_pieces(out, answer, [*pieces[:half], noise(4_096), b"\n\n", *pieces[half:]], complete=False)


@stream_only
async def truncated_json_in_stream(out: Exchange, answer: Answer) -> None:
    """A good stream, one event of which holds cut JSON."""
    pieces = [event_bytes(event) for event in answer.events()]
    half = len(pieces) // 2
    cut = pieces[half][: len(pieces[half]) // 2] + b"\n\n"
    await send_pieces(out, answer, [*pieces[:half], cut, *pieces[half + 1 :]], complete=False)


@stream_only
async def empty_stream(out: Exchange, answer: Answer) -> None:
    """A stream of `[DONE]` alone."""
    await send_events(out, answer, answer.events()[-1:], complete=False)


FAULTS = (
    garbage_body,
    empty_body,
    html_200,
    error_in_200,
    truncated_json,
    invalid_utf8,
    json_null,
    json_array,
    json_empty_object,
    json_deep,
    json_nan,
    leading_whitespace,
    byte_order_mark,
    wrong_content_type,
    no_content_type,
    stream_for_json,
    json_for_stream,
    gzip_unasked,
    gzip_cut,
    gzip_false,
    gzip_bomb,
    set_cookie,
    headers_300,
    header_huge,
    header_latin1,
    garbage_in_stream,
    truncated_json_in_stream,
    empty_stream,
)
