"""Every recorded answer of Gemini's, whole and streamed, as chat completions that OpenAI's SDK accepts."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from application.dialects.gemini.messages import PLACEHOLDER_SIGNATURE
from application.dialects.gemini.upstream import GeminiUpstream
from application.dialects.gemini.usage import figures
from application.wire.usage import Reading
from tests.application.dialects.gemini.gemini_world import Json, assembled, cut, streamed, target

Case = dict[str, Any]


def excluded(case: Case) -> str | None:
    """Why a case has no answer to translate."""
    if case["response_status"] not in (200, None):
        return f"status {case['response_status']}: an error, classified elsewhere"
    if case["response_body"] is None and not case["stream"]:
        return "authored request without a response"
    return None


def responses_of(case: Case) -> list[Json]:
    """What the provider said, as one or several responses."""
    if case["stream"]:
        return [json.loads(item["data"]) for item in case["stream_chunks"] if "data" in item]
    body = case["response_body"]
    return body if isinstance(body, list) else [body]


def bytes_of(case: Case) -> bytes:
    """The stream as it was on the wire: events, or one array as the service writes it."""
    responses = responses_of(case)
    if not case["stream"]:
        return ("[" + "\r\n,\r\n".join(json.dumps(one, indent=2) for one in responses) + "]").encode()
    newline = case["sse_newline"]
    return b"".join(f"data: {item['data']}{newline}{newline}".encode() for item in case["stream_chunks"])


def is_stream(case: Case) -> bool:
    return case["stream"] or isinstance(case["response_body"], list)


def applicable(cases: list[Case], *, stream: bool) -> list[Case]:
    return [case for case in cases if excluded(case) is None and is_stream(case) is stream]


def expected(case: Case) -> Json:
    """What a client should get of the first candidate, written down from the rules."""
    text, thoughts, reason, images = "", "", None, 0
    calls: list[tuple[str, Json]] = []
    open_call: Json = {}
    blocked = False
    for response in responses_of(case):
        blocked |= "blockReason" in response.get("promptFeedback", {})
        for candidate in response.get("candidates", [])[:1]:
            reason = candidate.get("finishReason", reason)
            for part in candidate.get("content", {}).get("parts", []):
                if "functionCall" in part:
                    open_call = called(part["functionCall"], open_call, calls)
                elif "inlineData" in part:
                    images += 1
                elif part.get("thought"):
                    thoughts += part["text"]
                else:
                    text += part.get("text", "")
    return {
        "content": text,
        "reasoning_content": thoughts,
        "calls": calls,
        "images": images,
        "finish": "content_filter" if blocked else finish(reason, calls),
    }


def called(call: Json, opened: Json, calls: list[tuple[str, Json]]) -> Json:
    """Note a call, or the next piece of one."""
    if "name" in call:
        opened = {"name": call["name"], "args": call.get("args", {})}
        calls.append((opened["name"], opened["args"]))
    for piece in call.get("partialArgs", []):
        *path, last = [
            int(step) if step.isdigit() else step for step in re.findall(r"\w+", piece["jsonPath"][1:])
        ]
        holder: Any = opened["args"]
        for step, following in pairwise([*path, last]):
            made: Any = [] if isinstance(following, int) else {}
            if isinstance(holder, list):
                if step == len(holder):
                    holder.append(made)
                holder = holder[step]
            else:
                holder = holder.setdefault(step, made)
        if isinstance(holder, list):
            if last == len(holder):
                holder.append("")
            holder[last] += piece["stringValue"]
        elif "numberValue" in piece:
            holder[last] = piece["numberValue"]
        else:
            holder[last] = holder.get(last, "") + piece["stringValue"]
    return opened


def finish(reason: Any, calls: list[Any]) -> str:
    if reason in ("MAX_TOKENS", 2):
        return "length"
    if reason == "SAFETY":
        return "content_filter"
    assert reason in ("STOP", 1, "UNEXPECTED_TOOL_CALL")
    return "tool_calls" if calls else "stop"


def check_usage(usage: Json | None, case: Case, usage_raw: bytes | None) -> None:
    """The identity of the facts: prompt with tools, cached inside it, candidates with thoughts."""
    told: Json = {}
    for response in responses_of(case):
        told = response.get("usageMetadata", told)
    if not told:
        assert usage is None
        assert usage_raw is None
        return
    assert usage is not None
    assert usage_raw is not None
    assert json.loads(usage_raw) == told, case["id"]
    prompt = told.get("promptTokenCount", 0) + told.get("toolUsePromptTokenCount", 0)
    output = told.get("candidatesTokenCount", 0) + told.get("thoughtsTokenCount", 0)
    assert usage["prompt_tokens"] == prompt, case["id"]
    assert usage["completion_tokens"] == output, case["id"]
    assert usage["total_tokens"] == told.get("totalTokenCount", prompt + output), case["id"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == told.get("cachedContentTokenCount", 0)
    assert usage["completion_tokens_details"]["reasoning_tokens"] == told.get("thoughtsTokenCount", 0)
    read = figures(Reading(told))
    assert read.fresh + read.cached == prompt
    assert read.output == output


def check_calls(calls: list[Json], want: Json, case: Case) -> None:
    got = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
    assert got == want["calls"], case["id"]
    assert len({call["id"] for call in calls}) == len(calls)
    signatures = [
        part["thoughtSignature"]
        for response in responses_of(case)
        for candidate in response.get("candidates", [])
        for part in candidate.get("content", {}).get("parts", [])
        if "thoughtSignature" in part and "name" in part.get("functionCall", {})
    ]
    carried = [
        call["extra_content"]["google"]["thought_signature"] for call in calls if "extra_content" in call
    ]
    assert carried == signatures, case["id"]


def test_every_recorded_answer_is_a_chat_completion(gemini_cases: list[Case]) -> None:
    """454 whole answers of AI Studio and Vertex: same text, thoughts, calls, images, reason and usage."""
    passed: Counter[str] = Counter()
    for case in applicable(gemini_cases, stream=False):
        body = json.dumps(case["response_body"]).encode()
        read = GeminiUpstream().read(body, alias="alias", created_s=1)
        assert read.fault is None, case["id"]
        assert read.completion is not None
        ChatCompletion.model_validate_json(json.dumps(read.completion), strict=True)
        want = expected(case)
        (only,) = read.completion["choices"]
        message = only["message"]
        assert (message["content"] or "") == want["content"], case["id"]
        assert message.get("reasoning_content", "") == want["reasoning_content"], case["id"]
        assert len(message.get("images", [])) == want["images"], case["id"]
        assert only["finish_reason"] == want["finish"], case["id"]
        check_calls(message.get("tool_calls", []), want, case)
        check_usage(read.completion.get("usage"), case, read.usage_raw)
        passed[f"{case['provider']} {case['endpoint']} whole"] += 1
    print(dict(passed))  # noqa: T201  the table that whoever runs it wants to see
    assert passed == {"gemini generateContent whole": 339, "vertex generateContent whole": 115}


def test_every_recorded_stream_is_a_chat_stream(gemini_cases: list[Case]) -> None:
    """Streams cut at random places, as events with either line end and as arrays: the same answer, in chunks."""
    passed: Counter[str] = Counter()
    for case in applicable(gemini_cases, stream=True):
        chunks, end, stream = streamed(cut(bytes_of(case), case["id"]))
        assert end.complete, case["id"]
        assert all(one["finish_reason"] is None for chunk in chunks for one in chunk["choices"])
        everything = chunks + end.chunks
        for chunk in everything:
            ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
        got, want = assembled(everything), expected(case)
        assert everything[0]["choices"][0]["delta"]["role"] == "assistant"
        assert got["content"] == want["content"], case["id"]
        assert got["reasoning_content"] == want["reasoning_content"], case["id"]
        assert got["finish"] == want["finish"], case["id"]
        check_calls(got["tool_calls"], want, case)
        check_usage(everything[-1].get("usage"), case, stream.usage_raw)
        passed[f"{case['provider']} {case['endpoint']} {'sse' if case['stream'] else 'array'}"] += 1
    print(dict(passed))  # noqa: T201  the table that whoever runs it wants to see
    assert passed == {
        "gemini streamGenerateContent sse": 30,
        "gemini streamGenerateContent array": 10,
        "vertex streamGenerateContent sse": 3,
        "vertex streamGenerateContent array": 1,
        "vertex generateContent sse": 1,
    }


def test_the_cuts_do_not_matter(gemini_cases: list[Case]) -> None:
    """One piece, a byte a piece where it is short, and other random cuts give the same chunks, usage and text."""
    for case in applicable(gemini_cases, stream=True):
        whole = bytes_of(case)
        chunks, end, stream = streamed([whole])
        cuts = [cut(whole, "other" + case["id"])]
        if len(whole) < 6_000:
            cuts.append([whole[at : at + 1] for at in range(len(whole))])
        for pieces in cuts:
            again, again_end, other = streamed(pieces)
            assert without_ids(again) == without_ids(chunks), case["id"]
            assert without_ids(again_end.chunks) == without_ids(end.chunks), case["id"]
            assert other.usage_raw == stream.usage_raw
            assert other.spoken() == stream.spoken()
            assert other.chunks == stream.chunks


def without_ids(chunks: list[Json]) -> str:
    """Answers without an id of their own get a random one."""
    return re.sub(r'"id": "(chatcmpl|call)[^"]*"', "", json.dumps(chunks))


def test_what_is_left_out_has_a_reason(gemini_cases: list[Case]) -> None:
    """Of 515 cases those without an answer are excluded; the reasons are printed."""
    reasons = Counter(
        f"{case['provider']} {case['endpoint']}: {excluded(case)}"
        for case in gemini_cases
        if excluded(case) is not None
    )
    print(dict(reasons))  # noqa: T201  the table that whoever runs it wants to see
    assert sum(reasons.values()) == 16
    assert len(gemini_cases) == 515


def test_calls_go_back_as_they_came(gemini_cases: list[Case]) -> None:
    """A recorded answer's message, sent back by a client that keeps it, has the recorded calls and signatures again."""
    turns = 0
    for case in applicable(gemini_cases, stream=False):
        read = GeminiUpstream().read(json.dumps(case["response_body"]).encode(), alias="a", created_s=1)
        assert read.completion is not None
        message = read.completion["choices"][0]["message"]
        if not message.get("tool_calls"):
            continue
        turns += 1
        chat = {"messages": [{"role": "user", "content": "go"}, message]}
        asked = GeminiUpstream().ask(chat, target("thought_signatures"), stream=False)
        sent = [part for part in json.loads(asked.body)["contents"][1]["parts"] if "functionCall" in part]
        recorded = [
            part
            for part in case["response_body"]["candidates"][0]["content"]["parts"]
            if "functionCall" in part
        ]
        for at, (got, want) in enumerate(zip(sent, recorded, strict=True)):
            assert got["functionCall"]["name"] == want["functionCall"]["name"]
            assert got["functionCall"]["args"] == want["functionCall"].get("args", {})
            unsigned = PLACEHOLDER_SIGNATURE if at == 0 else None
            assert got.get("thoughtSignature") == want.get("thoughtSignature", unsigned)
            if "id" in want["functionCall"]:
                assert got["functionCall"]["id"] == want["functionCall"]["id"]
    assert turns > 200
