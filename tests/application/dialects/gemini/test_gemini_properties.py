"""Whatever strangers and providers send: no surprise, and the cuts never matter."""

import contextlib
import json
import random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from application.dialects.gemini.embeddings import GeminiEmbeddings
from application.dialects.gemini.frames import Frames
from application.dialects.gemini.stream import GeminiStream
from application.dialects.gemini.traits import TRAITS
from application.dialects.gemini.upstream import GeminiUpstream
from application.dialects.port import Target
from application.wire.errors import InvalidRequest
from tests.application.dialects.gemini.gemini_world import Json, sse

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def often(*usual: Any, odd: st.SearchStrategy[Any] = JSON) -> st.SearchStrategy[Any]:
    """Mostly one of these, at times anything."""
    strategies = [each if isinstance(each, st.SearchStrategy) else st.just(each) for each in usual]
    return st.one_of(*strategies, *strategies, odd)


def members(**usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of which any member may be missing."""
    return often(st.fixed_dictionaries({}, optional=usual))


CALL = members(
    id=often("a", "b"),
    type=often("function"),
    function=members(name=often("f"), arguments=often("{}", "", "[1]", '{"a": 1}')),
    extra_content=members(google=members(thought_signature=often("S"))),
)
PART = members(
    type=often("text", "image_url", "input_audio", "file", "refusal"),
    text=often("t", ""),
    image_url=members(
        url=often("data:image/png;base64,AA", "https://example.com/a.png", "https://a.googleapis.com/")
    ),
    input_audio=members(data=often("AA"), format=often("wav")),
    file=members(file_data=often("data:a/b;base64,AA", "AA"), filename=often("a.pdf"), file_id=often("f")),
)
MESSAGE = members(
    role=often("system", "user", "assistant", "tool"),
    content=often("t", "", None, st.lists(PART, max_size=2)),
    tool_calls=often(st.lists(CALL, max_size=2)),
    tool_call_id=often("a", "b"),
    extra_content=members(google=members(thought_signature=often("S"))),
    refusal=often("no"),
)
SCHEMA = often({"type": "object", "properties": {"a": {"type": ["string", "null"]}}}, {"$ref": "#"})
CHAT = st.fixed_dictionaries(
    {"messages": often(st.lists(MESSAGE, min_size=1, max_size=4))},
    optional={
        "temperature": often(1, 0.5),
        "seed": often(3),
        "stop": often("a", ["b"]),
        "n": often(1, 2),
        "logprobs": often(True),
        "top_logprobs": often(2),
        "presence_penalty": often(0.5),
        "reasoning_effort": often("low", "none"),
        "response_format": members(type=often("json_schema", "text"), json_schema=members(schema=SCHEMA)),
        "tools": often(
            st.lists(
                members(type=often("function"), function=members(name=often("f"), parameters=SCHEMA)),
                max_size=2,
            )
        ),
        "tool_choice": often("auto", {"type": "function", "function": {"name": "f"}}),
        "service_tier": often("flex"),
        "modalities": often(["text", "image"]),
        "functions": JSON,
        "user": JSON,
    },
)
TRAIT_SETS = st.frozensets(st.sampled_from(sorted(TRAITS)))


@PATIENT
@given(CHAT, TRAIT_SETS, st.booleans())
def test_no_request_raises_anything_but_a_refusal(chat: Json, traits: frozenset[str], stream: bool) -> None:
    """What is translated is one JSON object with contents; it is not changed."""
    before = json.dumps(chat)
    try:
        asked = GeminiUpstream().ask(chat, Target(model="m", output_tokens=9, traits=traits), stream=stream)
    except InvalidRequest:
        return
    finally:
        assert json.dumps(chat) == before
    assert json.loads(asked.body)["contents"]


@PATIENT
@given(st.dictionaries(st.sampled_from(["input", "dimensions", "encoding_format", "user"]), JSON), TRAIT_SETS)
def test_no_embeddings_request_raises_anything_but_a_refusal(request: Json, traits: frozenset[str]) -> None:
    """Whatever its members are."""
    with contextlib.suppress(InvalidRequest):
        GeminiEmbeddings().ask(request, Target(model="m", output_tokens=9, traits=traits))


PIECE = members(
    jsonPath=often("$.a", "$.a[0]", "$.b.c"),
    stringValue=often("x"),
    numberValue=often(1),
    boolValue=often(True),
)
GENERATED = members(
    text=often("a", "é", ""),
    thought=often(True),
    thoughtSignature=often("S"),
    functionCall=members(
        name=often("f"),
        id=often("i"),
        args=often({"a": 1}),
        willContinue=often(True),
        partialArgs=often(st.lists(PIECE, max_size=2)),
    ),
    inlineData=members(mimeType=often("image/png"), data=often("AA")),
)
LOGPROB = members(token=often("a"), logProbability=often(-0.5))
USAGE = members(
    promptTokenCount=often(3),
    candidatesTokenCount=often(2),
    thoughtsTokenCount=often(1),
    cachedContentTokenCount=often(1),
    totalTokenCount=often(6),
    serviceTier=often("flex"),
)
CANDIDATE = members(
    index=often(0, 1),
    content=members(parts=often(st.lists(GENERATED, max_size=3)), role=often("model")),
    finishReason=often("STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", 1),
    logprobsResult=members(
        chosenCandidates=often(st.lists(LOGPROB, max_size=2)),
        topCandidates=often(st.lists(members(candidates=often(st.lists(LOGPROB, max_size=2))), max_size=2)),
    ),
)
RESPONSE = st.fixed_dictionaries(
    {"responseId": st.just("response-1")},
    optional={
        "candidates": often(st.lists(CANDIDATE, max_size=2)),
        "usageMetadata": USAGE,
        "promptFeedback": members(blockReason=often("SAFETY")),
        "error": often({}, None, {"code": 500}),
    },
)


@PATIENT
@given(RESPONSE)
@example({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"n": 2**70}}}]}}]})
@example({"responseId": "x", "usageMetadata": {"totalTokenCount": 2**70, "promptTokenCount": 2**70}})
@example({"candidates": [{"content": {"parts": [{"text": "\ud800"}]}, "finishReason": "STOP"}]})
def test_no_answer_raises(response: Json) -> None:
    """What is no fault, OpenAI's SDK takes strictly."""
    read = GeminiUpstream().read(json.dumps(response).encode(), alias="alias", created_s=1)
    assert (read.completion is None) is (read.fault is not None)
    if read.completion is not None:
        ChatCompletion.model_validate_json(json.dumps(read.completion), strict=True)
        json.dumps(read.completion).encode()


@PATIENT
@given(st.binary(max_size=40), st.sampled_from([b"", b"{", b"[", b"data: ", b"data: {", b'[{"a":"']))
def test_no_bytes_raise(junk: bytes, start: bytes) -> None:
    """As a body, as a stream, as vectors."""
    body = start + junk
    GeminiUpstream().read(body, alias="alias", created_s=1)
    GeminiEmbeddings().read(body, alias="alias", request={"input": "x"})
    stream = GeminiStream(alias="alias", created_s=1)
    stream.feed(body)
    stream.finish()


def outcome(pieces: list[bytes]) -> str:
    """Everything that a caller can see of a stream."""
    stream = GeminiStream(alias="alias", created_s=1, frames=Frames(event_bytes_max=600))
    chunks = [chunk for piece in pieces for chunk in stream.feed(piece)]
    end = stream.finish()
    for chunk in chunks + end.chunks:
        ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
    assert (end.fault is None) is end.complete
    seen = [chunks, end.chunks, end.fault, stream.fault, stream.chunks, stream.spoken().text, stream.done]
    return json.dumps([*seen, str(stream.usage_raw), str(stream.error_body)])


NOISE = st.sampled_from(
    [
        b"",
        b"\n",
        b"\r\n",
        b": x\n\n",
        b"data:\n\n",
        b"event: ping\n\n",
        b"data: [DONE]\n\n",
        b"data: {\n\n",
        b"\xef\xbb\xbf",
    ]
)


@PATIENT
@given(
    st.lists(RESPONSE, max_size=4),
    st.lists(NOISE, min_size=5, max_size=5),
    st.sampled_from(["\n", "\r\n", "\r", "array"]),
    st.integers(min_value=0),
)
def test_no_cutting_changes_a_stream(responses: list[Json], noise: list[bytes], form: str, seed: int) -> None:
    """At every byte, inside characters and line ends, or anywhere: the same chunks, faults and figures."""
    if form == "array":
        whole = (
            noise[0] + b"[" + b",\r\n".join(json.dumps(one).encode() for one in responses) + b"]" + noise[1]
        )
    else:
        events = [sse(one, newline=form) for one in responses]
        whole = b"".join(
            bytes_ for pair in zip(noise, [*events, b"", b"", b"", b"", b""], strict=False) for bytes_ in pair
        )
    expected = outcome([whole])
    assert outcome([whole[at : at + 1] for at in range(len(whole))]) == expected
    dice = random.Random(seed)
    cuts = sorted(dice.sample(range(len(whole) + 1), min(5, len(whole))))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert outcome(pieces) == expected, f"seed {seed}"
