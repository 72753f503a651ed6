"""Whole answers: what of them a client gets, and what is a fault."""

import json
from typing import Any

import pytest
from google.genai import types
from openai.types.chat import ChatCompletion

from application.dialects.gemini.encoding import written
from tests.application.dialects.gemini.gemini_world import Json, choice, read, response

CALL: Json = {"functionCall": {"name": "f", "args": {"a": 1}}}
FILTERED = (
    *("SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
    *("IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION", "MODEL_ARMOR"),
    *("ESCALATION", "PUP_LIMITED_DISABLED"),
)
BROKEN = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
    *("MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"),
)


def test_a_plain_answer() -> None:
    """Text in one piece, the alias for a model, usage from the same figures that are charged."""
    told = read(
        response(
            {"text": "a"},
            {"text": "b"},
            usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        )
    )
    assert told.completion is not None
    ChatCompletion.model_validate_json(json.dumps(told.completion), strict=True)
    assert told.completion == {
        "id": "chatcmpl-response-1",
        "object": "chat.completion",
        "created": 1,
        "model": "alias",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ab", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "total_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    assert told.usage_raw == b'{"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}'
    assert told.spoken.text == "ab"


def test_every_reason_that_googles_sdk_knows_has_a_place() -> None:
    """24 of them."""
    known = {reason.value for reason in types.FinishReason}
    placed = {"FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "CONTINUATION", *FILTERED, *BROKEN}
    assert known == placed
    assert len(known) == 24


@pytest.mark.parametrize("reason", FILTERED)
def test_filters_are_a_content_filter(reason: str) -> None:
    """With and without text."""
    assert choice(response({"text": "a"}, finish=reason))["finish_reason"] == "content_filter"
    assert choice(response(finish=reason))["finish_reason"] == "content_filter"


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "CONTINUATION", 2])
def test_a_full_answer_is_a_length(reason: Any) -> None:
    """Also an empty one: thoughts count against the bound and may use it up."""
    empty = {"candidates": [{"content": {"role": "model"}, "finishReason": reason}]}
    assert choice(empty)["finish_reason"] == "length"
    assert choice(empty)["message"]["content"] == ""


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_answer_is_a_fault_if_it_is_empty(reason: str) -> None:
    """SDKs would take it for a success that says nothing; what was said or called, a client can use."""
    thought = {"text": "hm", "thought": True}
    told = read(response(thought, finish=reason, usageMetadata={"promptTokenCount": 1}))
    assert told.fault == "garbage"
    assert told.completion is None
    assert told.usage_raw is not None
    assert choice(response({"text": "a"}, finish=reason))["finish_reason"] == "stop"
    assert choice(response(CALL, finish=reason))["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("reason", ["FINISH_REASON_UNSPECIFIED", None, 0, "", "NEW_REASON"])
def test_a_whole_body_without_a_known_reason_is_whole(reason: Any) -> None:
    """Nothing of it was lost on the way."""
    assert choice(response({"text": "a"}, finish=reason))["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": None},
        {"candidates": "x"},
        {"candidates": [1]},
        response(finish=None),
        [],
        [{}],
        3,
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[" * 5_000,
    ],
)
def test_what_is_no_answer_is_garbage(body: Any) -> None:
    """Nothing raises."""
    assert read(body).fault == "garbage"


@pytest.mark.parametrize("body", [{"error": {"code": 429}}, [{"error": {"code": 400}}], {"error": "text"}])
def test_an_error_told_with_status_200(body: Any) -> None:
    """Alone, or in a list as on the OpenAI-compatible path."""
    assert read(body).fault == "error_body"


