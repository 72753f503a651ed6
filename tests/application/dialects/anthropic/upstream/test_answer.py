"""Whole messages as chat completions."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.dialects.port import Json, Read

USAGE = {
    "input_tokens": 3,
    "cache_read_input_tokens": 10,
    "cache_creation_input_tokens": 5,
    "output_tokens": 7,
}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def call(name: str, given: object, call_id: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def read(*content: dict[str, Any], stop_reason: str | None = "end_turn", **more: Any) -> Read:
    message = {"type": "message", "id": "msg_1", "role": "assistant", "model": "claude-x", "usage": USAGE}
    document = message | {"content": list(content), "stop_reason": stop_reason} | more
    return AnthropicUpstream().read(json.dumps(document).encode(), alias="alias", created_s=1_700_000_000)


def choice(answer: Read) -> Json:
    assert answer.completion is not None
    ChatCompletion.model_validate(answer.completion, strict=True)
    found: Json = answer.completion["choices"][0]
    return found


def message(answer: Read) -> Json:
    found: Json = choice(answer)["message"]
    return found


def test_a_whole_completion() -> None:
    """Under the client's name for the model; the usage is made of the figures that are charged."""
    assert read(text("Hi")).completion == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "alias",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 18,
            "completion_tokens": 7,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_usage_is_kept_in_the_upstreams_words() -> None:
    """Byte for byte."""
    body = b'{"type":"message","content":[],"usage":{ "input_tokens" :3,"output_tokens":1.0e0}}'
    answer = AnthropicUpstream().read(body, alias="a", created_s=1)
    assert answer.usage_raw == b'{ "input_tokens" :3,"output_tokens":1.0e0}'


@pytest.mark.parametrize("usage", [None, {}, 3, []])
def test_a_message_without_usage_says_none(usage: object) -> None:
    """It is an answer all the same; it is counted locally."""
    answer = read(text("Hi"), usage=usage)
    assert answer.completion is not None
    assert "usage" not in answer.completion
    assert answer.usage_raw is None
    assert answer.spoken.text == "Hi"


def test_usage_that_lacks_a_side_is_not_told_as_zero() -> None:
    """It is metered, though."""
    answer = read(text("Hi"), usage={"input_tokens": 3})
    assert answer.completion is not None
    assert "usage" not in answer.completion
    assert answer.usage_raw == b'{"input_tokens": 3}'


def test_text_blocks_are_joined() -> None:
    """Citations cut a text in many."""
    assert message(read(text("One"), text(", two")))["content"] == "One, two"


def test_calls_in_order() -> None:
    """Their input as JSON text; no content where nothing was said."""
    answer = read(call("a", {"x": 1, "y": "é"}), call("b", {}, "toolu_2"), stop_reason="tool_use")
    assert message(answer) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "a", "arguments": '{"x":1,"y":"é"}'}},
            {"id": "toolu_2", "type": "function", "function": {"name": "b", "arguments": "{}"}},
        ],
    }
    assert choice(answer)["finish_reason"] == "tool_calls"


def test_what_the_provider_ran_by_itself_is_not_told() -> None:
    """A client cannot run it; but it was generated, and is counted."""
    answer = read(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": "T"}]},
        {"type": "mcp_tool_use", "id": "m", "name": "echo", "input": {}, "server_name": "n"},
        {"type": "compaction", "content": "Summary"},
        text("Found"),
    )
    assert message(answer) == {"role": "assistant", "content": "Found", "refusal": None}
    assert answer.spoken.text == 'web_search{"query":"x"}echo{}SummaryFound'


def test_thinking_is_told_with_its_signatures() -> None:
    """As text, and as blocks that a client can send back unchanged; hidden thoughts are in the blocks only."""
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "thinking", "thinking": "", "signature": "s2"},
    ]
    found = message(read(*thoughts, text("A")))
    assert found["reasoning_content"] == "Hm"
    assert found["thinking_blocks"] == thoughts


