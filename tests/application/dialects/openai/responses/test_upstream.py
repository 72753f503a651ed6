"""Responses asked for and read where chat completions are wanted: the traps of either side, one by one, and odd input."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseInputItemParam, ToolParam
from pydantic import TypeAdapter

from application.dialects.openai.responses.head import NO_STORE, parse_responses
from application.dialects.openai.responses.upstream.dialect import ResponsesUpstream
from application.dialects.port import Asked, ChatEnd, Target
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, pieces, values

Json = dict[str, Any]
ITEMS: TypeAdapter[Any] = TypeAdapter(list[ResponseInputItemParam])
TOOLS: TypeAdapter[Any] = TypeAdapter(list[ToolParam])
TARGET = Target(model="theirs", output_tokens=50)
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FREE = {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "x = 1"}}
CHAT: Json = {
    "model": "alias",
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"role": "assistant", "content": "so", "refusal": "no", "tool_calls": [CALL, FREE]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "1"}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "2"},
    ],
    "max_tokens": 9,
    "temperature": 0.5,
    "seed": 1,
}  # fmt: skip


def ask(**members: Any) -> Asked:
    return ResponsesUpstream().ask({**CHAT, **members}, TARGET, stream=False)


def sent(**members: Any) -> Json:
    body = ask(**members).body
    assert isinstance(body, bytes)
    document: Json = json.loads(body)
    return document


def test_a_request_is_for_the_target_and_stores_nothing() -> None:
    """The client's own stays as it was, and what it has no equal for is named."""
    before = json.dumps(CHAT)
    asked = ask()
    document = sent()
    assert asked.path == b"/responses"
    assert (document["model"], document["max_output_tokens"], document["store"]) == ("theirs", 50, False)
    assert document["temperature"] == 0.5
    assert asked.dropped == ("seed",)
    assert "stream" not in document
    assert json.dumps(CHAT) == before
    stream = ResponsesUpstream().ask(CHAT, TARGET, stream=True).body
    assert isinstance(stream, bytes)
    assert json.loads(stream)["stream"] is True


def test_a_provider_that_does_not_know_store_is_not_told_of_it() -> None:
    """It is a trait of the deployment, as for clients that speak responses themselves."""
    target = Target(model="m", output_tokens=5, traits=frozenset({NO_STORE}))
    body = ResponsesUpstream().ask(CHAT, target, stream=False).body
    assert isinstance(body, bytes)
    assert "store" not in json.loads(body)


def test_messages_become_items_in_their_order() -> None:
    """As the official types have them; a result is of the kind of its call, and no item has an id."""
    items = sent()["input"]
    ITEMS.validate_python(items)
    assert [(item["type"], item.get("role")) for item in items] == [
        ("message", "system"),
        ("message", "user"),
        ("message", "assistant"),
        ("function_call", None),
        ("custom_tool_call", None),
        ("function_call_output", None),
        ("custom_tool_call_output", None),
    ]
    assert items[1]["content"][1] == {"type": "input_image", "image_url": "data:,", "detail": "auto"}
    assert items[2]["content"] == "sono"
    assert [item["output"] for item in items[5:]] == ["1", "2"]
    assert not any("id" in item for item in items)


def test_what_is_asked_can_be_read_again_by_a_gateway() -> None:
    """The request is one of the endpoint's own."""
    assert parse_responses(json.dumps(sent()).encode()).max_completion_tokens == 50


def test_a_function_is_as_lenient_as_in_chat_completions() -> None:
    """Responses make schemas strict unless told otherwise, and require one."""
    strict = {"type": "function", "function": {"name": "s", "parameters": {}, "strict": True}}
    free = {"type": "custom", "custom": {"name": "g", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "s"}}}}  # fmt: skip
    tools = sent(tools=[{"type": "function", "function": {"name": "f"}}, strict, free])["tools"]
    TOOLS.validate_python(tools)
    assert tools[0]["strict"] is False
    assert tools[0]["parameters"] == {"type": "object", "properties": {}}
    assert tools[1]["strict"] is True
    assert tools[2]["format"] == {"type": "grammar", "syntax": "lark", "definition": "s"}


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CALL]}},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_a_choice_of_tools_is_one_level_flatter(choice: Any, wanted: Any) -> None:
    """The same choice."""
    assert sent(tools=[CALL], tool_choice=choice)["tool_choice"] == wanted


