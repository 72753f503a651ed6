"""Well framed answers that carry something else than the answer."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any, Final

from tests.matrix.answers import TEXT, Json, Kind, encoded, good
from tests.matrix.fault import KINDS, Expected, Fault, fails, refused, said, serves
from tests.matrix.upstream import Play, Wire

_NOISE: Final = random.Random(11).randbytes(4_096).replace(b"\n", b"x").replace(b"\r", b"x")
_HTML: Final = b"<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
_TEXT: Final = encoded(TEXT)[1:-1]
_OPENAI: Final[tuple[Kind, ...]] = ("chat", "responses")
_READ_LOOSELY: Final[tuple[Kind, ...]] = ("chat", "responses", "gemini")


def _fault(
    name: str,
    body: Callable[[Wire], bytes],
    *fields: str,
    json: Expected | None = None,
    stream: Expected | None = None,
    kinds: tuple[Kind, ...] = KINDS,
    status: int = 200,
) -> Fault:
    return Fault(
        name=name,
        family="body",
        play=said(body, *fields, status=status),
        json=json,
        stream=stream,
        kinds=kinds,
    )


def _no_answer(name: str, body: bytes | Callable[[Wire], bytes], *fields: str) -> Fault:
    """Nothing of an answer, for a document and for a stream."""
    return _fault(name, body if callable(body) else lambda _: body, *fields, json=fails(), stream=fails())


def _changed(
    name: str, change: Callable[[bytes], bytes], *, expected: Expected, kinds: tuple[Kind, ...] = KINDS
) -> Fault:
    """The sound document, its bytes changed."""
    return _fault(name, lambda wire: change(wire.good.body), json=expected, kinds=kinds)


def _with(**members: Any) -> Callable[[bytes], bytes]:
    """The sound document with these members more; texts that begin with @ stand as they are, without quotes."""

    def change(body: bytes) -> bytes:
        extra = ",".join(
            f'"{name}":{value[1:] if isinstance(value, str) and value.startswith("@") else json.dumps(value)}'
            for name, value in members.items()
        )
        return body[:-1] + b"," + extra.encode() + b"}"

    return change


_LIST: Final[dict[Kind, str]] = {
    "chat": "choices",
    "responses": "output",
    "messages": "content",
    "gemini": "candidates",
}


def _replaced(name: str, value: Any, *, expected: Expected, kinds: tuple[Kind, ...] = KINDS) -> Fault:
    """What holds the answer is something else; `...` takes it out."""

    def body(wire: Wire) -> bytes:
        document: Json = {key: kept for key, kept in wire.good.document.items() if key != _LIST[wire.kind]}
        return encoded(document if value is ... else {**document, _LIST[wire.kind]: value})

    return _fault(name, body, json=expected, kinds=kinds)


def _other_kind(wire: Wire) -> bytes:
    return good("messages" if wire.kind != "messages" else "chat").body


def _other_stream(wire: Wire) -> bytes:
    return b"".join(good("messages" if wire.kind != "messages" else "chat").events)


async def _stream_to_json(wire: Wire) -> None:
    await wire.whole(b"".join(wire.good.events), stream=True)


async def _json_to_stream(wire: Wire) -> None:
    await wire.whole(wire.good.body, stream=False)


async def _json_as_stream(wire: Wire) -> None:
    await wire.whole(wire.good.body, stream=True)


def _typed(kind: str, stream: Expected) -> Fault:
    """Sound bytes under another content type."""

    async def play(wire: Wire) -> None:
        await wire.whole(wire.sound, f"content-type: {kind}")

    name = f"type_{kind.partition(';')[0].replace('/', '_').replace('-', '_') or 'none'}"
    return Fault(name=name, family="body", play=play, json=serves(), stream=stream)


_SOUND: Final = serves()


def _play(name: str, play: Play, *, json: Expected | None = None, stream: Expected | None = None) -> Fault:
    return Fault(name=name, family="body", play=play, json=json, stream=stream)


FAULTS: Final = (
    _no_answer("empty_body", b""),
    _no_answer("blank_body", b" \r\n" * 50),
    _no_answer("html_200", _HTML, "content-type: text/html; charset=utf-8"),
    _no_answer("html_as_answer", _HTML),
    _no_answer("noise_body", _NOISE),
    _no_answer("zero_bytes", b"\x00" * 1_000),
    _no_answer("text_body", b"upstream request timeout", "content-type: text/plain"),
    _no_answer("gzip_unasked", lambda wire: gzip.compress(wire.sound), "content-encoding: gzip"),
    _no_answer("deflate_unasked", lambda wire: zlib.compress(wire.sound), "content-encoding: deflate"),
    _no_answer("gzip_unlabelled", lambda wire: gzip.compress(wire.sound)),
    _no_answer("gzip_cut", lambda wire: gzip.compress(wire.sound)[:-9], "content-encoding: gzip"),
    _no_answer("gzip_bomb_small", lambda _: gzip.compress(b"\n" * 10**7), "content-encoding: gzip"),
    _fault("gzip_label_only", lambda wire: wire.sound, "content-encoding: gzip", json=_SOUND, stream=_SOUND),
    *(
        _fault(f"json_{name}", lambda _, body=body: body, json=fails())  # type: ignore[misc]  # bound in the loop
        for name, body in {
            "null": b"null",
            "number": b"7",
            "text": b'"hello"',
            "true": b"true",
            "list": b"[]",
            "empty": b"{}",
            "two_documents": b"{}{}",
            "only_brace": b"{",
            "deep": b"[" * 100_000,
            "deep_objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        }.items()
    ),
    _changed("json_cut", lambda body: body[: len(body) * 2 // 3], expected=fails()),
    _changed("json_doubled", lambda body: body + body, expected=fails()),
    _changed("json_in_list", lambda body: b"[" + body + b"]", expected=fails()),
    _changed("json_trailing_noise", lambda body: body + b"\x00\xff", expected=fails()),
    _changed("json_bom", lambda body: b"\xef\xbb\xbf" + body, expected=_SOUND),
    _changed("json_blank_lines", lambda body: b"\n" * 200 + body, expected=_SOUND),
    _changed("json_utf16", lambda body: body.decode().encode("utf-16"), expected=fails()),
    _changed("json_deep_member", _with(deep=f"@{'[' * 100_000}{']' * 100_000}"), expected=fails()),
    _changed("json_nan_member", _with(score="@NaN"), expected=_SOUND, kinds=_READ_LOOSELY),
    _changed("json_endless_number", _with(size=f"@{'9' * 4_000}"), expected=_SOUND),
    _changed("json_1e400000", _with(size="@1e400000"), expected=_SOUND, kinds=_READ_LOOSELY),
    _changed("json_many_members", _with(**{f"m{n}": n for n in range(5_000)}), expected=_SOUND),
    _changed("json_error_null", _with(error=None), expected=_SOUND),
    _changed("json_base_resp_ok", _with(base_resp={"status_code": 0, "status_msg": ""}), expected=_SOUND),
    _changed("json_wrong_model", lambda body: body.replace(b"matrix-model", b"another-model"), expected=_SOUND),
    _changed("json_wrong_id", lambda body: body.replace(b'"answer-1"', b"17"), expected=_SOUND),
    _changed("json_id_twice", _with(id="other"), expected=_SOUND),
    _changed("text_bad_utf8", lambda b: b.replace(_TEXT, _TEXT + b"\xff\xfe\x80"), expected=serves(text=False)),
    _changed("text_nul_raw", lambda b: b.replace(_TEXT, _TEXT + b"\x00"), expected=fails()),
    _changed("text_nul", lambda b: b.replace(_TEXT, _TEXT + rb"\u0000"), expected=serves(text=False)),
    _changed("text_surrogate", lambda b: b.replace(_TEXT, _TEXT + rb"\ud800"), expected=serves(text=False)),
    _replaced("answer_missing", ..., expected=fails(), kinds=("chat", "responses", "messages")),
    _replaced("answer_null", None, expected=fails(), kinds=("chat", "responses", "messages")),
    _replaced("answer_number", 7, expected=fails()),
    _replaced("answer_text", "hello", expected=fails()),
    _fault("error_text", lambda _: b'{"error":"it broke"}', json=fails(), stream=fails()),
    _fault("error_number", lambda _: b'{"error":500}', json=fails(), stream=fails()),
    _fault(
        "error_mistake_200",
        lambda _: b'{"error":{"message":"no","type":"invalid_request_error","param":"top_p","code":null}}',
        json=refused(status=200),
        stream=refused(status=200),
        kinds=_OPENAI,
    ),
    _fault("error_huge_500", lambda _: b'{"error":"' + b"x" * 200_000 + b'"}', status=500, json=fails(status=500), stream=fails(status=500)),
    _fault("error_noise_500", lambda _: _NOISE, status=500, json=fails(status=500), stream=fails(status=500)),
    _fault("error_deep_500", lambda _: b"[" * 60_000, status=500, json=fails(status=500), stream=fails(status=500)),
    _fault("another_dialect", _other_kind, json=fails()),
    _fault("another_dialects_stream", _other_stream, stream=fails()),
    _play("stream_to_json", _stream_to_json, json=fails()),
    _play("json_to_stream", _json_to_stream, stream=fails()),
    _play("json_as_stream", _json_as_stream, stream=fails()),
    _typed("", fails()),
    _typed("text/plain", fails()),
    _typed("application/octet-stream", fails()),
    _typed("text/event-stream; charset=latin-1", serves()),
    _fault("many_headers", lambda w: w.sound, *(f"x-{n}: {n}" for n in range(200)), json=_SOUND, stream=_SOUND),
    _fault("odd_header", lambda w: w.sound, "x-note: na\u00efve \u2014", json=_SOUND, stream=_SOUND),
    _fault("connection_fields", lambda w: w.sound, "keep-alive: timeout=1", "www-authenticate: Basic", json=_SOUND, stream=_SOUND),
)  # fmt: skip