def test_what_was_told_can_be_sent_back(body: Any) -> None:
    """The blocks arrive upstream as they left."""
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    blocks = [*thoughts, text("Looking"), call("look", {"q": 1})]
    told = message(read(*blocks, stop_reason="tool_use"))
    asked = body(
        messages=[
            {"role": "user", "content": "Hi"},
            told,
            {"role": "tool", "tool_call_id": "toolu_1", "content": "x"},
        ]
    )
    assert asked["messages"][1]["content"] == blocks


def test_an_answer_that_was_given_to_the_tool_is_content() -> None:
    """It was asked for so because the model holds no schema; the client asked for content."""
    answer = read(call(ANSWER_TOOL, {"a": 1}), stop_reason="tool_use")
    assert message(answer) == {"role": "assistant", "content": '{"a":1}', "refusal": None}
    assert choice(answer)["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("compaction", "length"),
        ("pause_turn", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        ("tool_use", "stop"),  # without a call that the client could run
        (None, "stop"),
    ],
)
def test_why_it_ended(stop_reason: str | None, finish: str) -> None:
    """Each reason has one."""
    assert choice(read(text("Hi"), stop_reason=stop_reason))["finish_reason"] == finish


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [("end_turn", "tool_calls"), ("max_tokens", "length"), ("tool_use", "tool_calls")],
)
def test_a_client_that_has_calls_is_told_so(stop_reason: str, finish: str) -> None:
    """Unless the answer was cut."""
    assert choice(read(call("a", {}), stop_reason=stop_reason))["finish_reason"] == finish


def test_a_refusal_is_told_as_one() -> None:
    """Its text is the refusal; where it said nothing, the provider's explanation is."""
    said = message(read(text("I can't"), stop_reason="refusal"))
    assert (said["content"], said["refusal"]) == (None, "I can't")
    details = {"type": "refusal", "category": "cyber", "explanation": "Blocked."}
    silent = message(read(stop_reason="refusal", stop_details=details))
    assert (silent["content"], silent["refusal"]) == (None, "Blocked.")
    assert message(read(stop_reason="refusal", stop_details=None))["refusal"] is None


def test_an_empty_answer_is_an_empty_text() -> None:
    """Null content is for calls."""
    assert message(read())["content"] == ""


def test_an_error_with_status_200_is_a_fault() -> None:
    """Whoever classifies it has the body."""
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    answer = AnthropicUpstream().read(body, alias="a", created_s=1)
    assert (answer.fault, answer.completion, answer.usage_raw) == ("error_body", None, None)


def test_what_is_no_block_is_left_out() -> None:
    """And so is a kind that is not known."""
    answer = read(content=[None, 7, "x", {"type": "hologram"}, text("A")])
    assert message(answer)["content"] == "A"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"{}", b'{"content":"x"}', b"<html>", b"\xff", b'{"a":1e999}']
)
def test_what_is_no_message_is_a_fault(body: bytes) -> None:
    """And nothing raises."""
    assert AnthropicUpstream().read(body, alias="a", created_s=1).fault == "garbage"


def test_halves_of_characters_do_not_break_an_answer() -> None:
    """What comes out can be written."""
    body = rb'{"type":"message","content":[{"type":"text","text":"a\ud83d"},{"type":"tool_use","name":"f","input":{"x":"\udc00"}}]}'
    found = message(AnthropicUpstream().read(body, alias="a", created_s=1))
    assert found["content"] == "a?"
    assert json.loads(found["tool_calls"][0]["function"]["arguments"]) == {"x": "?"}
    assert found["tool_calls"][0]["id"] == "call_0"
    assert json.dumps(found, ensure_ascii=False).encode()


def test_bytes_that_are_no_utf8_do_not_break_an_answer() -> None:
    """Some servers cut characters in two."""
    body = b'{"type":"message","content":[{"type":"text","text":"a\xf0\x9f"}],"usage":{"input_tokens":1,"output_tokens":2}}'
    answer = AnthropicUpstream().read(body, alias="a", created_s=1)
    assert message(answer)["content"].startswith("a")
    assert answer.usage_raw == b'{"input_tokens":1,"output_tokens":2}'
