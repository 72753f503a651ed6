"""Moderations and rankings: small endpoints, one document each."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from openai.types import ModerationCreateResponse

from application.dialects.openai.moderations import parse_moderations, patch_moderations, read_moderations
from application.dialects.openai.rerank import RerankHead, parse_rerank, patch_rerank, read_rerank
from application.dialects.openai.units import Used
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, values

Case = dict[str, Any]


def rerank_of(**members: Any) -> RerankHead:
    return parse_rerank(
        json.dumps({"model": "m", "query": "q", "documents": ["ab", "c"], **members}).encode()
    )


@pytest.mark.parametrize("value", ["text", ["a", "b"], [{"type": "text", "text": "x"}]])
def test_moderations_cost_a_call(value: Any) -> None:
    """Their model may be left out."""
    head = parse_moderations(json.dumps({"input": value}).encode())
    assert (head.model, head.most) == (None, Used(source="request"))
    assert patch_moderations(b'{"input":"x"}', model="m") == b'{"input":"x","model":"m"}'


@pytest.mark.parametrize("value", [None, 1, [], [1]])
def test_malformed_moderations_are_named(value: Any) -> None:
    """By the member or its place."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_moderations(json.dumps({"input": value}).encode())
    assert (refusal.value.param or "").startswith("input")


def test_recorded_moderations_are_read(corpus: list[Case], tally: Any) -> None:
    """The one there is: unchanged."""
    for case in corpus:
        if case["endpoint"] == "moderations":
            raw = json.dumps(case["response_body"]).encode()
            read = read_moderations(raw)
            assert (read.body, read.fault) == (raw, None)
            assert (
                parse_moderations(json.dumps(case["request_body"]).encode()).model == "text-moderation-latest"
            )
            tally.passes(case)
    assert tally.total() == 1


def test_a_current_moderation_is_valid() -> None:
    """By the official types."""
    body = json.dumps({"id": "m", "model": "m", "results": []}).encode()
    ModerationCreateResponse.model_validate(json.loads(read_moderations(body).body))
    assert read_moderations(b'{"error":{}}').fault == "garbage"
    assert read_moderations(b'{"error":{"code":"x"}}').fault == "error_body"


def test_a_ranking_is_bounded_in_tokens_and_in_searches() -> None:
    """The query is read with each document, and with each piece of a long one."""
    head = rerank_of(top_n=1)
    assert (head.documents, head.top_n, head.opaque) == (2, 1, False)
    assert head.most.input == 3 + 2 * (1 + 16)
    assert head.most.searches == 1
    assert rerank_of(documents=["x"] * 101).most.searches == 2
    assert rerank_of(documents=["x" * 250 * 101]).most.searches == 2


def test_documents_may_be_objects() -> None:
    """Which may hold what bytes do not bound."""
    assert rerank_of(documents=[{"text": "x"}]).opaque
    assert rerank_of(query={"image": "u"}).opaque


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"query": None}, "query"),
        ({"query": 1}, "query"),
        ({"documents": None}, "documents"),
        ({"documents": []}, "documents"),
        ({"documents": ["a", 1]}, "documents[1]"),
        ({"top_n": 0}, "top_n"),
    ],
)
def test_malformed_rankings_are_named(members: Case, param: str) -> None:
    """By the member or its place."""
    with pytest.raises(InvalidRequest) as refusal:
        rerank_of(**members)
    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("beside", "used"),
    [
        ({"usage": {"total_tokens": 38}}, Used(input=38)),
        ({"usage": {"prompt_tokens": 7, "total_tokens": 9}}, Used(input=9)),
        ({"meta": {"billed_units": {"search_units": 2}}}, Used(searches=2)),
        (
            {"meta": {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 5}}},
            Used(searches=1, input=5),
        ),
        ({"usage": {"search_units": 1, "total_tokens": 3}}, Used(searches=1, input=3)),
        ({}, None),
    ],
)
def test_what_a_ranking_used_is_read_from_every_known_place(beside: Case, used: Used | None) -> None:
    """Jina's and vLLM's, Cohere's, those between."""
    read = read_rerank(json.dumps({"results": [{"index": 0, "relevance_score": 0.5}], **beside}).encode())
    assert (read.fault, read.used) == (None, used)
    assert (read.usage_raw is None) is (used is None)


def test_faulty_rankings() -> None:
    """Errors and what has no results."""
    assert read_rerank(b'{"error":"x"}').fault == "error_body"
    assert read_rerank(b'{"message":"invalid api token"}').fault == "garbage"
    assert patch_rerank(b'{"model":"a"}', model="b") == b'{"model":"b"}'


@given(
    mutated({"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "input": ["x"]})
    | values
)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes."""
    body = json.dumps(document).encode()
    for parse in (parse_rerank, parse_moderations):
        with contextlib.suppress(InvalidRequest):
            parse(body)


@given(
    mutated(
        {
            "results": [{"index": 0}],
            "meta": {"billed_units": {"search_units": 1}},
            "usage": {"total_tokens": 1},
        }
    )
    | values
)
def test_no_answer_raises(document: Any) -> None:
    """Whatever it is, it is read or it is a fault."""
    body = json.dumps(document).encode()
    for read in (read_rerank(body), read_moderations(body)):
        assert (read.fault is None) is bool(read.body)
