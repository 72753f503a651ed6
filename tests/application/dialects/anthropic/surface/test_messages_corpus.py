"""Every recorded exchange that this surface can serve: passed on as it is, or translated and judged by the SDKs."""

import json
import re
from typing import Any

import msgspec
from anthropic.types import Message
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from application.dialects.anthropic.surface.head import parse_count, parse_messages
from application.dialects.anthropic.surface.native import patch_messages
from application.dialects.anthropic.surface.read import message_text, read_message
from application.dialects.anthropic.surface.relay import MessagesRelay
from application.dialects.anthropic.surface.surface import MessagesSurface
from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.port import Json
from application.wire.answer import read_answer
from application.wire.errors import InvalidRequest
from application.wire.head import parse_chat
from application.wire.relay import StreamMeter
from application.wire.usage import normalise
from domain.catalogue.provider import UsageDialect
from tests.application.dialects.anthropic.surface.conftest import Case, Tally
from tests.application.dialects.anthropic.surface.oracle import (
    accumulated,
    assert_in_order,
    events_of,
    strict_message,
)
from tests.application.dialects.anthropic.surface.recorded import arguments, cut, payloads, stream_of

SEED = "surface"
STOPS = {"length": "max_tokens", "content_filter": "refusal"}
_MESSAGES: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionMessageParam])
_TOOLS: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionToolParam])


def of_messages(cases: list[Case]) -> list[Case]:
    return [case for case in cases if case["endpoint"] != "chat.completions"]


def of_chat(cases: list[Case], *, stream: bool) -> list[Case]:
    return [case for case in cases if case["endpoint"] == "chat.completions" and case["stream"] is stream]


# --- requests


def test_every_recorded_request_has_a_head(cases: list[Case], tally: Tally) -> None:
    """And can be patched for a provider of the same dialect, with all else kept."""
    for case in of_messages(cases):
        request = case["request_body"]
        if not isinstance(request, dict):
            tally.excludes(case, "the request was not recorded")
            continue
        body = msgspec.json.encode(request)
        if case["endpoint"] == "messages.count_tokens":
            assert parse_count(body).model == request["model"]
        else:
            assert parse_messages(body).max_tokens == request["max_tokens"]
        assert json.loads(patch_messages(body, model="up", max_tokens=1)) == request | {
            "model": "up",
            "max_tokens": 1,
        }
        tally.passes(case)
    assert tally.passed.total() == 414


def test_every_recorded_request_is_translated_or_refused_by_name(cases: list[Case], tally: Tally) -> None:
    """What is translated says the same and fits OpenAI's types; what is refused only Anthropic can do."""
    for case in of_messages(cases):
        request = case["request_body"]
        if not isinstance(request, dict):
            tally.excludes(case, "the request was not recorded")
            continue
        try:
            chat = MessagesSurface().chat_of(request)
        except InvalidRequest as refusal:
            tally.excludes(case, f"refused for {re.sub(r'[0-9]+', 'n', refusal.param or '')}")
            continue
        parse_chat(msgspec.json.encode(chat))
        for message in _MESSAGES.validate_python(chat["messages"]):
            content = message.get("content")
            assert isinstance(content, str | None) or list(content), case[
                "id"
            ]  # lists are checked as they are read
        _TOOLS.validate_python(chat.get("tools", []))
        assert said_in(chat) == said_in(request), case["id"]
        tally.passes(case)
    assert tally.passed.total() == 366


