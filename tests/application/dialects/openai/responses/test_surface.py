"""Responses served from chat completions: the traps, one by one, and odd input."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from application.dialects.openai.responses.surface import ResponsesSurface
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, values

Json = dict[str, Any]
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SURFACE = ResponsesSurface()


def asked(**members: Any) -> Json:
    return SURFACE.chat_of({"model": "alias", "input": "hi", **members})


def messages(*items: Json) -> list[Json]:
    found: list[Json] = asked(input=list(items))["messages"]
    return found


def user(text: str) -> Json:
    return {"role": "user", "content": text}


CALL: Json = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "c1", "output": "ok"}


def test_instructions_and_text_become_messages() -> None:
    """The instructions come first."""
    assert asked(instructions="be kind")["messages"] == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi"},
    ]


def test_calls_join_the_assistant_message_before_them() -> None:
    """Chat completions know calls only inside a message."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]}
    found = messages(user("x"), said, CALL, {**CALL, "call_id": "c2"}, OUTPUT, {**OUTPUT, "call_id": "c2"})
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in found[1]["tool_calls"]] == ["c1", "c2"]
    assert found[1]["content"] == "so"


def test_calls_without_a_message_get_one() -> None:
    """Its content is null."""
    found = messages(user("x"), CALL, OUTPUT, CALL, OUTPUT)
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "assistant", "tool"]
    assert found[1]["content"] is None


def test_readable_reasoning_goes_back_with_its_message() -> None:
    """DeepSeek and Kimi refuse calls without it; what is encrypted is for its own provider only."""
    thought = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "e",
    }
    secret = {"type": "reasoning", "summary": [], "encrypted_content": "e"}
    found = messages(user("x"), thought, CALL, OUTPUT, secret, CALL)
    assert found[1]["reasoning_content"] == "hm"
    said = {"role": "assistant", "content": "so"}
    assert [message["role"] for message in messages(user("x"), said, thought, CALL)] == [
        "user",
        "assistant",
        "assistant",
    ]
    assert "reasoning_content" not in found[3]
    assert "encrypted_content" not in json.dumps(found)


