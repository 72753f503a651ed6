"""Well framed HTTP with the wrong content, and the right content with strange headers."""

import gzip
import json
import zlib

import pytest

from sandbox.faults import bodies
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import TOKENS, Claim, as_good, cases, provoke, served
from tests.sandbox.rawclient import Answer

BOMB_BYTES = 8 * 1024**2


def right_type(answer: Answer) -> None:
    expected = "text/event-stream; charset=utf-8" if answer.stream else "application/json"
    assert answer.header("content-type") == expected


def garbage(answer: Answer) -> None:
    right_type(answer)
    assert len(answer.body) == 4096
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()


def empty(answer: Answer) -> None:
    right_type(answer)
    assert answer.header("content-length") == "0"
    assert answer.rest == b""


def html(answer: Answer) -> None:
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.body.startswith(b"<!doctype html>")


def error(answer: Answer) -> None:
    assert answer.json["error"]["code"] == "internal"
    assert served(answer)["usage"] is None


def truncated(answer: Answer) -> None:
    assert len(answer.good.body) * 2 // 3 == len(answer.body)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(answer.body)
    assert served(answer)["complete"] is False


def invalid_utf8(answer: Answer) -> None:
    assert b'"note":"\xff\xfe\x80"' in answer.body
    assert json.loads(answer.body.replace(b"\xff\xfe\x80", b""))["choices"] == answer.good.json["choices"]


def value(expected: str) -> Claim:
    def claim(answer: Answer) -> None:
        right_type(answer)
        assert answer.body == expected.encode()

    return claim


def in_list(answer: Answer) -> None:
    (inside,) = answer.json
    assert inside["choices"] == answer.good.json["choices"]


def deep(answer: Answer) -> None:
    assert b'"deep":' + b"[" * 100_000 + b"]" * 100_000 in answer.body
    with pytest.raises(RecursionError):
        json.loads(answer.body)


def not_numbers(answer: Answer) -> None:
    assert answer.body.startswith(b'{"score":NaN,"size":1e400000,')


def blank_lines(answer: Answer) -> None:
    assert answer.body.startswith(b"\n" * 200 + b"{")
    as_good(answer)


def byte_order_mark(answer: Answer) -> None:
    assert answer.body.startswith(b"\xef\xbb\xbf{")
    assert json.loads(answer.body[3:])["choices"] == answer.good.json["choices"]


def typed(content_type: str | None) -> Claim:
    def claim(answer: Answer) -> None:
        assert answer.header("content-type") == content_type
        as_good(answer)

    return claim


def stream_for_json(answer: Answer) -> None:
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    data, done = answer.events
    assert json.loads(data)["choices"] == answer.good.json["choices"]
    assert done == "[DONE]"


def json_for_stream(answer: Answer) -> None:
    assert answer.header("content-type") == "application/json"
    assert answer.json["choices"][0]["message"]["content"] == answer.good.text


def unpacked(answer: Answer) -> Answer:
    """The answer as it would be without its compression, still with the compressed length."""
    head = answer.head.replace(b"content-length", b"x-length")
    body = gzip.decompress(answer.body)
    raw = head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    return Answer(raw, stream=answer.stream, good=answer.good, journal=answer.journal)


def compressed(answer: Answer) -> None:
    assert answer.header("content-encoding") == "gzip"
    as_good(unpacked(answer))


def compressed_cut(answer: Answer) -> None:
    assert answer.header("content-encoding") == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)
    assert served(answer)["complete"] is False


def not_compressed(answer: Answer) -> None:
    assert answer.header("content-encoding") == "gzip"
    assert len(answer.body) == len(answer.good.body)
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(answer.body)


def bomb(answer: Answer) -> None:
    assert answer.header("content-encoding") == "gzip"
    assert answer.ended
    assert len(answer.raw) < BOMB_BYTES / 500
    assert zlib.decompress(answer.body, 31) == b"\n" * BOMB_BYTES


def cookies(answer: Answer) -> None:
    assert answer.header("set-cookie") == "session=upstream; Path=/; HttpOnly"
    assert answer.header("access-control-allow-origin") == "*"
    as_good(answer)


def many_headers(answer: Answer) -> None:
    assert sum(name.startswith("x-sandbox-") for name, _ in answer.headers) == 300
    as_good(answer)


def huge_header(answer: Answer) -> None:
    assert answer.header("x-sandbox-huge") == "h" * 1024**2
    as_good(answer)


def foreign_header(answer: Answer) -> None:
    assert b"x-sandbox-note: na\xefve \xff\r\n" in answer.raw
    as_good(answer)


def garbage_inside(answer: Answer) -> None:
    assert answer.done
    assert answer.usages == answer.good.usages
    assert b"\xff\x00" in answer.body
    assert len(answer.body) == len(answer.good.body) + 4096 + 2


def truncated_inside(answer: Answer) -> None:
    assert answer.done
    assert answer.usages == answer.good.usages
    unreadable = 0
    for data in answer.events[:-1]:
        try:
            json.loads(data)
        except ValueError:
            unreadable += 1
    assert unreadable == 1


def only_done(answer: Answer) -> None:
    assert answer.events == ["[DONE]"]
    assert answer.ended


CLAIMS: dict[str, Claim] = {
    "garbage_body": garbage,
    "empty_body": empty,
    "html_200": html,
    "error_in_200": error,
    "truncated_json": truncated,
    "invalid_utf8": invalid_utf8,
    "json_null": value("null"),
    "json_array": in_list,
    "json_empty_object": value("{}"),
    "json_deep": deep,
    "json_nan": not_numbers,
    "leading_whitespace": blank_lines,
    "byte_order_mark": byte_order_mark,
    "wrong_content_type": typed("text/plain"),
    "no_content_type": typed(None),
    "stream_for_json": stream_for_json,
    "json_for_stream": json_for_stream,
    "gzip_unasked": compressed,
    "gzip_cut": compressed_cut,
    "gzip_false": not_compressed,
    "gzip_bomb": bomb,
    "set_cookie": cookies,
    "headers_300": many_headers,
    "header_huge": huge_header,
    "header_latin1": foreign_header,
    "garbage_in_stream": garbage_inside,
    "truncated_json_in_stream": truncated_inside,
    "empty_stream": only_done,
}


@pytest.mark.parametrize(("name", "kind"), cases(bodies.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """A 200 whose framing is right: only the content is what the name says."""
    extra = {"size_bytes": BOMB_BYTES} if name == "gzip_bomb" else {}
    answer = provoke(shared, name, kind, **extra)
    assert answer.status == 200
    assert answer.ended
    CLAIMS[name](answer)
    assert served(answer)["tokens_sent"] <= TOKENS


def test_a_gigabyte_costs_a_megabyte(shared: Running) -> None:
    """The bomb's default: inflating what came would take a thousand times its size."""
    answer = shared.chat(script={"fault": "gzip_bomb"})
    assert answer.ended
    assert 1_000_000 < len(answer.raw) < 1_200_000
    unpack = zlib.decompressobj(31)
    size, part = 0, answer.body
    while part:
        size += len(unpack.decompress(part, 1 << 24))
        part = unpack.unconsumed_tail
    assert size + len(unpack.flush()) == 1024**3
