"""Whole chat completions as messages."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.surface import MessagesSurface
from tests.application.dialects.anthropic.surface.oracle import strict_message

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def answered(
    message: Any, finish: Any = "stop", usage: Any = USAGE, surface: MessagesSurface | None = None
) -> dict[str, Any]:
    completion = {
        "id": "chatcmpl-9",
        "object": "chat.completion",
        "model": "upstream",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }
    body = (surface or MessagesSurface()).answer(completion, request={"model": "alias"})
    strict_message(body)
    answer: dict[str, Any] = json.loads(body)
    return answer


def call(arguments: str, call_id: str = "c1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}}


def test_a_text_is_a_message() -> None:
    """With the name that the client gave the model, and all members that clients read."""
    assert answered({"role": "assistant", "content": "Hi"}) == {
        "id": "msg_9",
        "type": "message",
        "role": "assistant",
        "model": "alias",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 7,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 3,
        },
    }


def test_thoughts_text_and_calls_are_blocks_in_this_order() -> None:
    """As a model of this dialect has them."""
    message = {
        "content": "Hi",
        "reasoning_content": "hm",
        "tool_calls": [call('{"a": 1.50}'), call("", "c2")],
    }
    answer = answered(message, "tool_calls")
    assert answer["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1.5}},
        {"type": "tool_use", "id": "c2", "name": "f", "input": {}},
    ]
    assert answer["stop_reason"] == "tool_use"


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "null", '"x"', "{}{}", '{"a":"\\ud800"}'])
def test_arguments_that_are_no_object_stay_readable(arguments: str) -> None:
    """Under the name that Anthropic's documentation has for it, so that a client can tell its model."""
    answer = answered({"content": None, "tool_calls": [call(arguments)]})
    assert answer["content"][0]["input"] == {"INVALID_JSON": arguments}


def test_a_call_stops_for_its_tool_even_when_the_provider_says_stop() -> None:
    """Trap 4, in a whole answer."""
    assert answered({"content": "", "tool_calls": [call("{}")]}, "stop")["stop_reason"] == "tool_use"


def test_cached_and_written_tokens_stand_beside_the_input() -> None:
    """Of 100 prompt tokens 30 were read from a cache and 10 written to one."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert answered({"content": "x"}, usage=usage)["usage"] == {
        "input_tokens": 60,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 30,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 4},
    }


def test_neighbouring_parts_are_one_block() -> None:
    """As a model of this dialect writes them."""
    parts = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "thinking", "thinking": "c"},
    ]
    content = answered({"content": parts})["content"]
    assert [block.get("text", block.get("thinking")) for block in content] == ["ab", "c"]


def test_the_figures_are_those_of_metering() -> None:
    """A provider with an arithmetic of its own is read by it: what a client is told is what it is charged for."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "total_tokens": 32,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    surface = MessagesSurface(usage_dialect="xai")
    assert answered({"content": "x"}, usage=usage, surface=surface)["usage"]["output_tokens"] == 22


def test_text_around_a_half_of_a_character_is_kept() -> None:
    """A provider that cuts characters in two does not break the answer."""
    answer = answered({"content": "a\ud800b", "tool_calls": [call('{"a":1}')]})
    assert answer["content"][0]["text"] == "a?b"
    assert answer["content"][1]["input"] == {"a": 1}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "thinking", "index", "id", "function", "name", "arguments"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["content", "reasoning", "refusal", "tool_calls", "function_call"]), ODD),
    ODD,
    ODD,
)
def test_no_completion_however_odd_raises(message: dict[str, Any], finish: Any, usage: Any) -> None:
    """Whatever a provider says, its client gets a valid message."""
    answered(message, finish, usage)


@given(ODD)
def test_no_document_raises(value: Any) -> None:
    """Completions that are none are messages without content."""
    for completion in ({"choices": value}, {"choices": [value]}, {"choices": [{"message": value}]}):
        strict_message(MessagesSurface().answer(completion, request={"model": "alias"}))


def test_a_nested_usage_is_no_usage() -> None:
    """Nesting that no encoder takes is not followed."""
    usage: dict[str, Any] = {}
    for _ in range(100_000):
        usage = {"a": usage}
    assert answered({"content": "x"}, usage=usage)["usage"]["input_tokens"] == 0
    while usage:
        usage = usage["a"]  # taken apart by hand: freeing it at once would nest as deep
