"""Heads that contradict their body, and bytes that are no HTTP."""

import random
from typing import Final

from tests.matrix.fault import Expected, Fault, Width, breaks, fails, raw, serves
from tests.matrix.upstream import Play, Wire, chunk

_NO_HTTP: Final = fails(status=0)
_CHUNKED: Final = "transfer-encoding: chunked"
_NOISE: Final = b"\xff\x00" + random.Random(7).randbytes(4_094)
_HINT: Final = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"


def _fault(
    name: str, play: Play, json: Expected | None, stream: Expected | None, *, width: Width = "full"
) -> Fault:
    return Fault(name=name, family="framing", play=play, json=json, stream=stream, width=width)


def _bad_head(name: str, *fields: str) -> Fault:
    """A head that cannot be believed, in front of a sound body."""
    return _fault(name, raw(lambda wire: wire.head(*fields) + wire.sound), _NO_HTTP, _NO_HTTP, width="narrow")


def _bad_bytes(name: str, data: bytes) -> Fault:
    return _fault(name, raw(lambda _: data), _NO_HTTP, _NO_HTTP, width="narrow")


def _bad_chunks(name: str, tail: bytes) -> Fault:
    """A sound beginning, then a chunk that is none."""
    return _fault(name, raw(lambda wire: wire.head(_CHUNKED) + chunk(wire.some) + tail), fails(), breaks())


def _good(name: str, play: Play) -> Fault:
    return _fault(name, play, serves(), serves())


def _chunked(wire: Wire) -> bytes:
    return wire.head(_CHUNKED) + chunk(wire.sound) + b"0\r\n"


def _long(wire: Wire) -> bytes:
    return wire.head(f"content-length: {len(wire.sound) + 10}") + wire.sound


def _short(wire: Wire) -> bytes:
    return wire.head(f"content-length: {len(wire.some)}") + wire.sound


FAULTS: Final = (
    _fault("length_too_short", raw(_short), fails(), breaks()),
    Fault(
        name="length_too_long",
        family="framing",
        play=raw(_long),
        json=fails(),
        stream=serves(),
        by_kind={("gemini", True): breaks(charged="exact")},
    ),
    Fault(
        name="length_of_gigabytes",
        family="framing",
        play=raw(lambda wire: wire.head("content-length: 99999999999") + wire.sound),
        json=fails(),
        stream=serves(),
        by_kind={("gemini", True): breaks(charged="exact")},
    ),
    _bad_head("lengths_differ", "content-length: 5", "content-length: 6"),
    _bad_head("length_negative", "content-length: -1"),
    _bad_head("length_no_number", "content-length: many"),
    _bad_head("length_beyond_numbers", f"content-length: {'9' * 40}"),
    _bad_head("length_list", "content-length: 5, 5"),
    _bad_head("length_and_chunked", "content-length: 5", _CHUNKED),
    _bad_head("coding_gzip_chunked", "transfer-encoding: gzip, chunked"),
    _bad_head("coding_identity", "transfer-encoding: identity"),
    _bad_head("coding_twice", _CHUNKED, _CHUNKED),
    _bad_head("coding_unknown", "transfer-encoding: xchunked"),
    _bad_head("header_without_colon", "this is no header"),
    _bad_head("header_without_name", ": value"),
    _bad_head("header_with_blank", "x bad: value"),
    _bad_head("header_with_nul", "x-bad: a\x00b"),
    _bad_head("header_with_return", "x-bad: a\rb"),
    _bad_head("header_too_large", f"x-huge: {'h' * 20_000}"),
    _bad_head("headers_too_many", *(f"x-{number}: 1" for number in range(400))),
    _bad_bytes("noise", _NOISE),
    _bad_bytes("http2_preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _bad_bytes("http2_settings", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    _bad_bytes("tls_alert", b"\x15\x03\x01\x00\x02\x02\x46"),
    _bad_bytes("ssh_banner", b"SSH-2.0-OpenSSH_9.6\r\n"),
    _bad_bytes("http_9", b"HTTP/9.9 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
    _bad_bytes("http_0_9", b'{"choices":[]}\n'),
    _bad_bytes("only_blank_lines", b"\r\n" * 100),
    _fault(
        "switches_protocols",
        raw(lambda w: b"HTTP/1.1 101 Up\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n" + w.sound),
        _NO_HTTP,
        _NO_HTTP,
    ),
    _fault("interim_flood", raw(lambda w: _HINT * 200 + w.head() + w.sound), _NO_HTTP, _NO_HTTP),
    _good("interim_some", raw(lambda w: _HINT * 3 + b"HTTP/1.1 100 Continue\r\n\r\n" + w.head() + w.sound)),
    _bad_chunks("chunk_size_garbage", b"zz\r\nabc\r\n0\r\n\r\n"),
    _bad_chunks("chunk_size_negative", b"-5\r\nabcde\r\n0\r\n\r\n"),
    _bad_chunks("chunk_size_overflow", b"fffffffffffffffff\r\nabc"),
    _bad_chunks("chunk_without_end", b"3\r\nabcdef\r\n0\r\n\r\n"),
    _bad_chunks("chunk_of_gigabytes", b"ffffffffff\r\nabc"),
    _good("close_ends_body", raw(lambda wire: wire.head("connection: close") + wire.sound)),
    _good("http_1_0", raw(lambda wire: (wire.head() + wire.sound).replace(b"HTTP/1.1", b"HTTP/1.0", 1))),
    _good("trailers", raw(lambda wire: _chunked(wire) + b"set-cookie: t=1\r\nx-sum: 0\r\n\r\n")),
    Fault(
        name="trailers_of_length",
        family="framing",
        play=raw(lambda wire: _chunked(wire) + b"content-length: 0\r\n\r\n"),
        json=fails(),
        stream=serves(),
        by_kind={("gemini", True): breaks(charged="exact")},
    ),
    _good(
        "chunk_extension",
        raw(lambda wire: (_chunked(wire) + b"\r\n").replace(b"\r\n0\r\n", b"\r\n0;a=b\r\n")),
    ),
    _good(
        "second_answer", raw(lambda wire: _chunked(wire) + b"\r\n" + wire.head("content-length: 2") + b"{}")
    ),
    _good("no_reason", raw(lambda wire: (wire.head() + wire.sound).replace(b" 200 Said", b" 200", 1))),
)
