"""What is wrong with a request that is not chat is told in the envelope, before anything is held or sent."""

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.v1.gateway_world import POOR_NANO, World
from tests.api.v1.test_refusals import refused
from tests.api.v1.unit_routes import EMBED, LISTEN, PICTURE, PICTURE_BY_LOOK, VOICE

Body = dict[str, Any]
SOUND = ("a.mp3", b"sound" * 100)


def post(world: World, path: str, body: Body, key: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key or world.seed.api_key}"}
    return world.client.post(f"/v1{path}", json=body, headers=headers)


def form(world: World, path: str, fields: Body, files: Any, key: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key or world.seed.api_key}"}
    return world.client.post(f"/v1{path}", data=fields, files=files, headers=headers)


def raw(world: World, content: bytes, content_type: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.seed.api_key}"}
    if content_type is not None:
        headers["content-type"] = content_type
    return world.client.post("/v1/audio/transcriptions", content=content, headers=headers)


ASKS: dict[str, Callable[[World, str, str | None], httpx.Response]] = {
    "embeddings": lambda world, model, key: post(world, "/embeddings", {"model": model, "input": "x"}, key),
    "moderations": lambda world, model, key: post(world, "/moderations", {"model": model, "input": "x"}, key),
    "rerank": lambda world, model, key: post(
        world, "/rerank", {"model": model, "query": "x", "documents": ["y"]}, key
    ),
    "images": lambda world, model, key: post(
        world, "/images/generations", {"model": model, "prompt": "x"}, key
    ),
    "image-edits": lambda world, model, key: form(
        world, "/images/edits", {"model": model, "prompt": "x"}, {"image": ("a.png", b"x")}, key
    ),
    "speech": lambda world, model, key: post(
        world, "/audio/speech", {"model": model, "input": "x", "voice": "alloy"}, key
    ),
    "transcriptions": lambda world, model, key: form(
        world, "/audio/transcriptions", {"model": model}, {"file": SOUND}, key
    ),
    "translations": lambda world, model, key: form(
        world, "/audio/translations", {"model": model}, {"file": SOUND}, key
    ),
}


@pytest.mark.parametrize("operation", ASKS)
def test_a_model_that_does_not_serve_it_is_refused(world: World, operation: str) -> None:
    """A chat model: 400 by its price or by what it serves, and nothing is left in the log."""
    answer = ASKS[operation](world, "demo-fast", None)
    code = (
        "unsupported_operation"
        if operation in ("embeddings", "moderations", "rerank")
        else "unpriced_operation"
    )
    assert refused(answer, 400, code)["param"] == "model"
    assert world.events(answer.headers["x-request-id"]) == []


@pytest.mark.parametrize("operation", ASKS)
def test_a_model_that_does_not_exist_is_refused(world: World, operation: str) -> None:
    """404, as in chat."""
    refused(ASKS[operation](world, "no-such-model", None), 404, "model_not_found")


@pytest.mark.parametrize("operation", ASKS)
def test_without_a_key_nothing_is_read(world: World, operation: str) -> None:
    """401, for forms before they are received."""
    refused(ASKS[operation](world, "demo", "sk-wrong"), 401, "invalid_api_key")


@pytest.mark.parametrize(
    ("operation", "alias"),
    [
        ("rerank", "unpriced/rank"),
        ("images", "unpriced/picture"),
        ("image-edits", "unpriced/picture"),
        ("speech", "unpriced/voice"),
        ("transcriptions", "unpriced/listen"),
        ("translations", "unpriced/listen"),
    ],
)
def test_what_the_price_does_not_name_is_not_offered(world: World, operation: str, alias: str) -> None:
    """The model could serve it; its price has other units only. Nothing is held and nothing sent."""
    answer = ASKS[operation](world, alias, None)
    error = refused(answer, 400, "unpriced_operation")
    assert error["param"] == "model"
    assert world.events(answer.headers["x-request-id"]) == []


