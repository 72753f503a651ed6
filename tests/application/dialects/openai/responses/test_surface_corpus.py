"""Recorded chat answers served as responses, and recorded responses requests asked as chat."""

import json
from typing import Any

from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from application.dialects.openai.chat.upstream import OpenAiUpstream
from application.dialects.openai.responses.surface import ResponsesSurface
from application.wire.errors import InvalidRequest
from application.wire.head import parse_chat

Case = dict[str, Any]
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MESSAGES: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionMessageParam])
UPSTREAM = OpenAiUpstream(usage_dialect="openai")
SURFACE = ResponsesSurface()
REQUEST: Case = {
    "model": "alias",
    "input": "hi",
    "tools": [{"type": "function", "name": "f", "parameters": {}}],
    "metadata": {"a": "b"},
    "temperature": 1,
}


def parsed_events(data: bytes) -> list[Case]:
    found: list[Case] = []
    for event in data.split(b"\n\n")[:-1]:
        name, line = event.split(b"\n")
        document = json.loads(line.removeprefix(b"data: "))
        assert name == b"event: " + document["type"].encode()
        found.append(document)
    return found


def said(response: Case) -> tuple[str, str, list[tuple[str, str]]]:
    """Text, thoughts and calls of a response."""
    text = thought = ""
    calls = []
    for item in response["output"]:
        if item["type"] == "message":
            text += "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
        elif item["type"] == "reasoning":
            thought += "".join(part["text"] for part in item["summary"])
        else:
            calls.append((item["name"], item.get("arguments", item.get("input"))))
    return text, thought, calls


def said_in_chat(message: Case) -> tuple[str, str, list[tuple[str, str]]]:
    calls = []
    for call in message.get("tool_calls") or []:
        inner = call.get(call["type"])
        calls.append((inner["name"], inner.get("arguments", inner.get("input"))))
    text = (message.get("content") or "") + (message.get("refusal") or "")
    return text, message.get("reasoning_content") or "", calls


def check_end(response: Case, reason: str | None, usage: Case | None) -> None:
    ends = {"length": ("incomplete", "max_output_tokens"), "content_filter": ("incomplete", "content_filter")}
    status, why = ends.get(reason or "", ("completed", None))
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == why
    if usage:
        told = response["usage"]
        assert told["input_tokens"] == usage["prompt_tokens"]
        assert told["output_tokens"] == usage["completion_tokens"]
        assert told["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        details = usage["prompt_tokens_details"]
        assert told["input_tokens_details"] == details


def test_chat_answers_become_responses_that_say_the_same(corpus: list[Case], tally: Any) -> None:
    """Valid for the official types, with the same text, thoughts, calls, end and usage."""
    for case in corpus:
        body = case.get("response_body")
        if case["endpoint"] != "chat.completions" or case["stream"] or not isinstance(body, dict):
            continue
        completion = UPSTREAM.read(json.dumps(body).encode(), alias="alias", created_s=1).completion
        if completion is None:
            tally.excludes(case, "no answer")
            continue
        response = json.loads(SURFACE.answer(completion, request=REQUEST))
        Response.model_validate(response)
        choice = completion["choices"][0]
        assert said(response) == said_in_chat(choice["message"]), case["id"]
        check_end(response, choice["finish_reason"], completion.get("usage"))
        tally.passes(case)
    assert tally.total() > 1_300


def test_chat_streams_become_event_streams_that_say_the_same(
    corpus: list[Case], tally: Any, cut: Any, events_of: Any
) -> None:
    """Every event is valid and numbered; deltas, closing events and the finished response agree with the chunks."""
    for case in corpus:
        if case["endpoint"] != "chat.completions" or not case["stream"] or case["response_status"] != 200:
            continue
        stream = UPSTREAM.stream(alias="alias", created_s=1)
        writer = SURFACE.stream(request=REQUEST)
        chunks: list[Case] = []
        data = b""
        for piece in cut(b"".join(events_of(case)), case["id"]):
            for chunk in stream.feed(piece):
                chunks.append(chunk)
                data += writer.write(chunk)
        assert not any(f'"response.{end}"'.encode() in data for end in ("completed", "incomplete"))
        for chunk in stream.finish().chunks:
            chunks.append(chunk)
            data += writer.write(chunk)
        events = parsed_events(data + writer.end())
        check_events(events)
        check_against(events, chunks, case["id"])
        tally.passes(case)
    assert tally.total() > 200


def check_events(events: list[Case]) -> None:
    """The rules of the event sequence."""
    for event in events:
        EVENTS.validate_python(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    added = [event for event in events if event["type"] == "response.output_item.added"]
    done = {event["output_index"]: event for event in events if event["type"] == "response.output_item.done"}
    assert [event["output_index"] for event in added] == list(range(len(added)))
    assert [done[index]["item"] for index in range(len(added))] == events[-1]["response"]["output"]


def check_against(events: list[Case], chunks: list[Case], name: str) -> None:
    message: Case = {"content": "", "refusal": "", "reasoning_content": "", "tool_calls": []}
    calls: dict[int, Case] = {}
    reason, usage = None, None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            if choice["index"]:
                continue
            reason = choice["finish_reason"] or reason
            for member in ("content", "refusal", "reasoning_content"):
                message[member] += choice["delta"].get(member) or ""
            for call in choice["delta"].get("tool_calls", []):
                known = calls.setdefault(
                    call["index"], {"type": "function", "function": {"name": "", "arguments": ""}}
                )
                known["function"]["name"] += call["function"].get("name", "")
                known["function"]["arguments"] += call["function"].get("arguments", "")
    message["tool_calls"] = list(calls.values())
    response = events[-1]["response"]
    assert said(response) == said_in_chat(message), name
    check_end(response, reason, usage)
    deltas = "".join(event["delta"] for event in events if event["type"].endswith(".delta"))
    text, thought, found = said(response)
    assert len(deltas) == len(text + thought) + sum(len(arguments) for _, arguments in found)


def test_recorded_requests_become_chat_requests(corpus: list[Case], tally: Any) -> None:
    """Those that chat completions can say are valid chat requests; the rest is refused by the name of a member."""
    refused = 0
    for case in corpus:
        request = case["request_body"]
        if case["endpoint"] != "responses" or not isinstance(request, dict):
            continue
        before = json.dumps(request)
        chat = asked_or_refused(request)
        if isinstance(chat, InvalidRequest):
            assert chat.code in ("stateful_not_supported", "unsupported_value", "missing_required_parameter")
            assert chat.param
            tally.excludes(case, f"{chat.code} {''.join(c for c in chat.param if not c.isdigit())}")
            refused += 1
            continue
        assert json.dumps(request) == before
        MESSAGES.validate_python(chat["messages"])
        head = parse_chat(json.dumps(chat).encode())
        assert head.provider_tools == 0
        tally.passes(case)
    assert refused > 50
    assert tally.total() > 200


def asked_or_refused(request: Case) -> Case | InvalidRequest:
    try:
        return SURFACE.chat_of(request)
    except InvalidRequest as refusal:
        return refusal
