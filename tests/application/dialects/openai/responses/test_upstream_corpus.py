"""Recorded responses read as chat completions, whole and in streams cut at random."""

import json
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from application.dialects.openai.responses.upstream.dialect import ResponsesUpstream

Case = dict[str, Any]
UPSTREAM = ResponsesUpstream()
ENDS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def said_in(response: Case) -> tuple[str, str, list[tuple[str, str]]]:
    """Text, thoughts and calls of a response."""
    text, thoughts, calls = "", "", []
    for item in response["output"]:
        if item["type"] == "message":
            text += "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
        elif item["type"] == "reasoning":
            thoughts += "\n\n".join(part["text"] for part in item.get("content") or item["summary"])
        elif item["type"] in ("function_call", "custom_tool_call"):
            calls.append((item["name"], item.get("arguments", item.get("input"))))
    return text, thoughts, calls


def check(message: Case, reason: str, usage: Case | None, response: Case) -> None:
    calls = []
    for call in message.get("tool_calls") or []:
        inner = call[call["type"]]
        calls.append((inner["name"], inner.get("arguments", inner.get("input"))))
    text = (message.get("content") or "") + (message.get("refusal") or "")
    assert (text, message.get("reasoning_content") or "", calls) == said_in(response)
    why = (response.get("incomplete_details") or {}).get("reason")
    cut = "length" if response["status"] == "incomplete" else None
    assert reason == (ENDS.get(why) or cut or ("tool_calls" if calls else "stop"))
    told = response.get("usage")
    if told:
        assert usage is not None
        assert usage["prompt_tokens"] == told["input_tokens"]
        assert usage["completion_tokens"] == told["output_tokens"]


def test_whole_responses_become_completions_that_say_the_same(corpus: list[Case], tally: Any) -> None:
    """Valid for the official types, with the same text, thoughts, calls, end and usage."""
    for case in corpus:
        body = case.get("response_body")
        if case["endpoint"] != "responses" or case["stream"] or not isinstance(body, dict):
            continue
        completion = UPSTREAM.read(json.dumps(body).encode(), alias="alias", created_s=1).completion
        if completion is None:
            tally.excludes(case, "no answer")
            continue
        ChatCompletion.model_validate(completion)
        choice = completion["choices"][0]
        check(choice["message"], choice["finish_reason"], completion.get("usage"), body)
        tally.passes(case)
    assert tally.total() > 300


def test_streams_become_chunks_that_say_the_same(
    corpus: list[Case], tally: Any, cut: Any, events_of: Any
) -> None:
    """Every chunk is valid; put together they are what the last event holds, and the end comes last."""
    for case in corpus:
        if case["endpoint"] != "responses" or not case["stream"] or case["response_status"] != 200:
            continue
        stream = UPSTREAM.stream(alias="alias", created_s=1)
        chunks = [
            chunk for piece in cut(b"".join(events_of(case)), case["id"]) for chunk in stream.feed(piece)
        ]
        assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])
        end = stream.finish()
        if not end.complete:
            assert not end.chunks
            tally.excludes(case, f"the provider failed: {end.fault}")
            continue
        for chunk in chunks + end.chunks:
            if b'"custom"' not in json.dumps(chunk).encode():  # the SDK's chunks know calls of functions only
                ChatCompletionChunk.model_validate(chunk)
        documents = [
            json.loads(item["data"]) for item in case["stream_chunks"] if "{" in item.get("data", "")
        ]
        last = next(one for one in documents if one["type"] in ("response.completed", "response.incomplete"))
        if not last["response"].get("output"):
            tally.excludes(case, "its last event leaves out what was said")
            continue
        check(*put_together(chunks + end.chunks), last["response"])
        tally.passes(case)
    assert tally.total() > 80


def put_together(chunks: list[Case]) -> tuple[Case, str, Case | None]:
    message: Case = {"content": "", "refusal": "", "reasoning_content": "", "tool_calls": []}
    reason, usage = "", None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            reason = choice["finish_reason"] or reason
            for name in ("content", "refusal", "reasoning_content"):
                message[name] += choice["delta"].get(name) or ""
            for call in choice["delta"].get("tool_calls", []):
                add_call(message["tool_calls"], call)
    return message, reason, usage


def add_call(calls: list[Case], piece: Case) -> None:
    if piece["index"] == len(calls):
        calls.append({**piece, piece["type"]: dict(piece[piece["type"]])})
        return
    kind = calls[piece["index"]]["type"]
    for name, text in piece[kind].items():
        calls[piece["index"]][kind][name] += text
