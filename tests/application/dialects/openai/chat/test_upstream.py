"""An upstream of the same dialect as objects: its traps, one by one, and odd input."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from application.dialects.openai.chat.upstream import MAX_TOKENS, NO_STREAM_OPTIONS, OpenAiUpstream
from application.dialects.port import ChatEnd, Target
from domain.catalogue.provider import UsageDialect
from tests.application.dialects.openai.odd_json import mutated, pieces, values

Json = dict[str, Any]
CHAT: Json = {"model": "alias", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "seed": 1}


def chunk(delta: Json, reason: str | None = None, index: int = 0, **beside: Any) -> Json:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "theirs",
        "choices": [{"index": index, "delta": delta, "finish_reason": reason}],
        **beside,
    }


def sse(*documents: Json) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in documents)


USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
STREAM = (chunk({"role": "assistant", "content": "a"}), chunk({"content": "é"}), chunk({}, "stop"), USAGE)
DONE = b"data: [DONE]\n\n"


def read_stream(parts: list[bytes], dialect: UsageDialect = "openai") -> tuple[list[Json], ChatEnd]:
    stream = OpenAiUpstream(usage_dialect=dialect).stream(alias="alias", created_s=1)
    chunks = [each for part in parts for each in stream.feed(part)]
    return chunks, stream.finish()


def test_a_request_is_for_the_target_and_leaves_the_clients_alone() -> None:
    """The bound goes under one name only, and usage is always asked for on a stream."""
    before = json.dumps(CHAT)
    target = Target(model="theirs", output_tokens=50)
    asked = OpenAiUpstream(usage_dialect="openai").ask(CHAT, target, stream=True)
    sent = json.loads(asked.body)
    assert (sent["model"], sent["max_completion_tokens"], sent["seed"]) == ("theirs", 50, 1)
    assert "max_tokens" not in sent
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["stream"] is True
    assert asked.path == b"/chat/completions"
    assert json.dumps(CHAT) == before


def test_traits_choose_the_name_of_the_bound_and_whether_usage_is_asked_for() -> None:
    """As providers differ in both."""
    target = Target(model="m", output_tokens=5, traits=frozenset({MAX_TOKENS, NO_STREAM_OPTIONS}))
    sent = json.loads(OpenAiUpstream(usage_dialect="mistral").ask(CHAT, target, stream=True).body)
    assert sent["max_tokens"] == 5
    assert "max_completion_tokens" not in sent
    assert "stream_options" not in sent


def test_a_whole_answer_is_not_asked_for_as_a_stream() -> None:
    """Neither `stream` nor its options are sent."""
    sent = json.loads(
        OpenAiUpstream(usage_dialect="openai")
        .ask({**CHAT, "stream": True}, Target(model="m", output_tokens=5), stream=False)
        .body
    )
    assert "stream" not in sent
    assert "stream_options" not in sent


def test_the_end_of_a_choice_comes_from_finish_even_after_its_usage() -> None:
    """The meter releases a finishing chunk once usage follows it; a client must not see it before it paid."""
    chunks, end = read_stream([sse(*STREAM), DONE])
    assert [each["choices"][0]["finish_reason"] for each in chunks] == [None, None]
    assert [each["choices"][0]["finish_reason"] for each in end.chunks[:-1]] == ["stop"]
    assert end.chunks[-1]["choices"] == []
    assert end.chunks[-1]["usage"]["total_tokens"] == 7
    assert end.complete


def test_text_in_the_finishing_chunk_is_not_withheld_from_the_answer() -> None:
    """Its text goes in a chunk of its own, before the end."""
    chunks, end = read_stream([sse(chunk({"content": "all"}, "length"), USAGE)])
    told = chunks + end.chunks
    assert (
        "".join(each["choices"][0]["delta"].get("content", "") for each in told if each["choices"]) == "all"
    )
    assert told[-2]["choices"][0]["finish_reason"] == "length"


def test_reasoning_that_a_provider_counts_apart_is_in_the_usage_that_clients_see() -> None:
    """The object says what is charged: one arithmetic."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "total_tokens": 31,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    _, end = read_stream([sse(chunk({"content": "x"}, "stop", usage=usage))], "xai")
    told = end.chunks[-1]["usage"]
    assert told["completion_tokens"] == 21
    assert told["total_tokens"] == 31


def test_thoughts_have_one_name_and_content_is_text() -> None:
    """Mistral has both in a list, Groq calls thoughts `reasoning`."""
    parts = [
        "so ",
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "ok"},
    ]
    chunks, _ = read_stream([sse(chunk({"content": parts}), chunk({"reasoning": "so"}), chunk({}, "stop"))])
    assert [each["choices"][0]["delta"] for each in chunks] == [
        {"content": "so ok", "reasoning_content": "hm"},
        {"reasoning": "so", "reasoning_content": "so"},
    ]


def test_a_name_that_is_said_in_every_piece_counts_once() -> None:
    """SDKs join names as they join arguments."""
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{"}}
    more = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "}"}}
    chunks, _ = read_stream([sse(chunk({"tool_calls": [call]}), chunk({"tool_calls": [more]}))])
    assert chunks[1]["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "function": {"arguments": "}"}}]


