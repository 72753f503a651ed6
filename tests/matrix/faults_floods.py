"""What has no end. These run one after the other, and the gateway's memory is looked at around them."""

import gzip
from collections.abc import Callable
from typing import Final

from tests.matrix.answers import Kind, event
from tests.matrix.fault import KINDS, Expected, Fault, Where, breaks, fails, serves
from tests.matrix.upstream import Play, Wire, chunk

_BLOCK: Final = b"endless " * 8_192
_UNREAD: Final = fails(status=0)
_CHUNKED: Final = "transfer-encoding: chunked"


def _endless(start: Callable[[Wire], bytes], block: Callable[[Wire], bytes]) -> Play:
    async def play(wire: Wire) -> None:
        await wire.send(start(wire))
        await wire.endless(block(wire))

    return play


def _fault(
    name: str,
    start: Callable[[Wire], bytes],
    block: Callable[[Wire], bytes],
    *,
    json: Expected | None = None,
    stream: Expected | None = None,
    where: Where = "hasty",
    kinds: tuple[Kind, ...] = KINDS,
) -> Fault:
    return Fault(
        name=name,
        family="flood",
        play=_endless(start, block),
        json=json,
        stream=stream,
        where=where,
        kinds=kinds,
        width="narrow",
        alone=True,
    )


def _open(wire: Wire) -> bytes:
    return wire.head(_CHUNKED)


def _begun(wire: Wire) -> bytes:
    return wire.head(_CHUNKED) + chunk(wire.some)


def _words(wire: Wire) -> bytes:
    return chunk(wire.good.events[wire.good.begun] * 200)


_BOMB: Final = gzip.compress(b"\n" * 100_000_000, 9)
_COMMENTS: Final = chunk(b": keep-alive\n\n" * 1_000)
_LATE: Final = fails("timeout")


async def _gzip_bomb(wire: Wire) -> None:
    await wire.whole(_BOMB, "content-encoding: gzip")


async def _huge_event(wire: Wire) -> None:
    begun = wire.good.begun
    huge = b'data: {"x":"' + b"y" * 30_000_000 + b'"}\n\n'
    await wire.chunked(*wire.good.events[:begun], huge, *wire.good.events[begun:])


FAULTS: Final = (
    _fault("endless_headers", lambda w: w.head()[:-2], lambda _: b"x-more: 1\r\n" * 500, json=_UNREAD, stream=_UNREAD),
    _fault("endless_header", lambda w: w.head()[:-2] + b"x-more: ", lambda _: _BLOCK, json=_UNREAD, stream=_UNREAD),
    _fault("endless_status_line", lambda _: b"HTTP/1.1 200 ", lambda _: _BLOCK, json=_UNREAD, stream=_UNREAD),
    _fault("endless_interims", lambda _: b"", lambda _: b"HTTP/1.1 102 Wait\r\n\r\n" * 100, json=_UNREAD, stream=_UNREAD),
    _fault("endless_document", _open, lambda _: chunk(_BLOCK), json=fails(), where="plain"),
    _fault("endless_error", lambda w: w.head(_CHUNKED, status=500), lambda _: chunk(_BLOCK), json=fails(status=500), stream=fails(status=500)),
    _fault("endless_blanks", _open, lambda _: chunk(b" " * 60_000), json=fails(), stream=fails(), where="plain"),
    _fault("endless_words", _begun, _words, stream=breaks("stream_too_long", charged="all")),
    _fault("endless_comments", _begun, lambda _: _COMMENTS, stream=breaks()),
    _fault("endless_comments_first", _open, lambda _: _COMMENTS, stream=fails(), where="plain", kinds=("chat", "responses", "messages")),
    _fault("endless_comments_only", _open, lambda _: _COMMENTS, stream=_LATE, kinds=("gemini",)),
    _fault("endless_event", lambda w: _begun(w) + chunk(b'data: {"x":"'), lambda _: chunk(_BLOCK), stream=breaks("event_too_long"), where="plain"),
    _fault("endless_first_event", lambda w: _open(w) + chunk(b'data: {"x":"'), lambda _: chunk(_BLOCK), stream=fails(), where="plain"),
    _fault("endless_objects", _begun, lambda _: chunk(event({"type": "ping"}) * 500), stream=breaks()),
    _fault("endless_chunk_size", lambda w: w.head(_CHUNKED), lambda _: b"0" * 60_000, json=_LATE, stream=_LATE),
    _fault("endless_extension", lambda w: w.head(_CHUNKED) + b"5;x=", lambda _: b"e" * 60_000, json=_LATE, stream=_LATE),
    _fault("endless_trailers", lambda w: w.head(_CHUNKED) + chunk(w.some) + b"0\r\n", lambda _: b"x-more: 1\r\n" * 500, json=fails(), stream=breaks()),
    Fault(name="gzip_bomb", family="flood", play=_gzip_bomb, json=fails(), stream=fails(), width="narrow", alone=True),
    Fault(
        name="event_of_30_megabytes",
        family="flood",
        play=_huge_event,
        stream=breaks("event_too_long"),
        by_kind={("responses", True): serves()},  # an event may hold a picture there
        width="narrow",
        alone=True,
    ),
)  # fmt: skip
