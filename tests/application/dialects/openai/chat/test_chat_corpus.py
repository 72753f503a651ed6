"""Every recorded chat exchange as the objects that translations are made from."""

import json
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from application.dialects.openai.chat.upstream import OpenAiUpstream
from application.wire.usage import normalise
from domain.catalogue.provider import UsageDialect

Case = dict[str, Any]


def usage_dialect(case: Case) -> UsageDialect:
    known: dict[str, UsageDialect] = {
        "deepseek": "deepseek",
        "mistral": "mistral",
        "xai": "xai",
        "azure": "azure",
        "gemini": "gemini-compat",
        "alibaba": "qwen",
        "moonshot": "kimi",
        "zai": "glm",
    }
    return known.get(case["provider"], "openai")


def text_of(said: Case) -> str:
    content = said.get("content") or ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)


def calls_of(calls: list[Case] | None) -> list[tuple[str, str]]:
    found = []
    for call in calls or []:
        inner = call.get("function") or call.get("custom") or {}
        found.append((inner.get("name") or "", inner.get("arguments", inner.get("input")) or ""))
    return found


def reason_of(reason: str | None) -> str | None:
    return "stop" if reason == "eos" else reason


def check_usage(usage: Case, raw: bytes | None, dialect: UsageDialect) -> None:
    charged = normalise(raw, dialect=dialect)
    assert charged is not None
    prompt = charged.input + charged.cached_input + charged.cache_write
    assert usage["prompt_tokens"] == prompt
    assert usage["completion_tokens"] == charged.output
    assert usage["total_tokens"] == prompt + charged.output


def test_whole_answers_keep_their_text_calls_reason_and_usage(corpus: list[Case], tally: Any) -> None:
    """The completion is valid for the official types and says what the recording says."""
    for case in corpus:
        if case["endpoint"] != "chat.completions" or case["stream"]:
            continue
        body = case["response_body"]
        if case["response_status"] != 200 or not isinstance(body, dict) or "choices" not in body:
            tally.excludes(case, "no answer with status 200")
            continue
        dialect = usage_dialect(case)
        read = OpenAiUpstream(usage_dialect=dialect).read(
            json.dumps(body).encode(), alias="alias", created_s=1
        )
        assert read.fault is None, case["id"]
        assert read.completion is not None
        ChatCompletion.model_validate(read.completion, strict=False)
        assert len(read.completion["choices"]) == len(body["choices"])
        for ours, theirs in zip(read.completion["choices"], body["choices"], strict=True):
            assert (ours["message"]["content"] or "") == text_of(theirs["message"]), case["id"]
            assert calls_of(ours["message"].get("tool_calls")) == calls_of(
                theirs["message"].get("tool_calls")
            )
            assert ours["finish_reason"] == reason_of(theirs.get("finish_reason", "stop"))
        if case["usage"]:
            check_usage(read.completion["usage"], read.usage_raw, dialect)
        tally.passes(case)
    assert tally.total() > 1_300


def test_streams_keep_their_text_calls_reasons_and_usage(
    corpus: list[Case], tally: Any, cut: Any, events_of: Any
) -> None:
    """Chunks in any cutting are valid, no reason comes before the end, and together they say what was recorded."""
    for case in corpus:
        if case["endpoint"] != "chat.completions" or not case["stream"] or case["response_status"] != 200:
            continue
        events = events_of(case)
        dialect = usage_dialect(case)
        stream = OpenAiUpstream(usage_dialect=dialect).stream(alias="alias", created_s=1)
        chunks = [chunk for piece in cut(b"".join(events), case["id"]) for chunk in stream.feed(piece)]
        assert not any(choice["finish_reason"] for chunk in chunks for choice in chunk["choices"])
        end = stream.finish()
        recorded = [
            json.loads(item["data"]) for item in case["stream_chunks"] if item.get("data", "").startswith("{")
        ]
        assert end.complete, case["id"]
        chunks += end.chunks
        for chunk in chunks:
            ChatCompletionChunk.model_validate(chunk)
        check_stream(chunks, recorded, case["id"])
        if stream.usage_raw:
            check_usage(chunks[-1]["usage"], stream.usage_raw, dialect)
        tally.passes(case)
    assert tally.total() > 200


def check_stream(chunks: list[Case], recorded: list[Case], name: str) -> None:
    ours = [choice for chunk in chunks for choice in chunk["choices"]]
    theirs = [choice for chunk in recorded for choice in chunk.get("choices") or []]
    assert "".join(text_of(choice["delta"]) for choice in ours) == "".join(
        text_of(choice.get("delta") or {}) for choice in theirs
    ), name
    assert spelled_calls(ours) == spelled_calls(theirs), name
    ends = {choice["index"]: choice["finish_reason"] for choice in ours if choice["finish_reason"]}
    told = {
        choice["index"]: reason_of(choice["finish_reason"])
        for choice in theirs
        if choice.get("finish_reason")
    }
    assert ends == (told or {0: "stop"}), name


def spelled_calls(choices: list[Case]) -> dict[tuple[int, int], tuple[str, str]]:
    """Name and arguments of each call, put together as an SDK does; the name counts once."""
    calls: dict[tuple[int, int], tuple[str, str]] = {}
    for choice in choices:
        for call in (choice.get("delta") or {}).get("tool_calls") or []:
            place = (choice["index"], call.get("index", len(calls)))
            name, arguments = calls.get(place, ("", ""))
            [(more_name, more)] = calls_of([call])
            calls[place] = (name or more_name, arguments + more)
    return calls