@pytest.mark.parametrize(
    ("operation", "alias"),
    [("images", PICTURE), ("speech", VOICE), ("transcriptions", LISTEN), ("image-edits", PICTURE)],
)
def test_too_little_credit_is_refused_with_the_numbers(world: World, operation: str, alias: str) -> None:
    """402 with what the worst case takes."""
    key = world.new_key(f"Poor {operation}", amount_nano=POOR_NANO)
    error = refused(ASKS[operation](world, alias, key), 402, "insufficient_quota")
    required_nano = error["required_nano"]
    assert isinstance(required_nano, int)
    assert required_nano > POOR_NANO


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("/embeddings", {"model": EMBED}, "missing_required_parameter", "input"),
        ("/embeddings", {"model": EMBED, "input": []}, "empty_array", "input"),
        ("/embeddings", {"model": EMBED, "input": 7}, "invalid_type", "input"),
        ("/embeddings", {"model": EMBED, "input": ["x", 7]}, "invalid_type", "input"),
        ("/embeddings", {"input": "x"}, "missing_required_parameter", "model"),
        ("/moderations", {"input": 7}, "invalid_type", "input"),
        ("/rerank", {"model": "rank", "query": "x"}, "missing_required_parameter", "documents"),
        ("/rerank", {"model": "rank", "query": "x", "documents": []}, "invalid_value", "documents"),
        ("/images/generations", {"model": PICTURE}, "missing_required_parameter", "prompt"),
        ("/images/generations", {"model": PICTURE, "prompt": "x", "n": 11}, "invalid_value", "n"),
        ("/images/generations", {"model": PICTURE, "prompt": "x", "n": "2"}, "invalid_type", "n"),
        (
            "/images/generations",
            {"model": PICTURE, "prompt": "x", "n": 2, "stream": True},
            "unsupported_value",
            "n",
        ),
        ("/audio/speech", {"model": VOICE, "input": "x"}, "missing_required_parameter", "voice"),
        ("/audio/speech", {"model": VOICE, "voice": "alloy", "input": ["x"]}, "invalid_type", "input"),
        (
            "/audio/speech",
            {"model": VOICE, "voice": "alloy", "input": "x", "speed": 9},
            "invalid_value",
            "speed",
        ),
    ],
)
def test_a_malformed_body_is_refused(world: World, path: str, body: Body, code: str, param: str) -> None:
    """400 that names the member."""
    assert refused(post(world, path, body), 400, code)["param"] == param


def test_json_where_a_form_is_needed_is_refused(world: World) -> None:
    """400, whatever the content type says of it."""
    for content_type in (None, "application/json", "multipart/form-data", "multipart/form-data; boundary="):
        refused(raw(world, b'{"model": "listen"}', content_type), 400, "invalid_multipart")


PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="a.mp3"\r\n\r\nsound\r\n'
MODEL = PART % (b"model", LISTEN.encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b",
        MODEL + FILE_PART % b"file",
        MODEL + FILE_PART % b"file" + b"--b--\r\nmore",
        b"before" + MODEL + b"--b--\r\n",
        MODEL + MODEL + FILE_PART % b"file" + b"--b--\r\n",
        MODEL.replace(b"\r\n", b"\n") + b"--b--\n",
        FILE_PART % b"model" + b"--b--\r\n",
        MODEL + b"--b\r\n" + b"x" * 9_000,
    ],
    ids=["empty", "cut", "no end", "more", "before", "two models", "LF", "model as file", "long headers"],
)
def test_a_malformed_form_is_refused(world: World, content: bytes) -> None:
    """400 in the envelope, and the log has nothing of it."""
    answer = raw(world, content, "multipart/form-data; boundary=b")
    refused(answer, 400, "invalid_multipart")
    assert world.events(answer.headers["x-request-id"]) == []


@pytest.mark.parametrize(
    ("fields", "files", "code", "param"),
    [
        ({}, {"file": SOUND}, "missing_required_parameter", "model"),
        ({"model": LISTEN}, {"picture": SOUND}, "invalid_value", "file"),
        ({"model": LISTEN}, [("file", SOUND), ("file", SOUND)], "invalid_value", "file"),
        ({"model": LISTEN, "response_format": "pdf"}, {"file": SOUND}, "invalid_value", "response_format"),
        ({"model": LISTEN, "stream": "yes"}, {"file": SOUND}, "invalid_type", "stream"),
        ({"model": LISTEN, "models": "x"}, {"file": SOUND}, "unsupported_parameter", "models"),
        ({"model": LISTEN, "service_tier": "flex"}, {"file": SOUND}, "unsupported_parameter", "service_tier"),
    ],
)
def test_a_form_with_wrong_fields_is_refused(
    world: World, fields: Body, files: Any, code: str, param: str
) -> None:
    """400 that names the field."""
    assert refused(form(world, "/audio/transcriptions", fields, files), 400, code)["param"] == param


def test_translations_do_not_stream(world: World) -> None:
    """OpenAI has none such."""
    answer = form(world, "/audio/translations", {"model": LISTEN, "stream": "true"}, {"file": SOUND})
    assert refused(answer, 400, "unsupported_value")["param"] == "stream"


def test_a_form_that_announces_too_much_is_not_read(world: World) -> None:
    """413 by its length alone."""
    target = urlsplit(world.url)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
    connection.putrequest("POST", "/v1/audio/transcriptions")
    connection.putheader("authorization", f"Bearer {world.seed.api_key}")
    connection.putheader("content-type", "multipart/form-data; boundary=b")
    connection.putheader("content-length", str(65 * 1024 * 1024))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b'"request_too_large"' in answer.read()
    connection.close()


def test_a_get_is_told_the_method(world: World) -> None:
    """405, for these as for chat."""
    answer = world.client.get("/v1/audio/speech", headers={"authorization": f"Bearer {world.seed.api_key}"})
    refused(answer, 405, "method_not_allowed")


def test_a_look_without_a_price_is_refused(world: World) -> None:
    """Nothing stands in for it: the provider would make it all the same."""
    body = {"model": PICTURE_BY_LOOK, "prompt": "x", "size": "4096x4096"}
    error = refused(post(world, "/images/generations", body), 400, "unpriced_operation")
    assert error["param"] == "size"
