"""Completions: what bounds them, their stream, and every recorded exchange."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion
from pydantic import ValidationError

from application.dialects.openai.completions.head import completion_prompt, parse_completion, patch_completion
from application.dialects.openai.completions.relay import CompletionsRelay, completion_text, read_completion
from application.speech.completions import CompletionsEndpoint
from application.wire.bounds import ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead
from application.wire.usage import normalise
from tests.application.dialects.openai.odd_json import mutated, pieces, values
from tests.application.gateway.exchange_world import PRICE

Case = dict[str, Any]
LIMITS = ModelLimits(context_tokens=100_000, output_tokens_max=4_000)


def head_of(prompt: Any, **members: Any) -> ChatHead:
    return parse_completion(json.dumps({"model": "m", "prompt": prompt, **members}).encode())


def sse(*documents: Case) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in documents)


def chunk(text: str, reason: str | None = None, index: int = 0) -> Case:
    return {
        "id": "c",
        "object": "text_completion",
        "choices": [{"index": index, "text": text, "finish_reason": reason}],
    }


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [("text", 1), (None, 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2, 3], [4]], 3)],
)
def test_each_prompt_has_its_answers(prompt: Any, prompts: int) -> None:
    """`n` and `best_of` multiply: `best_of` makes more than it shows."""
    assert head_of(prompt).n == prompts
    assert head_of(prompt, n=2).n == 2 * prompts
    assert head_of(prompt, n=2, best_of=5).n == 5 * prompts
    assert head_of(prompt, n=2, best_of=0).n == 2 * prompts


def test_the_bound_is_the_endpoints_default_if_none_is_asked_for() -> None:
    """16 tokens, which must be sent where a bound is always sent."""
    assert bound_of(head_of("x"), LIMITS).answer_tokens == 16
    assert bound_of(head_of("x", max_tokens=0, echo=True), LIMITS).answer_tokens == 1


def test_each_prompt_is_bounded_by_a_context_of_its_own() -> None:
    """A hundred prompts are a hundred calls of the model: what they cost together may be far above one context."""
    endpoint = CompletionsEndpoint()
    texts = ["word " * 10_000] * 20
    bound = endpoint.bound(head_of(texts), LIMITS, PRICE)
    assert bound.several
    assert bound.prompt_tokens >= sum(map(len, texts))
    alone = endpoint.bound(head_of("word " * 200_000), LIMITS, PRICE)
    assert (alone.several, alone.prompt_tokens) == (False, LIMITS.context_tokens)


def test_an_echo_is_bounded_as_part_of_the_answer() -> None:
    """Some charge the prompt that they repeat."""
    head = head_of("x" * 500, echo=True)
    assert bound_of(head, LIMITS).output_tokens >= 500 + 16


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"prompt": 1}, "invalid_type", "prompt"),
        ({"prompt": []}, "empty_array", "prompt"),
        ({"prompt": ["a", 1]}, "invalid_type", "prompt"),
        ({"prompt": [True]}, "invalid_type", "prompt"),
        ({"prompt": [[1], []]}, "invalid_type", "prompt"),
        ({"n": 0}, "invalid_value", "n"),
        ({"best_of": "2"}, "invalid_type", "best_of"),
        ({"max_tokens": -1}, "invalid_value", "max_tokens"),
        ({"stream_options": 1}, "invalid_type", "stream_options"),
    ],
)
def test_malformed_members_are_named(members: Case, code: str, param: str) -> None:
    """Prompts of mixed kinds too."""
    with pytest.raises(InvalidRequest) as refusal:
        head_of(**{"prompt": "x", **members})
    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_the_patch_keeps_every_other_byte() -> None:
    """And the other stream options."""
    body = b'{"model":"a", "prompt":"x","temperature":0.50,"stream_options":{"x":1}}'
    sent = patch_completion(body, model="b", max_tokens=3, include_usage=True)
    assert sent == (
        b'{"model":"b","prompt":"x","temperature":0.50,"stream_options":{"x":1,"include_usage":true},"max_tokens":3}'
    )


def test_a_prompt_of_tokens_is_counted_as_given() -> None:
    """Text is left to a tokenizer."""
    prompt = completion_prompt(b'{"prompt":[[1,2],[3]]}')
    assert prompt is not None
    assert (prompt.texts, prompt.template_tokens) == ([], 3)
    prompt = completion_prompt(b'{"prompt":["a","b"]}')
    assert prompt is not None
    assert prompt.texts == ["a", "b"]


def test_the_end_is_withheld_and_the_text_heard() -> None:
    """Of all choices."""
    relay = CompletionsRelay(usage_wanted=False)
    events = [sse(chunk("a")), sse(chunk("b", "stop")), sse(chunk("c", "length", 1)), b"data: [DONE]\n\n"]
    usage = sse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 3}})
    sent = b"".join(relay.feed(each) for each in (*events[:3], usage, events[3]))
    tail = relay.finish()
    assert sent + tail.data == b"".join(events)
    assert b"length" in tail.data
    assert relay.spoken().text == "abc"
    assert relay.usage_raw is not None


def test_recorded_streams_pass_unchanged(corpus: list[Case], tally: Any, cut: Any, events_of: Any) -> None:
    """In any cutting, with their text."""
    for case in corpus:
        if case["endpoint"] != "completions" or not case["stream"]:
            continue
        body = b"".join(events_of(case))
        relay = CompletionsRelay(usage_wanted=True)
        sent = b"".join(relay.feed(piece) for piece in cut(body, case["id"]))
        tail = relay.finish()
        assert tail.complete
        assert sent + tail.data == body
        documents = [
            json.loads(each["data"]) for each in case["stream_chunks"] if each["data"].startswith("{")
        ]
        text = "".join(choice["text"] for each in documents for choice in each["choices"])
        assert relay.spoken().chars_total == len(text)
        tally.passes(case)
    assert tally.total() == 14


def test_recorded_answers_pass_with_their_usage(corpus: list[Case], tally: Any) -> None:
    """Valid for the official types where they were."""
    for case in corpus:
        body = case.get("response_body")
        if case["endpoint"] != "completions" or case["stream"]:
            continue
        read = read_completion(json.dumps(body).encode())
        if not isinstance(body, dict) or "error" in body or case["response_status"] != 200:
            assert read.fault is not None, case["id"]
            tally.excludes(case, "an error")
            continue
        assert read.fault is None
        assert completion_text(read.body).text == "".join(choice["text"] for choice in body["choices"])
        usage = normalise(read.usage_raw, dialect="openai")
        assert usage is not None
        assert usage.input + usage.cached_input == body["usage"]["prompt_tokens"]
        assert usage.output == body["usage"].get("completion_tokens", 0)
        try:
            Completion.model_validate(json.loads(read.body))
        except ValidationError:
            tally.excludes(case, "not valid as the provider wrote it")
            continue
        tally.passes(case)
    assert tally.total() > 50


def test_recorded_requests_are_read(corpus: list[Case], tally: Any) -> None:
    """All that a provider served."""
    for case in corpus:
        request = case["request_body"]
        if (
            case["endpoint"] != "completions"
            or case["response_status"] != 200
            or not isinstance(request, dict)
        ):
            continue
        if "model" not in request:
            tally.excludes(case, "the model is in the URL only")
            continue
        assert parse_completion(json.dumps(request).encode()).model == request["model"]
        tally.passes(case)
    assert tally.total() > 60


RICH: Case = {
    "model": "m",
    "prompt": ["a", "b"],
    "n": 2,
    "best_of": 3,
    "echo": True,
    "stream_options": {},
    "stream": True,
}


@given(mutated(RICH) | values)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes."""
    body = json.dumps(document).encode()
    with contextlib.suppress(InvalidRequest):
        parse_completion(body)
        completion_prompt(body)
        patch_completion(body, model="m", max_tokens=1, include_usage=True)


