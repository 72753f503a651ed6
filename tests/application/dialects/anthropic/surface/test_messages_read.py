"""Whole answers of a provider of the same dialect: they pass, and are metered."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.read import message_text, read_message
from application.wire.answer import ReadAnswer

USAGE = b'{"input_tokens": 10, "output_tokens":5,"service_tier":"standard"}'
BODY = b'{"id":"msg_1","type":"message","content":[{"type":"text","text":"H\xc3\xa9"}], "usage": %b}' % USAGE


def test_a_message_passes_to_the_byte() -> None:
    """With its usage as its provider wrote it."""
    assert read_message(BODY) == ReadAnswer(BODY, USAGE)
    assert message_text(BODY).text == "Hé"


@pytest.mark.parametrize("usage", [b"null", b"{}", b"5", b'"x"'])
def test_a_message_without_usage_passes(usage: bytes) -> None:
    """It is counted locally."""
    body = BODY.replace(USAGE, usage)
    assert read_message(body) == ReadAnswer(body, None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"api_error","message":"x"}}',
        b'{"error":"x","content":[]}',
        b'{"content":[],"base_resp":{"status_code":1008,"status_msg":"x"}}',
    ],
)
def test_an_error_told_with_status_200_is_one(body: bytes) -> None:
    """Also in MiniMax's own way."""
    assert read_message(body) == ReadAnswer(b"", None, "error_body")


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"choices":[]}', b'{"content":"x"}', b"[" * 9_999]
)
def test_what_is_no_message_is_garbage(body: bytes) -> None:
    """It is never sent to a client."""
    assert read_message(body) == ReadAnswer(b"", None, "garbage")


def test_a_zero_of_minimax_is_no_error() -> None:
    """It says so with every answer."""
    assert read_message(b'{"content":[],"base_resp":{"status_code":0}}').fault is None


def test_bytes_that_are_no_utf8_are_mended() -> None:
    """As servers that cut characters in two make them."""
    assert read_message(BODY.replace(b"\xc3\xa9", b"\xc3")).body == BODY.replace(b"\xc3\xa9", "�".encode())


def test_our_cost_is_not_told() -> None:
    """It stays in what is metered."""
    read = read_message(BODY.replace(b'"service', b'"cost":0.5,"service'))
    assert b"cost" not in read.body
    assert b"cost" in (read.usage_raw or b"")


def test_a_message_of_odd_types_is_read_loosely() -> None:
    """What can be used of it is used."""
    body = b'{"type":5,"content":[{"type":"text","text":7},{"type":"text","text":"x"}],"usage":{"input_tokens":1}}'
    read = read_message(body)
    assert (read.fault, json.loads(read.usage_raw or b"")) == (None, {"input_tokens": 1})
    assert message_text(body).text == "x"


def test_what_the_model_generated_is_gathered() -> None:
    """Thoughts, texts and calls; not what the provider's own tools found."""
    content = [
        {"type": "thinking", "thinking": "hm ", "signature": "s"},
        {"type": "text", "text": "Yes "},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "code_execution_tool_result", "text": "no"},
    ]
    body = json.dumps({"content": content}, separators=(",", ":")).encode()
    assert message_text(body).text == 'hm Yes f{"a":1}'


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "usage", "text", "input", "error", "base_resp", "status_code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=20) | ODD.map(lambda value: json.dumps(value).encode()))
def test_no_body_raises(body: bytes) -> None:
    """Whatever came with the 200."""
    read = read_message(body)
    assert (read.body == b"") is (read.fault is not None)
    message_text(body)


@given(st.dictionaries(st.sampled_from(["content", "usage", "error", "base_resp"]), ODD))
def test_no_message_raises(members: dict[str, Any]) -> None:
    """Its members may have any type."""
    body = json.dumps({"content": []} | members).encode()
    read_message(body)
    message_text(body)
