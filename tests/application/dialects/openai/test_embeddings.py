"""Embeddings: what bounds them, and every recorded exchange."""

import contextlib
import json
import struct
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from openai.types import CreateEmbeddingResponse

from application.dialects.openai.embeddings import (
    EmbeddingsHead,
    parse_embeddings,
    patch_embeddings,
    read_embeddings,
    vector_of,
)
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, values

Case = dict[str, Any]


def head_of(value: Any, **members: Any) -> EmbeddingsHead:
    return parse_embeddings(json.dumps({"model": "m", "input": value, **members}).encode())


@pytest.mark.parametrize(
    ("value", "inputs", "tokens"),
    [("héé", 1, 5), (["ab", "c"], 2, 3), ([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3)],
)
def test_texts_are_bounded_by_their_bytes_and_tokens_by_their_count(
    value: Any, inputs: int, tokens: int
) -> None:
    """With an allowance for what models wrap around each."""
    head = head_of(value)
    assert head.inputs == inputs
    assert head.most.input == tokens + 16 * inputs


def test_base64_is_what_sdks_ask_for_by_default() -> None:
    """The wish stays in the request, and is known to whoever translates."""
    assert head_of("x", encoding_format="base64").base64
    assert not head_of("x", encoding_format="float").base64
    body = b'{"model":"a","input":"x","encoding_format":"base64"}'
    assert patch_embeddings(body, model="b") == body.replace(b'"a"', b'"b"')


def test_a_vector_in_base64_is_little_endian_float32() -> None:
    """As SDKs decode it."""
    text = vector_of([0.5, -2.0], as_base64=True)
    assert isinstance(text, str)
    assert struct.unpack("<2f", b64decode(text)) == (0.5, -2.0)
    assert vector_of([0.5], as_base64=False) == [0.5]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing_required_parameter"),
        (1, "invalid_type"),
        ([], "empty_array"),
        (["a", 1], "invalid_type"),
    ],
)
def test_malformed_input_is_named(value: Any, code: str) -> None:
    """Mixed kinds too."""
    with pytest.raises(InvalidRequest) as refusal:
        head_of(value)
    assert (refusal.value.code, refusal.value.param) == (code, "input")


def test_an_error_told_with_status_200_is_a_fault() -> None:
    """As is what has no vectors."""
    assert read_embeddings(b'{"error":{"message":"x"}}').fault == "error_body"
    assert read_embeddings(b'{"base_resp":{"status_code":1008}}').fault == "error_body"
    assert read_embeddings(b'{"vectors":null}').fault == "garbage"
    assert read_embeddings(b"<html>").fault == "garbage"


def test_missing_usage_is_told_apart_from_zero() -> None:
    """The bound of the request stands in for the one, never for the other."""
    assert read_embeddings(b'{"data":[]}').used is None
    used = read_embeddings(b'{"data":[],"usage":{"prompt_tokens":0,"total_tokens":0}}').used
    assert used is not None
    assert used.input == 0


def test_an_upstreams_cost_is_taken_out() -> None:
    """The raw usage keeps it."""
    read = read_embeddings(b'{"data":[],"usage":{"prompt_tokens":1,"cost":0.5}}')
    assert read.body == b'{"data":[],"usage":{"prompt_tokens":1}}'
    assert b"cost" in (read.usage_raw or b"")


def test_recorded_answers_pass_unchanged(corpus: list[Case], tally: Any) -> None:
    """With their usage, valid for the official types."""
    for case in corpus:
        body = case.get("response_body")
        if case["endpoint"] != "embeddings" or case["response_status"] != 200 or not isinstance(body, dict):
            if case["endpoint"] == "embeddings":
                tally.excludes(case, "no answer with status 200")
            continue
        raw = json.dumps(body).encode()
        read = read_embeddings(raw)
        assert read.fault is None
        assert read.body == raw
        if body.get("usage"):
            assert read.used is not None
            assert read.used.input == body["usage"]["prompt_tokens"]
            document = json.loads(read.body)
            for item in document["data"]:  # base64, which SDKs decode before they validate
                item["embedding"] = item["embedding"] if isinstance(item["embedding"], list) else [0.5]
            CreateEmbeddingResponse.model_validate(document)
        else:
            assert read.used is None
        tally.passes(case)
    assert tally.total() > 60


def test_recorded_requests_are_read_with_a_bound_above_their_usage(corpus: list[Case], tally: Any) -> None:
    """No recording used more than its bound."""
    for case in corpus:
        request = case["request_body"]
        if (
            case["endpoint"] != "embeddings"
            or case["response_status"] != 200
            or not isinstance(request, dict)
        ):
            continue
        head = parse_embeddings(json.dumps(request).encode())
        if case["usage"]:
            assert head.most.input >= case["usage"]["prompt_tokens"], case["id"]
        tally.passes(case)
    assert tally.total() > 60


@given(
    mutated({"model": "m", "input": ["a"], "dimensions": 1, "encoding_format": "float", "user": "u"}) | values
)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes."""
    with contextlib.suppress(InvalidRequest):
        parse_embeddings(json.dumps(document).encode())


@given(
    mutated({"object": "list", "data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 1}, "error": None})
    | values
)
def test_no_answer_raises(document: Any) -> None:
    """Whatever it is, it is read or it is a fault."""
    read = read_embeddings(json.dumps(document).encode())
    assert (read.fault is None) is bool(read.body)


def test_too_many_inputs_are_refused() -> None:
    """As the endpoint does."""
    with pytest.raises(InvalidRequest) as refusal:
        head_of(["x"] * 3_000)
    assert refusal.value.param == "input"