@pytest.mark.parametrize(
    "body",
    [
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"candidates": [], "promptFeedback": {"blockReason": "SAFETY"}},
    ],
)
def test_a_blocked_prompt_is_a_content_filter(body: Json) -> None:
    """With a refusal that names the reason."""
    only = choice({**body, "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12}})
    assert only["finish_reason"] == "content_filter"
    assert only["message"]["refusal"] == "The provider blocked the prompt (SAFETY)."
    odd = choice({"promptFeedback": {"blockReason": "do as I say!"}})
    assert odd["message"]["refusal"] == "The provider blocked the prompt."


def test_thoughts_are_reasoning() -> None:
    """And never content; their own signatures mean nothing to a client."""
    message = choice(
        response(
            {"text": "hm", "thought": True, "thoughtSignature": "T"}, {"text": "a", "thoughtSignature": "S"}
        )
    )["message"]
    assert message["reasoning_content"] == "hm"
    assert message["content"] == "a"
    assert message["extra_content"] == {"google": {"thought_signature": "S"}}


def test_calls_get_ids_and_keep_signatures() -> None:
    """Ids may be absent: each call gets one of its own, different in other answers; `content` is null beside calls."""
    calls = [{**CALL, "thoughtSignature": "S"}, CALL, {"functionCall": {"name": "g", "id": "theirs"}}]
    only = choice(response(*calls))
    assert only["finish_reason"] == "tool_calls"
    assert only["message"]["content"] is None
    assert only["message"]["tool_calls"] == [
        {
            "id": "call_response-1_1",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
            "extra_content": {"google": {"thought_signature": "S"}},
        },
        {"id": "call_response-1_2", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "theirs", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    nameless = {"candidates": response(CALL)["candidates"]}
    first, second = (choice(nameless)["message"]["tool_calls"][0]["id"] for _ in range(2))
    assert first != second


def test_an_odd_id_is_not_passed_on() -> None:
    """It is made of what every provider's ids may have, and the same for the same answer."""
    answer = {**response(CALL), "responseId": "x" * 500 + "\n"}
    first, second = (choice(answer)["message"]["tool_calls"][0]["id"] for _ in range(2))
    assert first == second
    assert len(first) < 40
    assert first.replace("_", "").isalnum()


def test_pictures_come_out_as_data_urls() -> None:
    """Beside the text, in `images`; sketches that are thoughts do not, nor what is no picture."""
    sketch = {"inlineData": {"mimeType": "image/png", "data": "BB"}, "thought": True}
    sound = {"inlineData": {"mimeType": "audio/L16", "data": "CC"}}
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA"}}
    message = choice(response({"text": "see"}, sketch, picture, sound))["message"]
    assert message["content"] == "see"
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]


def test_what_the_providers_tools_did_is_no_call() -> None:
    """The client cannot answer it."""
    only = choice(
        response(
            {"executableCode": {"code": "1", "language": "PYTHON"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
            {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}},
            {"text": "a"},
        )
    )
    assert only["finish_reason"] == "stop"
    assert only["message"] == {"role": "assistant", "content": "a", "refusal": None}


def test_several_candidates_are_several_choices() -> None:
    """In order of their index; one without is the first."""
    body = {
        "candidates": [
            {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"},
            {"index": 0, "content": {"parts": [CALL]}, "finishReason": "STOP"},
        ]
    }
    told = read(body)
    assert told.completion is not None
    assert [(one["index"], one["finish_reason"]) for one in told.completion["choices"]] == [
        (0, "tool_calls"),
        (1, "length"),
    ]


def test_logprobs_come_out() -> None:
    """With their rivals and bytes, as OpenAI has them."""
    body = response({"text": "é"})
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [{"token": "é", "tokenId": 1, "logProbability": -0.5}, {"token": 3}],
        "topCandidates": [{"candidates": [{"token": "e", "logProbability": -1.5}]}],
    }
    told = read(body)
    assert told.completion is not None
    ChatCompletion.model_validate_json(json.dumps(told.completion), strict=True)
    assert told.completion["choices"][0]["logprobs"] == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [{"token": "e", "logprob": -1.5, "bytes": [101]}],
            }
        ],
        "refusal": None,
    }


def test_the_tier_that_served_is_told() -> None:
    """Prices depend on it; Google's standard is OpenAI's default."""
    for theirs, ours in (("standard", "default"), ("FLEX", "flex"), ("priority", "priority"), (3, None)):
        told = read(response({"text": "a"}, usageMetadata={"serviceTier": theirs, "totalTokenCount": 1}))
        assert told.completion is not None
        assert told.completion.get("service_tier") == ours


def test_text_that_no_encoder_takes_is_mended() -> None:
    """Half a surrogate pair, and bytes that are no UTF-8."""
    body = json.dumps(response({"text": "a\ud83d"})).encode()
    assert choice(body)["message"]["content"] == "a?"
    cut = json.dumps(response({"text": "a~"})).encode().replace(b"~", b"\xc3")
    assert choice(cut)["message"]["content"] == "a\ufffd"


def test_usage_in_a_mended_body_is_read_too() -> None:
    """Written anew where it cannot be cut out of what came."""
    body = json.dumps(response({"text": "\ud83d"}, usageMetadata={"totalTokenCount": 1})).encode()
    assert read(body).usage_raw == b'{"totalTokenCount":1}'


def test_what_is_nested_beyond_reason_is_not_written() -> None:
    """An encoder that gives up is no crash."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    assert written(deep) is None
