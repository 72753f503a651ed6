"""Every recorded exchange that Messages have a part in, translated: the SDK's types accept it, and it says the same.

Each test prints how many cases it took and why others were left out (`-s` shows it).
"""

import json
import random
from collections import Counter
from typing import Any

import pytest
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from openai.types.chat import ChatCompletion
from pydantic import TypeAdapter

from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.anthropic.upstream.traits import traits_of
from application.dialects.anthropic.usage import figures
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest
from application.wire.usage import Reading
from tests.application.dialects.anthropic.upstream.replay import Replayed, cut, report, stream_of

SPLICED = "anthropic/messages/28e017f2347779"
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "pause_turn": "length",
    "refusal": "content_filter",
    None: "stop",
}
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-sonnet-4-5", "claude-3-5-haiku-20241022", "unknown")
PARAMS: dict[bool, TypeAdapter[Any]] = {
    False: TypeAdapter(MessageCreateParamsNonStreaming),
    True: TypeAdapter(MessageCreateParamsStreaming),
}


@pytest.fixture(scope="module")
def exchanges(corpus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers of `anthropic/messages` with a status of 200; the rest are errors and requests without an answer."""
    mine = [case for case in corpus if (case["provider"], case["endpoint"]) == ("anthropic", "messages")]
    left_out = Counter(f"status {case['response_status']}" for case in mine if case["response_status"] != 200)
    report(f"\nanthropic/messages: {len(mine)} cases; left out: {dict(left_out)}")
    return [case for case in mine if case["response_status"] == 200]


def said(content: list[Json], stop_reason: str | None) -> dict[str, Any]:
    """What a client should find, written down from the blocks."""
    calls = [(block["name"], block["input"]) for block in content if block["type"] == "tool_use"]
    finish = FINISH[stop_reason]
    if finish in (
        "stop",
        "tool_calls",
    ):  # one fixture joins several answers, and ends its turn with calls in it
        finish = "tool_calls" if calls else "stop"
    return {
        "text": "".join(block["text"] for block in content if block["type"] == "text"),
        "thoughts": "".join(block["thinking"] for block in content if block["type"] == "thinking"),
        "signed": [
            block.get("signature") or block.get("data")
            for block in content
            if block["type"] in ("thinking", "redacted_thinking")
        ],
        "calls": calls,
        "finish": finish,
    }


def heard(message: Json, finish: str | None) -> dict[str, Any]:
    """What a client finds."""
    calls = [call["function"] for call in message.get("tool_calls") or []]
    refused = finish == "content_filter"
    return {
        "text": message["content"] or ("" if not refused else said_in(message)),
        "thoughts": message.get("reasoning_content") or "",
        "signed": [
            block.get("signature") or block.get("data") for block in message.get("thinking_blocks") or []
        ],
        "calls": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": finish,
    }


def said_in(refused: Json) -> str:
    """A refusal without text has the provider's explanation in its place."""
    refusal = refused.get("refusal") or ""
    return "" if refusal.startswith("This request triggered") else str(refusal)


def charged(usage: Json) -> tuple[int, int, int]:
    """Prompt, cached and output tokens, written down from the facts: of all iterations where a compaction or advisor was."""
    kinds = {iteration["type"] for iteration in usage.get("iterations") or []}
    parts = usage["iterations"] if kinds & {"compaction", "advisor_message"} else [usage]
    cached = sum(part.get("cache_read_input_tokens") or 0 for part in parts)
    written = sum(part.get("cache_creation_input_tokens") or 0 for part in parts)
    prompt = sum(part["input_tokens"] for part in parts) + cached + written
    return prompt, cached, sum(part["output_tokens"] for part in parts)


def told(usage: Json) -> tuple[int, int, int]:
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return usage["prompt_tokens"], cached, usage["completion_tokens"]


def metered(raw: bytes | None) -> tuple[int, int, int]:
    assert raw is not None
    reading = Reading(json.loads(raw))
    found = figures(reading)
    assert reading.flags == []
    return found.fresh + found.cached + found.written, found.cached, found.output


def test_every_recorded_answer(exchanges: list[dict[str, Any]]) -> None:
    """Text, thoughts and signatures, calls, the end and the usage are the recording's."""
    whole = [case for case in exchanges if not case["stream"]]
    passed = 0
    for case in whole:
        recorded = case["response_body"]
        answer = AnthropicUpstream().read(json.dumps(recorded).encode(), alias="alias", created_s=1)
        if recorded.get("type") != "message":
            assert set(recorded) == {"input_tokens"}, case["id"]  # a token count that was filed here
            assert answer.fault == "garbage"
            continue
        assert answer.completion is not None, case["id"]
        completion = ChatCompletion.model_validate(answer.completion, strict=True)
        choice = answer.completion["choices"][0]
        found = heard(choice["message"], choice["finish_reason"])
        assert found == said(recorded["content"], recorded["stop_reason"]), case["id"]
        assert completion.usage is not None
        assert told(answer.completion["usage"]) == charged(recorded["usage"]), case["id"]
        assert metered(answer.usage_raw) == charged(recorded["usage"]), case["id"]
        passed += 1
    report(f"anthropic/messages, whole: {passed}/{len(whole)} passed; 1 is a token count, read as garbage")
    assert (passed, len(whole)) == (363, 364)


def recorded_stream(case: dict[str, Any]) -> tuple[list[Json], str | None, Json]:
    """Blocks, stop reason and usage of the first message in the recording, put together from its events."""
    blocks: dict[int, Json] = {}
    usage: Json = {}
    stop_reason = None
    for item in case["stream_chunks"]:
        event: Json = json.loads(item.get("data", '{"type":"comment"}'))
        match event["type"]:
            case "message_start":
                usage = dict(event["message"]["usage"])
            case "content_block_start":
                blocks[event["index"]] = {"partial_json": ""} | event["content_block"]
            case "content_block_delta":
                add(blocks[event["index"]], event["delta"])
            case "message_delta":
                stop_reason = event["delta"]["stop_reason"]
                usage |= {name: value for name, value in event["usage"].items() if value is not None}
            case "message_stop":
                break
    for block in blocks.values():
        if block["partial_json"]:
            block["input"] = json.loads(block["partial_json"])
    return list(blocks.values()), stop_reason, usage


def add(block: Json, delta: Json) -> None:
    for name in ("text", "thinking", "signature", "partial_json"):
        if name in delta:
            block[name] = (block.get(name) or "") + delta[name]


def test_every_recorded_stream(exchanges: list[dict[str, Any]]) -> None:
    """In pieces cut at random and in pieces of one byte: the same chunks, and what the recording says.

    Five fixtures hold several messages one after the other; the first is the answer, since its end is the stream's.
    """
    seed = random.randrange(2**32)
    report(f"seed {seed}")
    dice = random.Random(seed)
    streams = [case for case in exchanges if case["stream"]]
    passed = 0
    for case in streams:
        raw = stream_of(case)
        whole = Replayed([raw])
        by_bytes = Replayed([raw[at : at + 1] for at in range(len(raw))]) if len(raw) < 40_000 else whole
        for other in (Replayed(cut(raw, dice)), Replayed(cut(raw, dice)), by_bytes):
            assert other.chunks == whole.chunks, case["id"]
            assert other.stream.usage_raw == whole.stream.usage_raw, case["id"]
            assert other.stream.spoken() == whole.stream.spoken(), case["id"]
        if case["id"] == SPLICED:
            assert whole.end.fault == "truncated"
            continue
        blocks, stop_reason, usage = recorded_stream(case)
        assert heard(whole.message, whole.finish) == said(blocks, stop_reason), case["id"]
        assert whole.usage is not None, case["id"]
        assert told(whole.usage) == charged(usage), case["id"]
        assert metered(whole.stream.usage_raw) == charged(usage), case["id"]
        passed += 1
    report(f"anthropic/messages, stream: {passed}/{len(streams)} passed; 1 is spliced from two, a fault")
    assert (passed, len(streams)) == (86, 87)


def test_every_recorded_stream_that_is_cut_finishes_nothing(exchanges: list[dict[str, Any]]) -> None:
    """At any event before the reason of its end: a fault, and no figure for an output that was not told."""
    dice = random.Random(7)
    for case in exchanges:
        if not case["stream"]:
            continue
        raw = stream_of(case)
        before = raw.find(b"event: message_delta")
        answer = Replayed([raw[: dice.randrange(before)]])
        assert not answer.end.complete, case["id"]
        assert answer.end.chunks == []
        assert b'output_tokens"' not in (answer.stream.usage_raw or b""), case["id"]


# --- requests


def test_every_recorded_chat_request(corpus: list[dict[str, Any]]) -> None:
    """Of every provider of the chat dialect, for each kind of model: what is asked fits the SDK's types and says the same."""
    chats = [
        case
        for case in corpus
        if case["endpoint"] == "chat.completions" and isinstance(case["request_body"], dict)
    ]
    passed: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    for case in chats:
        for model in MODELS:
            target = Target(model=model, output_tokens=4096, traits=traits_of(model))
            stream = case["request_body"].get("stream") is True
            try:
                asked = AnthropicUpstream().ask(case["request_body"], target, stream=stream)
            except InvalidRequest as refusal:
                refusals[why(refusal)] += 1
                continue
            body = json.loads(asked.body)
            PARAMS[stream].validate_python(body)
            same_words(case["request_body"]["messages"], body, case["id"])
            passed[case["provider"]] += 1
    report(f"\nchat requests: {len(chats)} cases x {len(MODELS)} models; refused: {dict(refusals)}")
    for provider in sorted({case["provider"] for case in chats}):
        total = sum(case["provider"] == provider for case in chats) * len(MODELS)
        report(f"{provider}/chat.completions, request: {passed[provider]}/{total}")
    assert sum(passed.values()) + sum(refusals.values()) == len(chats) * len(MODELS)
    assert sum(passed.values()) > 0.93 * len(chats) * len(MODELS)
    assert set(refusals) <= EXPECTED_REFUSALS


EXPECTED_REFUSALS = {
    "tools[].type", "tool_choice", "tool_choice.type", "functions", "n", "web_search_options", "audio",
    "modalities", "messages", "messages[].content[].type", "messages[].content[].file.file_id",
    "messages[].content[].file.file_data", "messages[].content[].image_url.url", "messages[].role",
    "messages[].tool_calls", "messages[].tool_call_id", "messages[].tool_calls[].type",
    "response_format.json_schema.schema", "tools[].function.name",
}  # fmt: skip


def why(refusal: InvalidRequest) -> str:
    """The member without its numbers."""
    return "[]".join(
        part.partition("]")[2] if at else part for at, part in enumerate((refusal.param or "").split("["))
    )


def same_words(messages: list[Json], body: Json, case_id: str) -> None:
    """Texts and calls in their order; blank texts are left out, and two lead in or on where a turn is wanted."""
    texts, calls = [], []
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        texts += [part["text"] for part in parts if part.get("type") == "text" and part["text"].strip()]
        calls += [
            (call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"))
            for call in message.get("tool_calls") or []
        ]
    blocks = list(body.get("system", []))
    for turn in body["messages"]:
        for block in turn["content"]:
            blocks += block.get("content", []) if block["type"] == "tool_result" else [block]
    heard_calls = [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    heard_texts = [block["text"] for block in blocks if block["type"] == "text"]
    assert heard_calls == calls, case_id
    for added in ("(start)", "(continue)"):
        if added in heard_texts:
            heard_texts.remove(added)
    assert sorted(text.rstrip() for text in heard_texts) == sorted(text.rstrip() for text in texts), case_id
