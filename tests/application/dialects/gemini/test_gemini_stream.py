"""Streams: what comes when, what ends one, and what breaks one."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from application.dialects.gemini.frames import Frames
from application.dialects.gemini.stream import GeminiStream
from tests.application.dialects.gemini.gemini_world import Json, assembled, response, sse, streamed

CALL: Json = {"functionCall": {"name": "f", "args": {"a": 1}}}
ERROR: Json = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}


def usage(prompt: int, spoken: int) -> Json:
    return {"promptTokenCount": prompt, "candidatesTokenCount": spoken, "totalTokenCount": prompt + spoken}


def test_the_end_waits_for_the_charge() -> None:
    """Text goes on as it comes, the role first; the reason and the usage come from `finish` only."""
    stream = GeminiStream(alias="alias", created_s=1)
    (first,) = stream.feed(sse(response({"text": "a"}, finish=None)))
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": "a"}, "logprobs": None, "finish_reason": None}
    ]
    (second,) = stream.feed(sse(response({"text": "b"}, usageMetadata=usage(3, 2))))
    assert second["choices"][0]["delta"] == {"content": "b"}
    assert second["choices"][0]["finish_reason"] is None
    end = stream.finish()
    assert end.complete
    assert end.fault is None
    assert [chunk["choices"] for chunk in end.chunks] == [
        [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}],
        [],
    ]
    assert end.chunks[1]["usage"]["total_tokens"] == 5
    assert {chunk["id"] for chunk in (first, second, *end.chunks)} == {"chatcmpl-response-1"}
    for chunk in (first, second, *end.chunks):
        ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
    assert stream.chunks == 2
    assert stream.spoken().text == "ab"


def test_usage_is_not_told_if_the_upstream_does_not() -> None:
    """No figures are made up."""
    _, end, stream = streamed([sse(response({"text": "a"}))])
    assert len(end.chunks) == 1
    assert stream.usage_raw is None


def test_the_latest_usage_counts() -> None:
    """Figures are cumulative and never added; one without a total adds its members, one with replaces."""
    events = [
        response({"text": "a"}, finish=None, usageMetadata={"trafficType": "ON_DEMAND"}),
        response({"text": "a"}, finish=None, usageMetadata=usage(9, 21)),
        response({"text": "a"}, finish=None, usageMetadata={"trafficType": "ON_DEMAND", "serviceTier": None}),
        response(
            {"text": "b"}, usageMetadata={**usage(9, 30), "thoughtsTokenCount": 4, "totalTokenCount": 43}
        ),
    ]
    _, end, stream = streamed([sse(*events[:3])])
    assert stream.usage_raw is not None
    assert json.loads(stream.usage_raw) == {**usage(9, 21), "trafficType": "ON_DEMAND"}
    _, end, _ = streamed([sse(*events)])
    assert end.chunks[-1]["usage"]["completion_tokens"] == 34
    last = response({"text": "b"}, usageMetadata={"promptTokenCount": 87, "totalTokenCount": 87})
    _, end, _ = streamed([sse(*events, last)])
    assert end.chunks[-1]["usage"]["completion_tokens"] == 0


def test_a_stream_without_a_reason_is_truncated() -> None:
    """Whatever it said; the finishing chunk is not sent, since SDKs would take it for the end."""
    for responses in ([response({"text": "a"}, finish=None)], []):
        _, end, stream = streamed([sse(*responses)])
        assert end.fault == "truncated"
        assert not end.complete
        assert end.chunks == []
        assert stream.fault == "truncated"


def test_every_candidate_must_end() -> None:
    """One that goes on when the stream closes was cut."""
    two = {"candidates": [{"index": i, "content": {"parts": [{"text": "x"}]}} for i in (0, 1)]}
    ends = [{"candidates": [{"index": i, "finishReason": "STOP"}]} for i in (1, 0)]
    chunks, end, _ = streamed([sse(two, ends[0])])
    assert end.fault == "truncated"
    chunks, end, _ = streamed([sse(two, *ends)])
    assert end.complete
    assert [one["index"] for chunk in end.chunks for one in chunk["choices"]] == [0, 1]
    assert assembled(chunks + end.chunks, 1)["content"] == "x"


def test_an_error_inside_a_stream_is_a_fault() -> None:
    """Nothing comes after it, the withheld end neither; its body is kept to classify."""
    chunks, end, stream = streamed([sse(response({"text": "a"}), ERROR, response({"text": "b"}))])
    assert assembled(chunks)["content"] == "a"
    assert end.fault == "error_event"
    assert end.chunks == []
    assert json.loads(stream.error_body) == ERROR
    named = b"event: error\ndata: " + json.dumps({"code": 1}).encode() + b"\n\n"
    _, end, stream = streamed([sse(response({"text": "a"})) + named])
    assert end.fault == "error_event"
    assert stream.error_body == b'{"code": 1}'


@pytest.mark.parametrize(
    "start", [json.dumps(ERROR, indent=2), "<html>", json.dumps(response({"text": "a"}))]
)
def test_another_document_is_no_stream(start: str) -> None:
    """A whole JSON object or a page where events were asked for; its beginning is kept."""
    for pieces in ([start.encode()], [bytes([byte]) for byte in start.encode()]):
        chunks, end, stream = streamed(pieces)
        assert chunks == []
        assert end.fault == "not_sse"
        assert stream.error_body == start.encode()


def test_garbage_is_a_fault() -> None:
    """Data that is no JSON object."""
    for data in (b"data: {oops\n\n", b"data: 3\n\n", b"data: [1]\n\n"):
        _, end, _ = streamed([sse(response({"text": "a"})) + data])
        assert end.fault == "garbage"


def test_a_broken_ending_is_a_fault_if_nothing_was_said() -> None:
    """As in a whole answer: an empty one looks like a success."""
    _, end, _ = streamed([sse(response(finish="MALFORMED_FUNCTION_CALL"))])
    assert end.fault == "garbage"
    _, end, _ = streamed([sse(response({"text": "a"}, finish="MALFORMED_FUNCTION_CALL"))])
    assert end.chunks[0]["choices"][0]["finish_reason"] == "stop"


def test_a_blocked_prompt_is_a_complete_stream() -> None:
    """One chunk with the refusal and the reason."""
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    chunks, end, stream = streamed([sse(feedback)])
    assert chunks == []
    assert end.complete
    (only,) = end.chunks[0]["choices"]
    assert only["finish_reason"] == "content_filter"
    assert only["delta"]["refusal"] == "The provider blocked the prompt (SAFETY)."
    assert stream.chunks == 0


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(newline: str) -> None:
    """Gemini writes CRLF; the last event may lack its empty line; a closing word is tolerated."""
    stream = sse(response({"text": "a"}, finish=None), response({"text": "é"}), newline=newline)
    for whole in (stream, stream.rstrip(b"\r\n"), stream + b"data: [DONE]" + newline.encode() * 2):
        for size in (1, 7, len(whole)):
            chunks, end, _ = streamed([whole[at : at + size] for at in range(0, len(whole), size)])
            assert end.complete
            assert assembled(chunks + end.chunks)["content"] == "aé"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_data_may_have_several_lines(newline: str) -> None:
    """They are one document; a line end inside a piece is not the end of an event."""
    lines = json.dumps(response({"text": "a"}), indent=1).split("\n")
    whole = "".join(f"data: {line}{newline}" for line in lines).encode()
    two = newline.join(['data: {"responseId":', 'data: "response-1"}']).encode() + newline.encode()
    for event in (whole, whole + newline.encode(), two + newline.encode() + whole):
        for size in (1, 9, len(two), len(event)):
            _, end, _ = streamed([event[at : at + size] for at in range(0, len(event), size)])
            assert end.complete


def test_a_closing_word_ends_it() -> None:
    """Nothing after it is read."""
    chunks, end, stream = streamed([sse(response({"text": "a"})) + b"data: [DONE]\n\n", sse(ERROR)])
    assert stream.done
    assert end.complete
    assert assembled(chunks)["content"] == "a"


def test_an_array_is_read_too() -> None:
    """What comes if `alt=sse` is ignored: elements as they complete, strings with brackets in them included."""
    said = 'a"]}\\[{'
    array = b"[" + json.dumps(response({"text": said}, finish=None), indent=1).encode() + b"\r\n,\r\n"
    array += json.dumps(response({"text": "b"})).encode()
    for whole in (array + b"]", array + b"\n]\n", array):
        for size in (1, 5, len(whole)):
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
            chunks, end, stream = streamed(pieces)
            assert end.complete
            assert stream.done is (whole != array)
            assert assembled(chunks + end.chunks)["content"] == said + "b"


def test_an_array_can_break() -> None:
    """An error in it, junk between elements, a cut element."""
    body = json.dumps(response({"text": "a"}, finish=None)).encode()
    _, end, stream = streamed([b"[" + body + b"," + json.dumps(ERROR).encode() + b"]"])
    assert end.fault == "error_event"
    assert json.loads(stream.error_body) == ERROR
    assert streamed([b"[" + body + b" x " + body + b"]"])[1].fault == "garbage"
    assert streamed([b"[" + body + b"," + body[:-9]])[1].fault == "truncated"
    assert streamed([b"[]"])[1].fault == "truncated"
    assert streamed([b"[{]"])[1].fault == "garbage"


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\r\n\r\n", b" " * 200, b"\n\xef\xbb\xbf\n"])
def test_blanks_and_a_mark_may_stand_before_it(start: bytes) -> None:
    """However they are cut."""
    whole = start + sse(response({"text": "a"}))
    for size in (1, 3, len(whole)):
        _, end, _ = streamed([whole[at : at + size] for at in range(0, len(whole), size)])
        assert end.complete


def test_comments_and_pings_say_nothing() -> None:
    """Nor do events without data."""
    noise = b": ping\n\nevent: ping\ndata: {}\n\ndata:\n\n"
    chunks, end, _ = streamed([noise + sse(response({"text": "a"})) + noise])
    assert end.complete
    assert len(chunks) == 1


def test_what_never_ends_is_cut_off() -> None:
    """One event, one element of an array, or a whole stream beyond its bound, wherever it is cut."""
    for whole in (b"data: " + b"x" * 300, b'[{"a": "' + b"x" * 300, sse(response({"text": "x" * 300}))):
        for size in (1, 50, len(whole)):
            stream = GeminiStream(alias="a", created_s=1, frames=Frames(event_bytes_max=200))
            for at in range(0, len(whole), size):
                stream.feed(whole[at : at + size])
            assert stream.fault == "event_too_long"
            assert stream.finish().fault == "event_too_long"
    stream = GeminiStream(alias="a", created_s=1, frames=Frames(stream_bytes_max=500))
    for _ in range(10):
        stream.feed(sse(response({"text": "x"}, finish=None)))
    assert stream.fault == "stream_too_long"


def test_calls_are_numbered_across_events() -> None:
    """Each with an index and an id of its own; thoughts and pictures on the way."""
    events = [
        response({"text": "hm", "thought": True}, {**CALL, "thoughtSignature": "S"}, finish=None),
        response(CALL, {"inlineData": {"mimeType": "image/png", "data": "AA"}}, finish=None),
        response({"text": "", "thoughtSignature": "T"}),
    ]
    chunks, end, _ = streamed([sse(*events)])
    got = assembled(chunks + end.chunks)
    assert [call["index"] for call in got["tool_calls"]] == [0, 1]
    assert [call["id"] for call in got["tool_calls"]] == ["call_response-1_1", "call_response-1_2"]
    assert got["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "S"}}
    assert got["reasoning_content"] == "hm"
    assert len(got["images"]) == 1
    assert got["finish"] == "tool_calls"
    assert chunks[-1]["choices"][0]["delta"] == {"extra_content": {"google": {"thought_signature": "T"}}}


# --- arguments in pieces


def piece(path: Any, value: Any = None, kind: str = "stringValue", *, more: bool = True) -> Json:
    call: Json = {"partialArgs": [{"jsonPath": path, kind: value}]}
    return {"functionCall": call | ({"willContinue": True} if more else {})}


START: Json = {"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "S"}


def test_arguments_in_pieces_become_one_call() -> None:
    """Texts grow, arrays and objects are made on the way; the call is said once it is whole."""
    events: list[list[Json]] = [
        [START],
        [piece("$.a[0].b", "x")],
        [piece("$.a[0].b", "y")],
        [piece("$.a[1].b", 2.5, "numberValue"), piece("$.c", True, "boolValue")],
        [piece("$['d e']", "NULL_VALUE", "nullValue")],
        [{"functionCall": {}}, {"functionCall": {"name": "g"}}],
    ]
    pieces = [sse(response(*parts, finish=None)) for parts in events] + [sse(response())]
    chunks, end, _ = streamed(pieces)
    got = assembled(chunks + end.chunks)
    first, second = got["tool_calls"]
    arguments = json.loads(first["function"]["arguments"])
    assert arguments == {"a": [{"b": "xy"}, {"b": 2.5}], "c": True, "d e": None}
    assert first["extra_content"] == {"google": {"thought_signature": "S"}}
    assert second["function"] == {"name": "g", "arguments": "{}"}


def test_a_call_in_pieces_ends_with_the_answer() -> None:
    """Or with the next call; nothing of it is lost."""
    chunks, end, _ = streamed([sse(response(START, piece("$.a", "x"), START, finish=None), response())])
    calls = assembled(chunks + end.chunks)["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ['{"a":"x"}', "{}"]


@pytest.mark.parametrize(
    "part",
    [
        piece("a", "x"),
        piece("$", "x"),
        piece("$[0]", "x"),
        piece("$.a[5]", "x"),
        piece("$.a..b", "x"),
        piece("$.a[*]", "x"),
        piece(3, "x"),
        piece("$" + ".a" * 40, "x"),
        piece("$.a", "x", "otherValue"),
        {"functionCall": {"partialArgs": [3], "willContinue": True}},
        {"functionCall": {"partialArgs": [*({"jsonPath": p, "stringValue": "x"} for p in ("$.a", "$.a.b"))]}},
        {
            "functionCall": {
                "partialArgs": [*({"jsonPath": p, "stringValue": "x"} for p in ("$.a[0]", "$.a[9][0]"))]
            }
        },
        {"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x" * 2_000_000}]}},
    ],
)
def test_pieces_that_fit_nowhere_break_the_answer(part: Json) -> None:
    """Arguments that may be wrong are no call."""
    _, end, _ = streamed([sse(response(START, part, {"functionCall": {}}, finish=None), response())])
    assert end.fault == "garbage"