def test_pictures_in_a_tools_output_follow_the_outputs() -> None:
    """Tool messages are text; and all outputs of a turn come before anything else."""
    parts = [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "u", "detail": "low"},
    ]
    found = messages(
        user("x"), CALL, {**CALL, "call_id": "c2"}, {**OUTPUT, "output": parts}, {**OUTPUT, "call_id": "c2"}
    )
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "tool", "user"]
    assert found[2]["content"] == "see"
    assert found[4]["content"] == [{"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]


def test_pictures_are_shown_once() -> None:
    """Those of a later output follow it."""
    shown = [{**OUTPUT, "output": [{"type": "input_image", "image_url": url}]} for url in "ab"]
    found = messages(user("x"), CALL, shown[0], CALL, shown[1])
    assert [message["role"] for message in found] == [
        "user",
        "assistant",
        "tool",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert [part["image_url"]["url"] for index in (3, 6) for part in found[index]["content"]] == ["a", "b"]


def test_parts_of_a_user_message_keep_their_kind() -> None:
    """Text, picture, inline file, sound."""
    parts = [
        {"type": "input_text", "text": "t"},
        {"type": "input_image", "image_url": "u"},
        {"type": "input_file", "file_data": "d", "filename": "n"},
        {"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}},
    ]
    assert messages({"role": "user", "content": parts})[0]["content"] == [
        {"type": "text", "text": "t"},
        {"type": "image_url", "image_url": {"url": "u"}},
        {"type": "file", "file": {"file_data": "d", "filename": "n"}},
        {"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}},
    ]


def test_a_refusal_in_the_history_stays_one() -> None:
    """It is a member of the message in chat completions."""
    said = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    assert messages(user("x"), said)[1] == {"role": "assistant", "content": None, "refusal": "no"}


def test_options_have_their_other_names() -> None:
    """Bound, effort, schema, verbosity, log probabilities."""
    chat = asked(
        max_output_tokens=7,
        reasoning={"effort": "low", "summary": "auto"},
        text={
            "format": {"type": "json_schema", "name": "n", "schema": {"a": 1}, "strict": True},
            "verbosity": "low",
        },
        include=["message.output_text.logprobs", "reasoning.encrypted_content"],
        top_logprobs=3,
        store=True,
        truncation="auto",
        temperature=0.5,
        stream=True,
    )
    chat.pop("messages")
    assert chat == {
        "model": "alias",
        "stream": True,
        "max_completion_tokens": 7,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "verbosity": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"a": 1}, "strict": True},
        },
        "logprobs": True,
        "top_logprobs": 3,
    }


def test_tools_and_choices_are_one_level_deeper() -> None:
    """Functions, custom tools with grammars, and the choice among them."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    chat = asked(
        tools=[
            {"type": "function", "name": "f", "parameters": {}, "strict": True},
            {"type": "custom", "name": "g", "format": grammar},
        ],
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "f"}],
        },
    )
    assert chat["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}},
        {
            "type": "custom",
            "custom": {
                "name": "g",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}},
            },
        },
    ]
    assert chat["tool_choice"] == {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
    }


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"input": [{"type": "web_search_call", "id": "w", "role": "x"}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "u"}]}]},
            "input[0].content[0].type",
        ),
        ({"text": {"format": {"type": "other"}}}, "text.format.type"),
    ],
)
def test_what_chat_cannot_say_is_refused_by_name(members: Json, param: str) -> None:
    """Never answered as if it had not been asked."""
    with pytest.raises(InvalidRequest) as refusal:
        asked(**members)
    assert (refusal.value.code, refusal.value.param) == ("unsupported_value", param)


REQUEST: Json = {
    "model": "alias",
    "input": "hi",
    "instructions": "i",
    "tools": [{"type": "function", "name": "f", "parameters": {}}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "metadata": {"a": "b"},
    "temperature": 0.5,
    "top_p": 1,
    "max_output_tokens": 5,
    "parallel_tool_calls": False,
    "truncation": "auto",
}
COMPLETION: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 7,
    "model": "alias",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "text",
                "reasoning_content": "hm",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            "logprobs": {"content": [{"token": "t", "logprob": -1, "bytes": [1], "top_logprobs": []}]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "completion_tokens_details": {"reasoning_tokens": 1},
    },
    "service_tier": "default",
}


def test_an_answer_has_every_member_that_strict_clients_require() -> None:
    """And says the request again."""
    document = json.loads(SURFACE.answer(COMPLETION, request=REQUEST))
    response = Response.model_validate(document, strict=True)
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output_text == "text"
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == 1
    for name in ("instructions", "temperature", "parallel_tool_calls", "truncation", "metadata"):
        assert document[name] == REQUEST[name]
    assert document["store"] is False
    assert document["tool_choice"] == {"type": "function", "name": "f"}


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_the_end_of_a_choice_is_the_status_of_the_response(reason: str, status: str, why: str | None) -> None:
    """Whole and streamed alike."""
    completion = {**COMPLETION, "choices": [{**COMPLETION["choices"][0], "finish_reason": reason}]}
    whole = json.loads(SURFACE.answer(completion, request=REQUEST))
    streamed = streamed_events([chunk({"content": "x"}), chunk({}, reason)])[-1]
    assert streamed["type"] == f"response.{status}"
    for response in (whole, streamed["response"]):
        assert response["status"] == status
        assert (response["incomplete_details"] or {}).get("reason") == why


def test_an_answer_that_says_nothing_is_an_empty_message() -> None:
    """Clients read the first item."""
    completion = {**COMPLETION, "choices": [{"message": {"content": None}, "finish_reason": "stop"}]}
    output = json.loads(SURFACE.answer(completion, request=REQUEST))["output"]
    assert [item["type"] for item in output] == ["message"]
    assert streamed_events([chunk({}, "stop")])[-1]["response"]["output"][0]["content"][0]["text"] == ""


def chunk(delta: Json, reason: str | None = None, **beside: Any) -> Json:
    return {
        "id": "chatcmpl-1",
        "created": 7,
        "model": "alias",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        **beside,
    }


def events_in(data: bytes) -> list[Json]:
    return [json.loads(each.split(b"data: ")[1]) for each in data.split(b"\n\n")[:-1]]


def streamed_events(chunks: list[Json]) -> list[Json]:
    stream = SURFACE.stream(request=REQUEST)
    return events_in(b"".join(stream.write(each) for each in chunks) + stream.end())


def call_piece(index: int, arguments: str, **first: Any) -> Json:
    function = {"arguments": arguments, **({"name": "f"} if first else {})}
    return {"tool_calls": [{"index": index, "function": function, **first}]}


def test_the_sequence_of_events_is_that_of_the_dialect() -> None:
    """Each item and part is opened, grown, closed; numbers have no gap."""
    events = streamed_events(
        [
            chunk({"role": "assistant"}),
            chunk({"reasoning_content": "hm"}),
            chunk({"content": "te"}),
            chunk({"content": "xt"}),
            chunk(call_piece(0, "", id="c1", type="function")),
            chunk(call_piece(0, "{}")),
            chunk({}, "tool_calls"),
            {"id": "chatcmpl-1", "choices": [], "usage": COMPLETION["usage"]},
        ]
    )
    names = [event["type"].removeprefix("response.") for event in events]
    assert names == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["response"]["usage"]["total_tokens"] == 7
    for event in events:
        EVENTS.validate_python(event)


def test_calls_that_are_spelled_at_once_stay_apart() -> None:
    """Pieces of parallel calls may alternate; each item gets its own."""
    events = streamed_events(
        [
            chunk(call_piece(0, "{", id="a", type="function")),
            chunk(call_piece(1, "[", id="b", type="function")),
            chunk(call_piece(0, "}")),
            chunk(call_piece(1, "]")),
            chunk({}, "tool_calls"),
        ]
    )
    output = events[-1]["response"]["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [("a", "{}"), ("b", "[]")]


def test_text_after_a_thought_and_a_thought_after_text_are_items_of_their_own() -> None:
    """In their order."""
    events = streamed_events(
        [
            chunk({"content": "a"}),
            chunk({"reasoning_content": "b"}),
            chunk({"content": "c"}),
            chunk({}, "stop"),
        ]
    )
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "reasoning", "message"]


def test_a_broken_stream_ends_with_error_and_a_failed_response() -> None:
    """Numbered on; the SDKs raise on the first."""
    stream = SURFACE.stream(request=REQUEST)
    events = events_in(stream.write(chunk({"content": "a"})) + stream.error("upstream_error", "It broke."))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["response"]["error"] == {"code": "server_error", "message": "It broke."}
    for event in events:
        EVENTS.validate_python(event)


@given(mutated(COMPLETION), mutated(REQUEST))
def test_no_answer_raises(completion: Any, request: Any) -> None:
    """Whatever the completion, the bytes are a response object."""
    if isinstance(completion, dict) and isinstance(request, dict):
        assert json.loads(SURFACE.answer(completion, request=request))["object"] == "response"


@given(
    st.lists(mutated(chunk({**call_piece(0, "{", id="a", type="function"), "content": "x"}, "stop"))),
    mutated(REQUEST),
)
def test_no_stream_raises(chunks: list[Any], request: Any) -> None:
    """Whatever the chunks, the numbers have no gap."""
    stream = SURFACE.stream(request=request if isinstance(request, dict) else {})
    data = b"".join(stream.write(each) for each in chunks if isinstance(each, dict)) + stream.end()
    events = events_in(data)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_a_refusal_is_in_the_envelope_of_the_dialect() -> None:
    """With all four keys."""
    told = json.loads(SURFACE.error("model_not_found", "No.", param="model", request_id="r"))["error"]
    assert told == {
        "message": "No.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@given(values)
def test_odd_values_in_a_request_do_not_break_its_answer(value: Any) -> None:
    """What is told again is told only if it is of its type."""
    request = dict.fromkeys(REQUEST, value)
    Response.model_validate(json.loads(SURFACE.answer(COMPLETION, request=request)))


def test_a_custom_tool_is_called_and_answered() -> None:
    """Free text instead of JSON, both ways."""
    call = {"type": "custom_tool_call", "call_id": "c", "name": "g", "input": "x"}
    output = {"type": "custom_tool_call_output", "call_id": "c", "output": "y"}
    found = messages(user("x"), call, output)
    assert found[1]["tool_calls"] == [{"id": "c", "type": "custom", "custom": {"name": "g", "input": "x"}}]
    first = {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "g", "input": "a"}}]}
    more = {"tool_calls": [{"index": 0, "custom": {"input": "b"}}]}
    events = streamed_events([chunk(first), chunk(more), chunk({}, "tool_calls")])
    [item] = events[-1]["response"]["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "g", "ab")
    for event in events:
        EVENTS.validate_python(event)


def test_a_name_that_comes_late_is_the_calls_name() -> None:
    """Some providers open a call with its id only."""
    first = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"arguments": ""}}]}
    late = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}
    events = streamed_events([chunk(first), chunk(late), chunk({}, "tool_calls")])
    assert events[-1]["response"]["output"][0]["name"] == "f"


def test_a_streamed_refusal_is_a_part_of_its_own() -> None:
    """With its own events."""
    events = streamed_events([chunk({"refusal": "no"}), chunk({}, "stop", service_tier="flex")])
    assert [event["type"] for event in events][4:6] == ["response.refusal.delta", "response.refusal.done"]
    assert events[-1]["response"]["service_tier"] == "flex"
    for event in events:
        EVENTS.validate_python(event)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": None}, "input"),
        ({"input": 1}, "input"),
        ({"input": []}, "input"),
        ({"input": [1]}, "input[0]"),
        ({"input": [{"role": "king", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 1}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [1]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]},
            "input[0].content[0].text",
        ),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_image", "image_url": "u"}]}]},
            "input[0].content",
        ),
        ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{**OUTPUT, "output": 1}]}, "input[0].output"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [1]}, "tools[0]"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": 1}, "text"),
        ({"top_logprobs": 21}, "top_logprobs"),
    ],
)
def test_malformed_members_are_named(members: Json, param: str) -> None:
    """By their whole path."""
    with pytest.raises(InvalidRequest) as refusal:
        asked(**members)
    assert refusal.value.param == param


def test_plain_formats_and_choices() -> None:
    """What has the same name on both sides."""
    chat = asked(
        text={"format": {"type": "json_object"}},
        tools=[{"type": "custom", "name": "g", "format": {"type": "text"}}],
        tool_choice={"type": "custom", "name": "g"},
    )
    assert chat["response_format"] == {"type": "json_object"}
    assert chat["tools"][0]["custom"]["format"] == {"type": "text"}
    assert chat["tool_choice"] == {"type": "custom", "custom": {"name": "g"}}
    assert asked(tool_choice="required")["tool_choice"] == "required"
    assert "response_format" not in asked(text={"format": {"type": "text"}})


def test_a_request_is_told_again_in_its_answer() -> None:
    """In the shapes that strict clients know."""
    request = {
        **REQUEST,
        "tools": [{"type": "custom", "name": "g", "description": "d", "format": {"type": "text"}}],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "custom", "name": "g"}],
        },
        "text": {"format": {"type": "json_object"}},
    }
    told = json.loads(SURFACE.answer(COMPLETION, request=request))
    for name in ("tools", "tool_choice", "text"):
        assert told[name] == request[name]
    Response.model_validate(told)


def test_an_item_that_is_only_reasoning_asks_nothing() -> None:
    """There is no message to answer."""
    with pytest.raises(InvalidRequest) as refusal:
        messages({"type": "reasoning", "summary": []})
    assert refusal.value.code == "empty_array"


def test_a_custom_tool_without_a_format_and_a_file_without_a_name() -> None:
    """What is optional is not made up."""
    request = {**REQUEST, "tools": [{"type": "custom", "name": "g"}]}
    assert json.loads(SURFACE.answer(COMPLETION, request=request))["tools"] == request["tools"]
    part = {"type": "input_file", "file_data": "d"}
    assert messages({"role": "user", "content": [part]})[0]["content"] == [
        {"type": "file", "file": {"file_data": "d"}}
    ]
