"""Reading the head of a chat request: what is accepted, and that every malformed body is a 400 with its code."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.content import Content
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead, parse_chat

MESSAGES = [{"role": "user", "content": "hi"}]


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES} | members, separators=(",", ":")).encode()


def raw(member: str) -> bytes:
    """A body with one member spelled by the test."""
    return b'{"model":"m","messages":[{"role":"user","content":"hi"}],%b}' % member.encode()


def refused(data: bytes) -> tuple[str, str | None]:
    with pytest.raises(InvalidRequest) as caught:
        parse_chat(data)
    return caught.value.code, caught.value.param


def test_a_plain_request_is_read() -> None:
    """Defaults: one choice, no stream, no bound, nothing but text."""
    data = body()
    assert parse_chat(data) == ChatHead(
        model="m",
        stream=False,
        include_usage=False,
        max_tokens=None,
        max_completion_tokens=None,
        n=1,
        user=None,
        metadata=None,
        content=Content(messages=1),
        has_prediction=False,
        provider_tools=0,
        body_bytes=len(data),
    )


def test_everything_the_gateway_needs_is_read() -> None:
    """Stream, usage on it, both bounds, choices, user, tags and a prediction."""
    head = parse_chat(
        body(
            model="openai/gpt-4o:free",
            stream=True,
            stream_options={"include_usage": True, "include_obfuscation": False},
            max_tokens=7,
            max_completion_tokens=5,
            n=128,
            user="u-1",
            metadata={"team": "a"},
            prediction={"type": "content", "content": "x"},
            no_such_member={"deep": [1, 2.5, None]},
        )
    )
    assert (head.model, head.stream, head.include_usage) == ("openai/gpt-4o:free", True, True)
    assert (head.max_tokens, head.max_completion_tokens, head.output_limit, head.n) == (7, 5, 5, 128)
    assert (head.user, head.metadata, head.has_prediction) == ("u-1", {"team": "a"}, True)


@pytest.mark.parametrize(
    ("members", "limit"),
    [
        ({}, None),
        ({"max_tokens": 3}, 3),
        ({"max_tokens": 0}, 1),
        ({"max_tokens": 9, "max_completion_tokens": 0}, 1),
        ({"max_completion_tokens": 4}, 4),
        ({"max_tokens": 3, "max_completion_tokens": 9}, 3),
    ],
)
def test_the_output_limit_is_the_narrower_of_those_given(members: dict[str, int], limit: int | None) -> None:
    """Either name bounds the answer; with both, the smaller does."""
    assert parse_chat(body(**members)).output_limit == limit


def test_usage_is_asked_for_only_on_a_stream() -> None:
    """`stream_options` of a request that does not stream means nothing to us."""
    assert not parse_chat(body(stream_options={"include_usage": True})).include_usage
    assert not parse_chat(body(stream=True, stream_options={"include_usage": False})).include_usage
    assert not parse_chat(body(stream=True, stream_options=None)).include_usage
    assert not parse_chat(body(stream=True, stream_options={})).include_usage


def test_null_members_are_as_absent() -> None:
    """SDKs send null for what was not set."""
    names = (
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "user",
        "metadata",
        "prediction",
    )
    data = body(**dict.fromkeys(names))
    assert parse_chat(data) == msgspec.structs.replace(parse_chat(body()), body_bytes=len(data))


def test_parts_are_counted_and_inline_data_is_not_text() -> None:
    """Images, clips and pieces that bytes do not bound are told apart; data URLs leave the byte count."""
    url = "data:image/png;base64," + "A" * 1000
    head = parse_chat(
        body(
            messages=[
                {"role": "system", "content": None},
                {
                    "role": "user",
                    "content": [
                        "bare text",
                        {"type": "text", "text": "what is this"},
                        {"type": "image_url", "image_url": {"url": url}},
                        {"type": "image_url", "image_url": "https://example.com/a.png"},
                        {"type": "image_url"},
                        {"type": "input_audio", "input_audio": {"data": "B" * 500, "format": "wav"}},
                        {"type": "input_audio", "input_audio": {"data": "é" * 500}},
                        {"type": "file", "file": {"file_data": "C" * 100}},
                        {"type": ["odd"]},
                        7,
                    ],
                },
                {"role": "assistant", "audio": {"id": "audio_1"}},
            ]
        )
    )
    assert head.content == Content(messages=3, images=3, audios=3, opaque=3, inline_bytes=len(url) + 500)


def test_a_long_user_is_cut_and_tags_beyond_the_limits_are_left_out() -> None:
    """What is only kept for the record never refuses a request for its size."""
    tags: dict[str, Any] = {
        "k" * 65: "v",
        "long": "v" * 513,
        "number": 1,
        **{f"t{index}": "v" for index in range(20)},
    }
    head = parse_chat(body(user="u" * 600, metadata=tags))
    assert head.user == "u" * 512
    assert head.metadata == {f"t{index}": "v" for index in range(16)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"model":"\xff"}', "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (raw('"a":1e400'), "out of range"),
        (raw('"a":' + "9" * 100_000), "out of range"),
        (b"{", "malformed"),
        (b"{} x", "malformed"),
        (raw('"a":NaN'), "malformed"),
        (raw('"a":-Infinity'), "malformed"),
        (raw(r'"a":"\ud800"'), "malformed"),
        (raw(r'"\udc00":1'), "malformed"),
        (b'{"model":"a\x00b"}', "malformed"),
        ('{"model":"m"}'.encode("utf-16"), "UTF-8"),
        (b"\x1f\x8b\x08", "malformed"),
    ],
)
def test_what_is_no_json_says_why(data: bytes, reason: str) -> None:
    """Every such body is `invalid_json`, with the reason in the message."""
    with pytest.raises(InvalidRequest) as caught:
        parse_chat(data)
    assert caught.value.code == "invalid_json"
    assert reason in caught.value.message or (reason == "UTF-8" and "malformed" in caught.value.message)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        raw('"ignored":' + "[" * 3_000 + "]" * 3_000),
        raw('"messages2":[{"role":"user","content":' + "[" * 2_000 + "]" * 2_000 + "}]"),
    ],
)
def test_deep_nesting_is_refused_also_in_what_is_ignored(data: bytes) -> None:
    """The parser's `RecursionError` is a 400, never a 500."""
    assert refused(data) == ("nesting_too_deep", None)


