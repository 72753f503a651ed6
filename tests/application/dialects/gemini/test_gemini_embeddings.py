"""Embeddings: one request for many texts, vectors as OpenAI's SDKs read them."""

import base64
import json
import struct
from collections import Counter
from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse

from application.dialects.gemini.embeddings import GeminiEmbeddings
from application.wire.errors import InvalidRequest
from tests.application.dialects.gemini.gemini_world import Json, target

DIALECT = GeminiEmbeddings()


def ask(request: Json, *traits: str) -> Json:
    asked = DIALECT.ask(request, target(*traits, model="gemini-embedding-001"))
    body: Json = json.loads(asked.body)
    return {"path": asked.path, "body": body, "dropped": asked.dropped}


def test_texts_go_in_one_batch() -> None:
    """Each names its model, as the service wants it."""
    asked = ask(
        {"model": "alias", "input": ["a", "b"], "dimensions": 8, "user": "u", "encoding_format": "base64"}
    )
    one = {"model": "models/gemini-embedding-001", "outputDimensionality": 8}
    assert asked == {
        "path": b"/models/gemini-embedding-001:batchEmbedContents",
        "body": {"requests": [{**one, "content": {"parts": [{"text": text}]}} for text in ("a", "b")]},
        "dropped": ("user",),
    }


def test_a_model_may_take_one_text_only() -> None:
    """By trait, through `embedContent`."""
    asked = ask({"input": "a"}, "embeds_one")
    assert asked["path"] == b"/models/gemini-embedding-001:embedContent"
    assert asked["body"] == {"content": {"parts": [{"text": "a"}]}}
    with pytest.raises(InvalidRequest):
        ask({"input": ["a", "b"]}, "embeds_one")


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"input": [1, 2]}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": ["a"] * 101}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "dimensions": "8"}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "encoding_format": 1}, "encoding_format"),
    ],
)
def test_what_cannot_be_embedded_is_refused(request_: Json, param: str) -> None:
    """Tokens among them: they are another model's."""
    with pytest.raises(InvalidRequest) as caught:
        ask(request_)
    assert caught.value.param == param


def read(body: Any, **request: Any) -> Any:
    return DIALECT.read(json.dumps(body).encode(), alias="alias", request={"input": ["a", "b"], **request})


VECTORS: Json = {"embeddings": [{"values": [0.5, -1]}, {"values": [1e-3]}]}


def test_vectors_come_as_numbers_or_base64() -> None:
    """Base64 is of float32, little end first; both OpenAI SDKs ask for it by default."""
    plain = read(VECTORS).answer
    CreateEmbeddingResponse.model_validate_json(json.dumps(plain), strict=True)
    assert plain == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
            {"object": "embedding", "index": 1, "embedding": [1e-3]},
        ],
        "model": "alias",
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }
    packed = read(VECTORS, encoding_format="base64").answer
    assert packed["data"][0]["embedding"] == base64.b64encode(struct.pack("<2f", 0.5, -1)).decode()


def test_usage_is_told_where_it_is_told() -> None:
    """The batch form is silent: then the evidence is none, not zero."""
    assert read(VECTORS).usage_raw is None
    told = read({**VECTORS, "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 11}})
    assert told.answer["usage"] == {"prompt_tokens": 11, "total_tokens": 11}
    assert json.loads(told.usage_raw) == {"promptTokenCount": 11, "totalTokenCount": 11}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"embeddings": []},
        {"embeddings": 3},
        {"embeddings": [{"values": [1]}]},
        {"embeddings": [{"values": []}, {"values": [1]}]},
        {"embeddings": [{"values": ["1"]}, {"values": [1]}]},
        {"embeddings": [{"values": [True]}, {"values": [1]}]},
        {"embeddings": [{"values": [1e39]}, {"values": [1]}]},
        {"embeddings": [{"values": [float("nan")]}, {"values": [1]}]},
        {"embeddings": [3, 4]},
    ],
)
def test_what_is_no_answer_is_garbage(body: Any) -> None:
    """A vector too few, or one with what no float32 holds; nothing raises."""
    assert read(body, encoding_format="base64").fault == "garbage"


def test_an_error_is_a_fault() -> None:
    """Told with status 200."""
    assert read({"error": {"code": 400}}).fault == "error_body"


def test_every_recorded_answer_is_a_list_of_embeddings(corpus: list[Json]) -> None:
    """Batches of AI Studio, single ones of Vertex; `predict` is Vertex's older API, and another dialect."""
    passed: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    for case in corpus:
        if case["provider"] not in ("gemini", "vertex") or "mbed" not in case["endpoint"]:
            continue
        if case["response_status"] != 200:
            excluded[f"status {case['response_status']}"] += 1
            continue
        body = case["response_body"]
        vectors = body.get("embeddings", [body.get("embedding")])
        request = {"input": ["x"] * len(vectors), "encoding_format": "base64"}
        told = DIALECT.read(json.dumps(body).encode(), alias="alias", request=request)
        assert told.answer is not None, case["id"]
        CreateEmbeddingResponse.model_validate_json(
            json.dumps(
                DIALECT.read(
                    json.dumps(body).encode(), alias="a", request={"input": ["x"] * len(vectors)}
                ).answer
            ),
            strict=True,
        )
        for shown, vector in zip(told.answer["data"], vectors, strict=True):
            unpacked = struct.iter_unpack("<f", base64.b64decode(shown["embedding"]))
            assert [value for (value,) in unpacked] == pytest.approx(vector["values"], rel=1e-6)
        tokens = body.get("usageMetadata", {}).get("promptTokenCount", 0)
        assert told.answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
        passed[f"{case['provider']} {case['endpoint']}"] += 1
    print(dict(passed), dict(excluded))  # noqa: T201  the table that whoever runs it wants to see
    assert passed == {"gemini batchEmbedContents": 14, "vertex embedContent": 1}
    assert excluded == {"status 404": 1}