def said_in(request: Json) -> tuple[list[str], list[Any], list[Any]]:
    """The words, calls and called-for results of a request of either dialect, each in order."""
    texts: list[str] = []
    calls: list[Any] = []
    results: list[Any] = []
    turns = [{"role": "system", "content": request.get("system") or ""}, *request["messages"]]
    for turn in turns:
        content = turn.get("content") or ""
        blocks: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if turn["role"] == "tool":
            results.append(turn["tool_call_id"])
            blocks = []
        calls += [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in turn.get("tool_calls", [])
        ]
        for block in blocks:
            if block["type"] == "text":
                texts += block["text"].split()
            elif block["type"] == "compaction":
                texts += block["content"].split()
            elif block["type"] == "tool_use":
                calls.append((block["id"], block["name"], block["input"]))
            elif block["type"] == "tool_result":
                results.append(block["tool_use_id"])
            elif block["type"] == "document" and block["source"]["type"] == "text":
                texts += block["source"]["data"].split()
    return ["".join(texts)], calls, results


# --- chat completions as messages


def dialect_of(case: Case) -> UsageDialect:
    known: dict[str, UsageDialect] = {"xai": "xai", "mistral": "mistral", "azure": "azure"}
    return known.get(case["provider"], "openai")


def expected(case: Case, said: Json, finish: str | None, usage: Any) -> tuple[Any, ...]:
    """What a message should say, written down from a chat message and its usage."""
    texts, thoughts = "", said.get("reasoning_content") or said.get("reasoning") or ""
    content = said.get("content") or ""
    parts: list[Json] = content if isinstance(content, list) else [{"type": "text", "text": content}]
    for part in parts:
        if part["type"] == "thinking":
            thoughts += "".join(inner["text"] for inner in part["thinking"])
        else:
            texts += part["text"]
    functions = [call["function"] for call in said.get("tool_calls") or [] if call.get("function")]
    functions += [said["function_call"]] if said.get("function_call") else []
    calls = [(function["name"], arguments(function.get("arguments") or "")) for function in functions]
    stop = STOPS.get(finish or "", "tool_use" if calls else "end_turn")
    found = normalise(json.dumps(usage).encode() if usage else None, dialect=dialect_of(case))
    figures = (found.input, found.cache_write, found.cached_input, found.output) if found else (0, 0, 0, 0)
    return texts, thoughts, calls, stop, figures


def told(message: Message) -> tuple[Any, ...]:
    usage = message.usage
    return (
        "".join(block.text for block in message.content if block.type == "text"),
        "".join(block.thinking for block in message.content if block.type == "thinking"),
        [(block.name, block.input) for block in message.content if block.type == "tool_use"],
        message.stop_reason,
        (
            usage.input_tokens,
            usage.cache_creation_input_tokens,
            usage.cache_read_input_tokens,
            usage.output_tokens,
        ),
    )


def test_every_recorded_completion_is_a_message(cases: list[Case], tally: Tally) -> None:
    """Strictly valid, with the same text, thoughts, calls, stop and usage, whoever the provider was."""
    for case in of_chat(cases, stream=False):
        completion = case["response_body"]
        if case["response_status"] != 200 or read_answer(json.dumps(completion).encode()).fault:
            tally.excludes(case, "an error or not recorded")
            continue
        surface = MessagesSurface(usage_dialect=dialect_of(case))
        message = strict_message(surface.answer(completion, request={"model": "alias"}))
        choice = completion["choices"][0] if completion["choices"] else {"message": {}, "finish_reason": None}
        wanted = expected(case, choice["message"], choice.get("finish_reason"), completion.get("usage"))
        if choice["message"].get("refusal"):
            tally.excludes(case, "a refusal, which has tests of its own")
            continue
        assert told(message) == wanted, case["id"]
        tally.passes(case)
    assert tally.passed.total() == 1_343


def chunks_of(case: Case) -> list[Json]:
    """What the gateway reads of a recorded stream that comes in random cuts."""
    meter = StreamMeter(usage_wanted=True)
    passed = b"".join(meter.feed(piece) for piece in cut(stream_of(case), SEED + case["id"]))
    return payloads(passed + meter.finish().data)