def test_no_depth_of_nesting_raises_anything_else() -> None:
    """Bytes that are spelled unusually go through a second parser, with a limit that lies a little elsewhere."""
    codes = set()
    for depth in range(700, 1_001):
        try:
            parse_chat(raw('"a": ' + "[" * depth + r'"\u00e9"' + "]" * depth))
        except InvalidRequest as refusal:
            codes.add(refusal.code)
    assert codes == {"nesting_too_deep"}


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b'{"model":"a","model":"b","messages":[]}', "model"),
        (b'{"model": "a", "model": "b"}', "model"),
        (raw('"x":{"y":[{"z":1,"z":1}]}'), "z"),
        (raw(r'"a":1,"\u0061":2'), "a"),
        (b'{"model":"m","messages":[{"role":"user","role":"system"}]}', "role"),
        (raw('"it\'s\\u0007":1,"it\'s\\u0007":2'), "it?s?"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_anywhere(data: bytes, key: str) -> None:
    """Two parsers may each take another one of two equal keys; so nobody gets to choose."""
    assert refused(data) == ("duplicate_key", key)


@pytest.mark.parametrize(
    "data",
    [
        b' {"model" : "m" , "messages" : [ { "role" : "user" , "content" : "hi" } ] } \n',
        b'{"model":"m","messages":[{"role":"user","content":"caf\\u00e9 \\/ \\u007f"}],"temperature":1e-05,"top_p":1.0}',
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "héllo 😀"}]}, indent=2).encode(),
        body(seed=2**70, big=-(2**80)),
    ],
)
def test_spelling_is_free(data: bytes) -> None:
    """Blanks, escapes and ways to write a number refuse nothing."""
    assert parse_chat(data).model == "m"


@pytest.mark.parametrize("data", [b"[]", b"null", b'"x"', b"1", b"1.5", b"true"])
def test_a_body_that_is_no_object_is_refused(data: bytes) -> None:
    """Any other JSON value is the wrong type."""
    assert refused(data) == ("invalid_type", None)