def test_parallel_calls_under_one_index_are_kept_apart() -> None:
    """Their ids differ."""
    calls = [
        {"index": 0, "id": name, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for name in "ab"
    ]
    chunks, _ = read_stream([sse(*(chunk({"tool_calls": [call]}) for call in calls))])
    assert [each["choices"][0]["delta"]["tool_calls"][0]["index"] for each in chunks] == [0, 1]


def test_azures_prompt_filter_is_no_chunk() -> None:
    """It has no choices."""
    chunks, end = read_stream([sse({"choices": [], "object": "", "prompt_filter_results": []}, *STREAM)])
    assert len(chunks) == 2
    assert end.complete


def test_an_error_inside_the_stream_ends_it_without_an_end() -> None:
    """What came before stays; no finishing chunk, no usage."""
    error = {"error": {"message": "boom", "type": "server_error"}}
    chunks, end = read_stream([sse(chunk({"content": "a"}), chunk({}, "stop"), error)])
    assert len(chunks) == 1
    assert end == ChatEnd(chunks=[], complete=False, fault="error_event")


def test_a_stream_that_just_closes_is_truncated() -> None:
    """Without a reason to end there is no end."""
    _, end = read_stream([sse(chunk({"content": "a"}))])
    assert (end.complete, end.fault) == (False, "truncated")


def test_an_error_told_with_status_200_is_a_fault() -> None:
    """As is what is no answer."""
    upstream = OpenAiUpstream(usage_dialect="openai")
    assert upstream.read(b'{"error":{"message":"x"}}', alias="a", created_s=1).fault == "error_body"
    silent = upstream.read(b'{"choices":[]}', alias="a", created_s=1)
    assert silent.completion is not None
    assert "usage" not in silent.completion
    assert upstream.read(b"<html>", alias="a", created_s=1).fault == "garbage"


def test_a_stray_half_of_a_character_pair_does_not_break_a_chunk() -> None:
    """Only a lenient parser takes it."""
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"finish_reason":"stop"}]}\n\n'
    chunks, end = read_stream([piece])
    assert end.complete
    [told, ended] = chunks + end.chunks
    assert told["choices"][0]["delta"] == {"content": "?"}
    assert ended["choices"][0]["finish_reason"] == "stop"


WHOLE: Json = {
    "id": "c",
    "created": 1,
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": "x"}],
                "reasoning": "y",
                "refusal": None,
                "annotations": [{"type": "url_citation", "url_citation": {}}],
                "tool_calls": [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "stop",
            "logprobs": {"content": []},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}},
    "service_tier": "default",
}


@given(mutated(WHOLE) | values)
def test_no_answer_raises(document: Any) -> None:
    """Whatever it is, it is read or it is a fault."""
    read = OpenAiUpstream(usage_dialect="openai").read(json.dumps(document).encode(), alias="a", created_s=1)
    assert (read.completion is None) is (read.fault is not None)


@given(st.data())
def test_any_cutting_of_any_stream_gives_the_same_chunks(data: st.DataObject) -> None:
    """However odd the events are, nothing raises; what is given is valid."""
    documents = [data.draw(mutated(each)) for each in STREAM]
    body = sse(*documents) + data.draw(st.sampled_from([b"", DONE]))
    whole = read_stream([body])
    assert read_stream(data.draw(pieces(body))) == whole
    for each in whole[0] + whole[1].chunks:
        assert each["object"] == "chat.completion.chunk"


def test_chunks_are_valid_for_the_official_types() -> None:
    """All that a stream gives."""
    chunks, end = read_stream([sse(*STREAM), DONE])
    for each in chunks + end.chunks:
        ChatCompletionChunk.model_validate(each, strict=True)


def test_what_a_caller_may_ask_of_a_stream_is_the_meters() -> None:
    """The text, the chunks, the end, the error, the usage."""
    stream = OpenAiUpstream(usage_dialect="openai").stream(alias="alias", created_s=1)
    stream.feed(sse(*STREAM))
    assert (stream.done, stream.fault, stream.error_body, stream.chunks) == (False, None, b"", 3)
    assert stream.spoken().text == "aé"
    assert stream.usage_raw is not None
    stream.feed(DONE)
    assert stream.done


def test_log_probabilities_and_extensions_stay_in_their_chunk() -> None:
    """As does what a provider adds to a call."""
    first = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}, "extra_content": {"google": 1}}
    logged = chunk({"content": "a"})
    logged["choices"][0]["logprobs"] = {"content": []}
    empty = chunk({})
    empty["choices"][0]["logprobs"] = {"content": []}
    chunks, _ = read_stream(
        [sse(logged, empty, chunk({"tool_calls": [first]}), chunk({"tool_calls": [more]}))]
    )
    assert chunks[0]["choices"][0]["logprobs"] == {"content": []}
    assert chunks[1]["choices"][0] == {
        "index": 0,
        "delta": {},
        "finish_reason": None,
        "logprobs": {"content": []},
    }
    assert chunks[3]["choices"][0]["delta"]["tool_calls"] == [more]


def test_choices_and_calls_without_end_are_bounded() -> None:
    """Memory is; what is beyond passes as it came."""
    calls = [
        {"index": index, "id": str(index), "type": "function", "function": {"name": "f", "arguments": ""}}
        for index in range(1_030)
    ]
    chunks, end = read_stream(
        [sse(chunk({"tool_calls": calls}), *(chunk({"content": "x"}, "stop", index) for index in range(200)))]
    )
    assert chunks[0]["choices"][0]["delta"]["tool_calls"][-1] == calls[-1]
    ends = [each for each in end.chunks if each["choices"][0]["finish_reason"]]
    assert len(ends) == 128


def test_a_tier_and_a_fingerprint_are_kept_and_an_invented_tier_is_not() -> None:
    """Strict clients refuse tiers that they do not know."""
    _, end = read_stream([sse(chunk({}, "stop", service_tier="flex", system_fingerprint="fp"))])
    assert (end.chunks[0]["service_tier"], end.chunks[0]["system_fingerprint"]) == ("flex", "fp")
    _, end = read_stream([sse(chunk({}, "stop", service_tier="standard"))])
    assert "service_tier" not in end.chunks[0]