def put_together(chunks: list[Json]) -> tuple[Json, str | None, Any]:
    """The message, finish reason and usage of chunks, in a way of its own."""
    said: dict[str, Any] = {"content": "", "reasoning": ""}
    parts: list[Any] = []
    calls: dict[Any, dict[str, Any]] = {}
    finish = usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in (choice for choice in chunk["choices"] if choice["index"] == 0):
            delta = choice.get("delta") or {}
            finish = choice.get("finish_reason") or finish
            content = delta.get("content") or ""
            parts += content if isinstance(content, list) else [{"type": "text", "text": content}]
            said["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
            for call in delta.get("tool_calls") or []:
                function = calls.setdefault(call["index"], {"name": "", "arguments": ""})
                function["name"] = function["name"] or call["function"].get("name")
                function["arguments"] += call["function"].get("arguments") or ""
    said["content"] = parts
    said["tool_calls"] = [{"function": function} for function in calls.values()]
    return said, finish, usage


def test_every_recorded_chat_stream_is_a_messages_stream(cases: list[Case], tally: Tally) -> None:
    """In random cuts; the SDK accumulates the same text, thoughts, calls, stop and usage as the chunks had."""
    for case in of_chat(cases, stream=True):
        chunks = chunks_of(case)
        surface = MessagesSurface(usage_dialect=dialect_of(case)).stream(request={"model": "alias"})
        stream = b"".join(surface.write(chunk) for chunk in chunks) + surface.end()
        events = events_of(stream)
        assert_in_order(events)
        said, finish, usage = put_together(chunks)
        message = accumulated(stream)
        assert told(message) == expected(case, said, finish, usage), case["id"]
        tally.passes(case)
    assert tally.passed.total() == 208


# --- passed on


def is_one_message(case: Case) -> bool:
    """Some recordings are several exchanges, one after another."""
    return sum("message_stop" in item.get("data", "")[:40] for item in case["stream_chunks"]) == 1


def test_every_recorded_stream_passes_to_the_byte(cases: list[Case], tally: Tally) -> None:
    """In random cuts; only the end is withheld, and the usage is the recording's."""
    for case in of_messages(cases):
        if not case["stream"]:
            continue
        if not is_one_message(case):
            tally.excludes(case, "several exchanges in one recording")
            continue
        stream = stream_of(case)
        relay = MessagesRelay()
        passed = b"".join(relay.feed(piece) for piece in cut(stream, SEED + case["id"]))
        tail = relay.finish()
        assert tail.complete, case["id"]
        sent = passed + tail.data
        assert stream.startswith(sent), case["id"]
        assert not payloads(stream[len(sent) :]), case["id"]  # a comment after the last word
        assert b'"message_stop"' not in passed, case["id"]
        held = payloads(tail.data)
        assert (held[0]["type"], held[-1]["type"]) == ("message_delta", "message_stop"), case["id"]
        assert json.loads(relay.usage_raw or b"") == merged_usage(payloads(stream)), case["id"]
        assert relay.spoken().chars_total > 0, case["id"]
        tally.passes(case)
    assert tally.passed.total() == 82


def merged_usage(events: list[Json]) -> Json:
    """Fact 5, in a way of its own."""
    usage: Json = {}
    for event in events:
        said = event.get("message", {}).get("usage") or event.get("usage") or {}
        usage |= {name: value for name, value in said.items() if value is not None}
    return usage


def test_every_recorded_message_passes_to_the_byte(cases: list[Case], tally: Tally) -> None:
    """With its usage and the text that its model generated."""
    for case in of_messages(cases):
        answer = case["response_body"]
        if case["stream"] or case["endpoint"] != "messages":
            continue
        if not isinstance(answer, dict):
            tally.excludes(case, "the answer was not recorded")
            continue
        body = json.dumps(answer).encode()
        read = read_message(body)
        if case["response_status"] != 200:
            assert read.fault == "error_body", case["id"]
            tally.excludes(case, "an error, and read as one")
            continue
        if "content" not in answer:
            assert read.fault == "garbage", case["id"]
            tally.excludes(case, "no message: an answer of count_tokens under a wrong name")
            continue
        assert (read.body, read.fault) == (body, None), case["id"]
        assert json.loads(read.usage_raw or b"null") == answer.get("usage"), case["id"]
        texts = "".join(block["text"] for block in answer["content"] if block["type"] == "text")
        assert message_text(body).chars_total >= len(texts), case["id"]
        tally.passes(case)
    assert tally.passed.total() == 363


# --- there and back


def test_every_recorded_message_survives_the_way_through_chat(cases: list[Case], tally: Tally) -> None:
    """Anthropic's own answer as a completion and back: text, calls, stop and figures are as they were."""
    for case in of_messages(cases):
        answer = case["response_body"]
        if case["stream"] or case["response_status"] != 200 or not isinstance(answer, dict):
            continue
        if "content" not in answer:
            continue
        why = not_in_chat(answer)
        if why:
            tally.excludes(case, why)
            continue
        read = AnthropicUpstream().read(json.dumps(answer).encode(), alias="a", created_s=1)
        assert read.completion is not None, case["id"]
        message = strict_message(MessagesSurface().answer(read.completion, request={"model": "a"}))
        assert told(message) == what_it_says(answer), case["id"]
        tally.passes(case)
    assert tally.passed.total() == 350


def not_in_chat(answer: Json) -> str:
    """Why the way back cannot give the same, or nothing."""
    if answer.get("usage", {}).get("iterations"):
        return "its bill is a sum of iterations"
    if answer.get("stop_reason") == "refusal":
        return "a refusal, whose explanation becomes text"
    if answer.get("stop_reason") not in ("end_turn", "stop_sequence", "tool_use", "max_tokens"):
        return "a stop reason of its own"
    if "input_tokens" not in answer.get("usage", {}):
        return "no usage"
    return ""


def what_it_says(answer: Json) -> tuple[Any, ...]:
    blocks, usage = answer["content"], answer["usage"]
    calls = [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    stop = "end_turn" if answer["stop_reason"] == "stop_sequence" else answer["stop_reason"]
    if calls and stop == "end_turn":
        stop = "tool_use"  # one recording has a call and this reason; a call is to be made
    return (
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        calls,
        stop,
        (
            usage["input_tokens"],
            usage.get("cache_creation_input_tokens") or 0,
            usage.get("cache_read_input_tokens") or 0,
            usage["output_tokens"],
        ),
    )


def test_every_recorded_stream_survives_the_way_through_chat(cases: list[Case], tally: Tally) -> None:
    """Anthropic's own events as chunks and back, in random cuts: the SDK accumulates what it does from the recording."""
    for case in of_messages(cases):
        if not case["stream"]:
            continue
        stream = stream_of(case)
        if (
            not is_one_message(case)
            or sum(event["type"] == "message_start" for event in payloads(stream)) != 1
        ):
            tally.excludes(case, "several messages in one recording")
            continue
        why = not_in_chat(merged_answer(payloads(stream)))
        if why:
            tally.excludes(case, why)
            continue
        upstream = AnthropicUpstream().stream(alias="a", created_s=1)
        chunks = [chunk for piece in cut(stream, SEED + case["id"]) for chunk in upstream.feed(piece)]
        end = upstream.finish()
        assert end.complete, case["id"]
        surface = MessagesSurface().stream(request={"model": "a"})
        written = b"".join(surface.write(chunk) for chunk in chunks + end.chunks) + surface.end()
        assert_in_order(events_of(written))
        texts, thoughts, calls, stop, figures = told(accumulated(stream))
        stop = "end_turn" if stop == "stop_sequence" else stop
        wanted = (texts, thoughts, calls, stop, tuple(figure or 0 for figure in figures))
        assert told(accumulated(written)) == wanted, case["id"]
        tally.passes(case)
    assert tally.passed.total() == 76


def merged_answer(events: list[Json]) -> Json:
    stop = next((event["delta"]["stop_reason"] for event in events if event["type"] == "message_delta"), None)
    return {"stop_reason": stop, "usage": merged_usage(events)}