def test_the_form_of_the_answer_and_the_effort_have_places_of_their_own() -> None:
    """A schema is strict only if the client says so."""
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    document = sent(
        response_format=schema, verbosity="low", reasoning_effort="high", logprobs=True, top_logprobs=2
    )
    assert document["text"] == {
        "verbosity": "low",
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": False},
    }
    assert document["reasoning"] == {"effort": "high"}
    assert (document["include"], document["top_logprobs"]) == (["message.output_text.logprobs"], 2)
    assert sent(response_format={"type": "json_object"})["text"] == {"format": {"type": "json_object"}}


@pytest.mark.parametrize(
    "members",
    [
        {"n": 2},
        {"stop": ["x"]},
        {"audio": {}},
        {"modalities": ["audio"]},
        {"functions": [{}]},
        {"web_search_options": {}},
        {"tools": [{"type": "web_search"}]},
        {"response_format": {"type": "grammar"}},
        {"messages": [{"role": "function", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
        {"messages": [{"role": "assistant", "audio": {"id": "a"}}]},
    ],
)
def test_what_would_change_the_answer_is_refused(members: Json) -> None:
    """Before anything is sent: another deployment may serve it."""
    with pytest.raises(InvalidRequest) as refusal:
        ask(**members)
    assert refusal.value.code == "unsupported_value"


def test_what_says_nothing_is_not_refused() -> None:
    """Clients write out defaults."""
    assert ask(n=1, stop=None, frequency_penalty=0, modalities=["text"], logit_bias={}).dropped == ("seed",)


# --- answers


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
RESPONSE: Json = {
    "id": "resp_1",
    "created_at": 7.0,
    "service_tier": "flex",
    "status": "completed",
    "output": [],
}
CREATED = event("response.created", response={**RESPONSE, "status": "in_progress"})
DONE = event("response.completed", response={**RESPONSE, "usage": USAGE})


def read_stream(parts: list[bytes]) -> tuple[list[Json], ChatEnd]:
    stream = ResponsesUpstream().stream(alias="alias", created_s=1)
    chunks = [each for part in parts for each in stream.feed(part)]
    return chunks, stream.finish()


def deltas(chunks: list[Json]) -> list[Json]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_the_end_and_the_usage_come_from_finish_only() -> None:
    """A client must not see the end before it paid. Whose the message is comes first, and once."""
    text = event("response.output_text.delta", output_index=0, delta="hi")
    chunks, end = read_stream([CREATED, text, DONE])
    assert deltas(chunks) == [{"role": "assistant", "content": ""}, {"content": "hi"}]
    assert [choice["finish_reason"] for one in end.chunks for choice in one["choices"]] == ["stop"]
    assert end.chunks[-1]["usage"]["total_tokens"] == 7
    assert (end.complete, end.service_tier) == (True, "flex")
    assert {(one["id"], one["created"], one["model"]) for one in chunks} == {("resp_1", 7, "alias")}


def test_calls_are_numbered_from_zero_and_said_once() -> None:
    """Their places among the items count thoughts and text too; arguments may come in pieces, or whole at the end."""
    first = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": ""}
    second = {"type": "custom_tool_call", "id": "ct_1", "call_id": "c2", "name": "g", "input": "x"}
    chunks, end = read_stream(
        [
            CREATED,
            event("response.output_item.added", output_index=1, item=first),
            event("response.function_call_arguments.delta", output_index=1, delta="{}"),
            event("response.output_item.done", output_index=1, item={**first, "arguments": "{}"}),
            event("response.output_item.done", output_index=2, item=second),
            DONE,
        ]
    )
    told = [delta["tool_calls"][0] for delta in deltas(chunks) if "tool_calls" in delta]
    assert told == [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{}"}},
        {"index": 1, "id": "c2", "type": "custom", "custom": {"name": "g", "input": ""}},
        {"index": 1, "custom": {"input": "x"}},
    ]
    assert end.chunks[0]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_blank_line_stands_between_the_parts_of_a_summary() -> None:
    """They are paragraphs, each with a heading."""
    chunks, _ = read_stream(
        [
            event("response.reasoning_summary_part.added", output_index=0, summary_index=0),
            event("response.reasoning_summary_text.delta", output_index=0, delta="one"),
            event("response.reasoning_summary_part.added", output_index=0, summary_index=1),
            event("response.reasoning_summary_text.delta", output_index=0, delta="two"),
            DONE,
        ]
    )
    assert "".join(delta.get("reasoning_content", "") for delta in deltas(chunks)) == "one\n\ntwo"


def test_an_answer_that_only_its_last_event_tells_is_told() -> None:
    """Some compatible servers stream nothing in between."""
    message = {"type": "message", "content": [{"type": "output_text", "text": "all"}]}
    last = event("response.completed", response={**RESPONSE, "output": [message], "usage": USAGE})
    chunks, end = read_stream([CREATED, last])
    assert not chunks
    assert [delta.get("content") for delta in deltas(end.chunks)] == ["", "all", None]


def test_a_failure_within_the_stream_ends_it_without_a_finish() -> None:
    """With what the provider said, to be classified."""
    failed = event("response.failed", response={**RESPONSE, "error": {"code": "rate_limit_exceeded"}})
    text = event("response.output_text.delta", output_index=0, delta="hi")
    stream = ResponsesUpstream().stream(alias="alias", created_s=1)
    assert stream.feed(CREATED + text)
    assert not stream.feed(failed)
    end = stream.finish()
    assert (end.complete, end.chunks, end.fault) == (False, [], "error_event")
    assert b"rate_limit_exceeded" in stream.error_body


def test_usage_is_read_of_an_answer_that_was_cut() -> None:
    """It was made, and costs as much."""
    cut = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    text = event("response.output_text.delta", output_index=0, delta="hi")
    _, end = read_stream([text, event("response.incomplete", response={**cut, "usage": USAGE})])
    assert end.chunks[0]["choices"][0]["finish_reason"] == "length"
    assert end.chunks[1]["usage"]["prompt_tokens"] == 5


def test_a_whole_answer_with_a_citation_keeps_it() -> None:
    """One level deeper, with every member that strict clients require."""
    note = {"type": "url_citation", "url": "https://x.example"}
    part = {"type": "output_text", "text": "so", "annotations": [note, {"type": "file_path"}]}
    body = json.dumps(
        {**RESPONSE, "output": [{"type": "message", "content": [part]}], "usage": USAGE}
    ).encode()
    completion = ResponsesUpstream().read(body, alias="alias", created_s=1).completion
    assert completion is not None
    assert completion["choices"][0]["message"]["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"url": "https://x.example", "title": "", "start_index": 0, "end_index": 0},
        }
    ]
    assert completion["usage"]["completion_tokens"] == 2


@given(mutated(CHAT))
def test_no_request_makes_the_translation_raise_anything_but_a_refusal(chat: Any) -> None:
    """Whatever stands where something else is expected."""
    with suppress(InvalidRequest):
        ResponsesUpstream().ask(chat, TARGET, stream=False)


@given(pieces(CREATED + event("response.output_text.delta", output_index=0, delta="é") + DONE))
def test_a_stream_says_the_same_however_it_is_cut(parts: list[bytes]) -> None:
    """Within characters and line ends, too."""
    chunks, end = read_stream(parts)
    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == "é"
    assert end.complete


@given(st.lists(values, max_size=4))
def test_no_event_makes_the_stream_raise(documents: list[Any]) -> None:
    """What is none is a fault."""
    data = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in documents)
    read_stream([data, event("response.output_item.done", item=documents[0] if documents else None), DONE])
