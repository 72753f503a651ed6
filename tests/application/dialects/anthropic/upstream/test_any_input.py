"""Whatever comes: requests are translated or refused by name, answers and streams never raise, cuts do not matter."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.dialects.anthropic.upstream.traits import TRAITS
from application.dialects.port import Asked, Target
from application.wire.errors import InvalidRequest
from tests.application.dialects.anthropic.upstream.replay import START, STOP, Replayed, call, end, text, wire

SECRET = "s3cret-words"
WORDS = (
    "", " ", SECRET, "text", "auto", "none", "required", "function", "user", "assistant", "tool", "system", "a", "{}",
    '{"a":1}', "high", "json_schema", "object", "ephemeral", "image_url", "https://example.org/x", "data:image/png;base64,AAAA",
    "thinking", "redacted_thinking", "tool_use", "server_tool_use", "end_turn", "refusal", ANSWER_TOOL, "é\U0001f600",
)  # fmt: skip
MEMBERS = (
    "role", "content", "type", "text", "name", "tool_calls", "tool_call_id", "id", "function", "arguments", "parameters",
    "image_url", "url", "file", "file_data", "cache_control", "thinking_blocks", "thinking", "signature", "data", "input",
    "json_schema", "schema", "allowed_tools", "tools", "mode", "refusal", "ttl", "strict", "is_error", "explanation",
    "input_tokens", "output_tokens", "iterations", "cache_creation", "usage", "stop_reason", "message", "index", "delta",
    "content_block", "partial_json",
)  # fmt: skip
TOP = (
    "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "stop", "temperature", "top_p",
    "top_k", "user", "safety_identifier", "service_tier", "cache_control", "n", "functions", "modalities", "logit_bias",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)
    ),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(("text", "image_url", "file", "refusal", "thinking", "input_audio"))},
    optional=dict.fromkeys(("text", "image_url", "file", "cache_control"), VALUES),
)
CALLS = st.fixed_dictionaries(
    {"id": st.sampled_from(("a", "b", "a.b")), "type": st.just("function")},
    optional={"function": st.one_of(st.just({"name": "f", "arguments": "{}"}), VALUES)},
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(("user", "assistant", "tool", "system", "developer", "function"))},
    optional={
        "content": st.one_of(st.sampled_from(WORDS), st.lists(st.one_of(PARTS, VALUES), max_size=3), VALUES),
        "tool_calls": st.one_of(st.lists(CALLS, max_size=3), VALUES),
        "tool_call_id": st.one_of(st.sampled_from(("a", "b", "a.b")), VALUES),
        "thinking_blocks": VALUES,
        "cache_control": VALUES,
    },
)
CHATS = st.fixed_dictionaries(
    {"messages": st.one_of(st.lists(MESSAGES, max_size=6), st.lists(VALUES, max_size=3), VALUES)},
    optional=dict.fromkeys(TOP, VALUES),
)
TRAIT_SETS = st.frozensets(st.sampled_from(sorted(TRAITS)))


def outcome(chat: dict[str, Any], target: Target, *, stream: bool) -> Asked | InvalidRequest:
    try:
        return AnthropicUpstream().ask(chat, target, stream=stream)
    except InvalidRequest as refusal:
        return refusal


@settings(max_examples=400, deadline=None)
@given(chat=CHATS, traits=TRAIT_SETS, output_tokens=st.integers(1, 200_000), stream=st.booleans())
def test_a_request_is_translated_or_refused_by_name(
    chat: dict[str, Any], traits: frozenset[str], output_tokens: int, stream: bool
) -> None:
    """No other exception, no word of the content in a refusal, and the chat is as it was."""
    before = json.dumps(chat)
    asked = outcome(chat, Target(model="m", output_tokens=output_tokens, traits=traits), stream=stream)
    if isinstance(asked, InvalidRequest):
        assert asked.param
        assert SECRET not in asked.message
        assert SECRET not in asked.param
    else:
        body = json.loads(asked.body)
        roles = [turn["role"] for turn in body["messages"] if turn["role"] != "system"]
        assert roles[0] == "user"
        assert all(turn["content"] for turn in body["messages"])
        assert "prefill" in traits or roles[-1] == "user"
    assert json.dumps(chat) == before


@settings(max_examples=300, deadline=None)
@given(chat=CHATS, traits=TRAIT_SETS)
def test_every_result_follows_its_call(chat: dict[str, Any], traits: frozenset[str]) -> None:
    """Whatever was asked: each call of a turn has its one result at the beginning of the next."""
    asked = outcome(chat, Target(model="m", output_tokens=9, traits=traits), stream=False)
    if isinstance(asked, InvalidRequest):
        return
    waiting: list[str] = []
    for turn in json.loads(asked.body)["messages"]:
        kinds = [block["type"] for block in turn["content"]]
        results = [block["tool_use_id"] for block in turn["content"] if block["type"] == "tool_result"]
        assert sorted(results) == sorted(waiting)
        assert kinds[: len(results)] == ["tool_result"] * len(results)
        waiting = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
    assert waiting == []


BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "compaction", "x"))},
    optional=dict.fromkeys(("text", "thinking", "signature", "data", "id", "name", "input", "content"), VALUES),
)  # fmt: skip
ANSWERS = st.fixed_dictionaries(
    {"type": st.sampled_from(("message", "message", "error")), "content": st.one_of(st.lists(BLOCKS, max_size=5), VALUES)},
    optional=dict.fromkeys(("id", "stop_reason", "stop_details", "usage", "error"), VALUES),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(answer=st.one_of(ANSWERS, VALUES))
def test_an_answer_never_raises(answer: Any) -> None:
    """It is a completion that strict clients take, or a fault."""
    read = AnthropicUpstream().read(json.dumps(answer).encode(), alias="a", created_s=1)
    assert (read.completion is None) == (read.fault is not None)
    if read.completion is not None:
        ChatCompletion.model_validate(read.completion, strict=True)
        msgspec.json.encode(read.completion)


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200))
def test_bytes_never_raise(body: bytes) -> None:
    """As an answer and as a stream."""
    read = AnthropicUpstream().read(body, alias="a", created_s=1)
    assert read.fault is not None
    assert not Replayed([body]).end.complete


KINDS = (
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop",
    "ping", "vendor",
)  # fmt: skip
DELTAS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("text", "thinking", "signature", "partial_json", "content", "stop_reason"), VALUES)
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "index": st.one_of(st.integers(0, 2), VALUES),
        "message": st.one_of(st.sampled_from((START["message"],)), VALUES),
        "content_block": st.one_of(BLOCKS, VALUES),
        "delta": st.one_of(DELTAS, VALUES),
        "usage": VALUES,
    },
)
WELL_FORMED = st.lists(
    st.sampled_from((text(0, "é\U0001f600"), call(1, "f", '{"a":', "1}"), call(2, "g"), text(3, "b", "c"))),
    max_size=4,
).map(lambda blocks: [START, *(event for block in blocks for event in block), end(), STOP])
STREAMS = st.one_of(
    WELL_FORMED.map(lambda events: wire(*events)),
    st.tuples(WELL_FORMED, st.lists(EVENTS, max_size=6)).map(lambda pair: wire(*pair[0][:-2], *pair[1], *pair[0][-2:])),
    st.lists(EVENTS, max_size=8).map(lambda events: wire(*events)),
    st.lists(st.sampled_from((b"data: {}\n", b"\n", b"\r", b"event: error\r\n", b": x\n", b"data: [DONE]\n\n", b"\xef\xbb\xbf",
        b"id: 1\n", b"data: \xf0\x9f\n\n", b'data: {"type":"message_stop"}\n\n', wire(START), wire(end()))), max_size=8).map(b"".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(stream=STREAMS, data=st.data())
def test_the_cuts_do_not_matter(stream: bytes, data: st.DataObject) -> None:
    """Any pieces of any stream: the same chunks, usage, text and fault; nothing raises, and strict clients take it."""
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:stop] for start, stop in zip([0, *places], [*places, len(stream)], strict=True)]
    whole, cut = Replayed([stream]), Replayed(pieces)
    by_bytes = Replayed([stream[at : at + 1] for at in range(len(stream))])
    for other in (cut, by_bytes):
        assert other.chunks == whole.chunks
        assert other.end == whole.end
        assert other.stream.usage_raw == whole.stream.usage_raw
        assert other.stream.spoken() == whole.stream.spoken()
        assert other.stream.error_body == whole.stream.error_body
    assert whole.end.complete == (whole.end.fault is None)
    assert whole.end.complete or not whole.end.chunks
    msgspec.json.encode(whole.chunks)


@pytest.mark.parametrize("depth", [200, 5_000])
def test_deep_nesting_does_not_raise(depth: int) -> None:
    """Neither where parsing gives up nor where it does not."""
    deep = (
        b'{"type":"message","content":[{"type":"tool_use","name":"f","input":{"a":'
        + b"[" * depth
        + b"]" * depth
        + b"}}]}"
    )
    read = AnthropicUpstream().read(deep, alias="a", created_s=1)
    assert (read.completion is None) == (read.fault is not None)
    Replayed([b"data: " + deep + b"\n\n"])