TYPE, VALUE, MISSING = "invalid_type", "invalid_value", "missing_required_parameter"


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"model": None}, MISSING, "model"),
        ({"model": 7}, TYPE, "model"),
        ({"model": ["m"]}, TYPE, "model"),
        ({"model": ""}, VALUE, "model"),
        ({"model": "m" * 201}, VALUE, "model"),
        ({"model": "a\0b"}, VALUE, "model"),
        ({"model": "a\nb"}, VALUE, "model"),
        ({"model": "a\u202eb"}, VALUE, "model"),
        ({"messages": None}, MISSING, "messages"),
        ({"messages": {}}, TYPE, "messages"),
        ({"messages": "hi"}, TYPE, "messages"),
        ({"messages": []}, "empty_array", "messages"),
        ({"messages": ["hi"]}, TYPE, "messages[0]"),
        ({"messages": [*MESSAGES, None]}, TYPE, "messages[1]"),
        ({"messages": [{"content": "hi"}]}, MISSING, "messages[0].role"),
        ({"messages": [{"role": 1}]}, TYPE, "messages[0].role"),
        ({"messages": [{"role": ""}]}, VALUE, "messages[0].role"),
        ({"messages": [{"role": "a\0"}]}, VALUE, "messages[0].role"),
        ({"messages": [{"role": "r" * 65}]}, VALUE, "messages[0].role"),
        ({"stream": 1}, TYPE, "stream"),
        ({"stream": "true"}, TYPE, "stream"),
        ({"stream": True, "stream_options": []}, TYPE, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, TYPE, "stream_options.include_usage"),
        ({"max_tokens": -1}, VALUE, "max_tokens"),
        ({"max_tokens": 2**31}, VALUE, "max_tokens"),
        ({"max_tokens": 2**70}, VALUE, "max_tokens"),
        ({"max_tokens": 1.0}, TYPE, "max_tokens"),
        ({"max_tokens": "5"}, TYPE, "max_tokens"),
        ({"max_tokens": True}, TYPE, "max_tokens"),
        ({"max_completion_tokens": -1}, VALUE, "max_completion_tokens"),
        ({"max_completion_tokens": {}}, TYPE, "max_completion_tokens"),
        ({"n": 0}, VALUE, "n"),
        ({"n": 129}, VALUE, "n"),
        ({"n": False}, TYPE, "n"),
        ({"user": 5}, TYPE, "user"),
        ({"user": "a\0"}, VALUE, "user"),
        ({"metadata": []}, TYPE, "metadata"),
        ({"metadata": {"a\0": "b"}}, VALUE, "metadata"),
        ({"metadata": {"a": "b\0"}}, VALUE, "metadata"),
    ],
)
def test_members_of_the_wrong_type_or_range_are_named(members: dict[str, Any], code: str, param: str) -> None:
    """The client is told which member, and whether its type or its value is wrong."""
    assert refused(body(**members)) == (code, param)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "user",
        "metadata",
    ]
)
PART = st.dictionaries(
    st.sampled_from(["type", "text", "image_url", "input_audio"]), JSON | st.just("image_url")
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("user") | JSON, "content": JSON | st.lists(PART, max_size=3)}
)


def only_invalid_request_escapes(data: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        head = parse_chat(data)
        assert head.model
        assert head.n >= 1
        assert head.content.messages >= 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Noise of any kind is a 400."""
    only_invalid_request_escapes(data)


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON | st.lists(MESSAGE, max_size=3), max_size=9), st.booleans())
def test_no_json_raises_anything_else(document: dict[str, Any], compact: bool) -> None:
    """Any value under any of the members that are read is accepted or a 400."""
    only_invalid_request_escapes(
        json.dumps(
            {"model": "m"} | document, separators=(",", ":") if compact else None, ensure_ascii=not compact
        ).encode("utf-8", "surrogatepass")
    )


@settings(deadline=None)
@given(st.data())
def test_no_mutation_of_a_real_body_raises_anything_else(
    requests: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Recorded requests, with bytes changed, dropped, doubled and cut."""
    request = bytearray(json.dumps(data.draw(st.sampled_from(requests[:200]))["request_body"]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(request)))
        end = min(len(request), start + data.draw(st.integers(0, 40)))
        request[start:end] = data.draw(st.binary(max_size=6) | st.just(bytes(request[start:end]) * 2))
    only_invalid_request_escapes(bytes(request))


def test_every_request_that_a_provider_answered_is_accepted(requests: list[dict[str, Any]]) -> None:
    """1,300 recorded requests, as SDKs spell them and with blanks."""
    assert len(requests) > 1_000
    for case in requests:
        request = case["request_body"]
        for spelled in (json.dumps(request), json.dumps(request, separators=(",", ":"), ensure_ascii=False)):
            head = parse_chat(spelled.encode())
            assert head.model == request["model"], case["id"]
            assert head.content.messages == len(request["messages"]), case["id"]
            assert head.stream == bool(request.get("stream")), case["id"]
