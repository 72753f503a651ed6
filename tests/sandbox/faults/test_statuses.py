"""Refusals: each has the status and the body of the provider that it imitates."""

import re
from typing import Any

import pytest

from sandbox.faults import statuses
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import Claim, cases, provoke, served
from tests.sandbox.rawclient import Answer


def openai(code: int, *, type_: str | None = None, name: str | None = None) -> Claim:
    def claim(answer: Answer) -> None:
        assert answer.status == code
        assert answer.header("content-type") == "application/json"
        error = answer.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert type_ in (None, error["type"])
        assert name in (None, error["code"])

    return claim


def body(code: int, expected: Any) -> Claim:
    """`...` in the expectation stands for any non-empty text."""

    def claim(answer: Answer) -> None:
        assert answer.status == code
        assert matches(answer.json, expected), answer.json

    return claim


def matches(found: Any, expected: Any) -> bool:
    if expected is ...:
        return isinstance(found, str) and bool(found)
    if isinstance(expected, dict):
        return set(found) == set(expected) and all(
            matches(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(matches, found, expected))
    return bool(found == expected)


def key_in_error(answer: Answer) -> None:
    assert answer.status == 401
    assert "sk-the-callers" in answer.json["error"]["message"]


def html(answer: Answer) -> None:
    assert answer.status == 502
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert b"<html>" in answer.body


def empty(answer: Answer) -> None:
    assert (answer.status, answer.body, answer.header("content-length")) == (500, b"", "0")


def retry_after(code: int, pattern: str) -> Claim:
    def claim(answer: Answer) -> None:
        assert answer.status == code
        assert re.fullmatch(pattern, answer.header("retry-after") or "")

    return claim


def redirect(code: int, location: str) -> Claim:
    def claim(answer: Answer) -> None:
        assert (answer.status, answer.header("location"), answer.body) == (code, location, b"")

    return claim


CLAIMS: dict[str, Claim] = {
    "status": openai(500, type_="server_error"),
    "status_400": openai(400, type_="invalid_request_error"),
    "status_401": openai(401, name="invalid_api_key"),
    "status_402": openai(402, name="insufficient_quota"),
    "status_403": openai(403),
    "status_404": openai(404, name="model_not_found"),
    "status_408": openai(408),
    "status_409": openai(409),
    "status_413": openai(413),
    "status_422": openai(422),
    "status_429": openai(429, type_="requests", name="rate_limit_exceeded"),
    "status_500": openai(500, type_="server_error"),
    "status_502": openai(502, type_="server_error"),
    "status_503": openai(503, type_="server_error"),
    "status_504": openai(504, type_="server_error"),
    "status_529": openai(529, type_="server_error"),
    "xai_400": body(400, {"code": ..., "error": ...}),
    "mistral_detail_401": body(401, {"detail": ...}),
    "mistral_detail_422": body(
        422, {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": ..., "input": None}]}
    ),
    "mistral_429": body(
        429,
        {"object": "error", "message": ..., "type": "invalid_request_error", "param": None, "code": "429"},
    ),
    "gemini_429": body(
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": ...,
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}],
                }
            }
        ],
    ),
    "glm_funds_429": body(429, {"error": {"code": "1113", "message": ...}}),
    "kimi_funds_429": body(429, {"error": {"message": ..., "type": "exceeded_current_quota_error"}}),
    "minimax_funds_200": body(200, {"base_resp": {"status_code": 1008, "status_msg": ...}}),
    "anthropic_529": body(
        529, {"type": "error", "error": {"type": "overloaded_error", "message": ...}, "request_id": ...}
    ),
    "azure_429": body(429, {"error": {"code": "429", "message": ...}}),
    "quota_429": openai(429, type_="insufficient_quota", name="insufficient_quota"),
    "context_length_400": openai(400, name="context_length_exceeded"),
    "key_in_error_401": key_in_error,
    "html_502": html,
    "empty_500": empty,
    "retry_after_date_429": retry_after(429, r"Wed, 21 Oct 2015 07:28:00 GMT"),
    "retry_after_huge_503": retry_after(503, r"31536000"),
    "retry_after_garbage_429": retry_after(429, r"-1e999 soon"),
    "redirect": redirect(302, "http://169.254.169.254/latest/meta-data/"),
    "redirect_307": redirect(307, "http://localhost:1/"),
}


@pytest.mark.parametrize(("name", "kind"), cases(statuses.FAULTS))
def test_the_wire_shows_the_fault(
    shared: Running, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """Status, body and headers as claimed; no usage was incurred, whatever the status."""
    monkeypatch.setattr(shared, "key", "sk-the-callers")
    answer = provoke(shared, name, kind)
    CLAIMS[name](answer)
    assert answer.ended
    assert served(answer)["status"] == answer.status
    assert (served(answer)["usage"], served(answer)["reported"], served(answer)["tokens_sent"]) == (
        None,
        None,
        0,
    )


@pytest.mark.parametrize("kind", ["json", "stream"])
def test_a_script_sets_status_shape_and_retry_after(shared: Running, kind: str) -> None:
    """For statuses and shapes that have no name of their own."""
    answer = provoke(shared, "status", kind, status=418, shape="xai", retry_after="soon")
    assert (answer.status, answer.header("retry-after")) == (418, "soon")
    assert isinstance(answer.json["error"], str)


def test_a_script_sets_the_redirects_target(shared: Running) -> None:
    """To prove that nobody follows it, point it at a listener of the test's own."""
    answer = provoke(shared, "redirect", "json", location="http://[::1]:9/inside")
    assert answer.header("location") == "http://[::1]:9/inside"