@given(st.data())
def test_any_cutting_of_any_stream_gives_the_same(data: st.DataObject) -> None:
    """However odd its events, nothing raises."""
    body = sse(*(data.draw(mutated(each)) for each in (chunk("é"), chunk("b"), chunk("c", "stop"))))
    results = []
    for parts in ([body], data.draw(pieces(body))):
        relay = CompletionsRelay(usage_wanted=True)
        sent = b"".join(relay.feed(part) for part in parts)
        results.append((sent, relay.finish(), relay.spoken()))
    assert results[0] == results[1]
    completion_text(body)


def test_togethers_object_is_mended() -> None:
    """Strict clients refuse its spelling."""
    body = b'{"id":"c","object":"text.completion","choices":[{"text":"x"}]}'
    assert read_completion(body).body == body.replace(b"text.completion", b"text_completion")


def test_a_patch_without_bound_and_usage_changes_the_model_only() -> None:
    """The client's own stay."""
    body = b'{"model":"a","prompt":"x","max_tokens":3}'
    assert patch_completion(body, model="b", max_tokens=None, include_usage=False) == body.replace(
        b'"a"', b'"b"'
    )
    assert completion_prompt(b"[]") is None
    plain = completion_prompt(b'{"prompt":"x"}')
    assert plain is not None
    assert plain.texts == ["x"]


def test_too_many_prompts_are_refused() -> None:
    """Each is an answer of its own."""
    with pytest.raises(InvalidRequest) as refusal:
        head_of(["x"] * 3_000)
    assert refusal.value.param == "prompt"


def test_what_a_caller_may_ask_of_a_relay_is_the_meters() -> None:
    """And odd text is read leniently."""
    relay = CompletionsRelay(usage_wanted=True)
    relay.feed(b'data: {"choices":[{"index":0,"text":"\\ud800"}]}\n\n')
    relay.feed(b"".join(sse(chunk("x")) for _ in range(70)))
    assert (relay.done, relay.fault, relay.error_body, relay.chunks) == (False, None, b"", 71)
    assert relay.spoken().chars_total == 71
