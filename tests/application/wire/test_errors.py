"""What clients are told: the envelope, the table of codes, and when to come back."""

import json

import pytest

from application.wire.errors import SPECS, InvalidRequest, envelope, retry_headers, spec_of


def test_the_envelope_has_all_four_keys_always() -> None:
    """SDKs pass a body whole to the user if it has another shape."""
    assert json.loads(envelope("model_not_found", "no such model")) == {
        "error": {
            "message": "no such model",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        }
    }


def test_numbers_go_beside_the_four_keys() -> None:
    """A client that is out of credit learns how much it needs and has."""
    error = json.loads(envelope("insufficient_quota", "m", required_nano=5, available_nano=3))["error"]
    assert error == {
        "message": "m",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
        "required_nano": 5,
        "available_nano": 3,
    }


def test_text_is_spelled_as_json_and_bounded() -> None:
    """A name that is echoed cannot break out of its string, nor fill a log."""
    error = json.loads(envelope("invalid_value", 'a"\n\0' + "x" * 9_000, 'm"[0]'))["error"]
    assert error["message"].startswith('a"\n\0xxx')
    assert len(error["message"]) == 2_000
    assert error["param"] == 'm"[0]'


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("invalid_api_key", 401, "invalid_request_error"),
        ("insufficient_quota", 402, "insufficient_quota"),
        ("permission_denied", 403, "permission_error"),
        ("model_not_found", 404, "invalid_request_error"),
        ("unknown_url", 404, "invalid_request_error"),
        ("method_not_allowed", 405, "invalid_request_error"),
        ("request_timeout", 408, "invalid_request_error"),
        ("request_too_large", 413, "invalid_request_error"),
        ("unsupported_encoding", 415, "invalid_request_error"),
        ("rate_limit_exceeded", 429, "requests"),
        ("internal_error", 500, "server_error"),
        ("upstream_error", 502, "server_error"),
        ("upstream_auth_error", 502, "server_error"),
        ("ledger_unavailable", 503, "server_error"),
        ("upstream_overloaded", 503, "server_error"),
        ("upstream_timeout", 504, "server_error"),
        ("invalid_json", 400, "invalid_request_error"),
        ("context_length_exceeded", 400, "invalid_request_error"),
    ],
)
def test_codes_have_one_status_and_type(code: str, status: int, kind: str) -> None:
    """Codes are stable; what is not in the table is a malformed request."""
    assert (spec_of(code).status, spec_of(code).type) == (status, kind)


def test_only_a_conflict_that_time_cures_is_one_that_sdks_retry() -> None:
    """409 is retried by SDKs, so nothing has it but a request that is being served already."""
    assert [code for code, spec in SPECS.items() if spec.status == 409] == ["idempotency_in_progress"]


@pytest.mark.parametrize(
    ("code", "wait_s", "headers"),
    [
        ("rate_limit_exceeded", 2.1, [(b"retry-after", b"3")]),
        ("rate_limit_exceeded", 0, [(b"retry-after", b"1")]),
        ("rate_limit_exceeded", -5, [(b"retry-after", b"1")]),
        ("rate_limit_exceeded", float("nan"), [(b"retry-after", b"1")]),
        ("rate_limit_exceeded", 60, [(b"retry-after", b"60")]),
        ("rate_limit_exceeded", 61, [(b"x-should-retry", b"false"), (b"retry-after", b"60")]),
        ("rate_limit_exceeded", float("inf"), [(b"x-should-retry", b"false"), (b"retry-after", b"60")]),
        ("rate_limit_exceeded", None, []),
        ("ledger_unavailable", 1, [(b"retry-after", b"1")]),
        ("upstream_auth_error", None, [(b"x-should-retry", b"false")]),
        ("upstream_auth_error", 5, [(b"x-should-retry", b"false")]),
        ("insufficient_quota", None, []),
        ("invalid_api_key", None, []),
        ("internal_error", None, []),
    ],
)
def test_nobody_is_told_to_wait_longer_than_a_minute(
    code: str, wait_s: float | None, headers: list[tuple[bytes, bytes]]
) -> None:
    """One SDK would obey five minutes and hang; where waiting is no use, SDKs are told not to."""
    assert retry_headers(code, retry_after_s=wait_s) == headers


def test_an_empty_balance_as_429_is_not_retried() -> None:
    """A deployment may choose 429 for it; SDKs would retry that twice."""
    assert retry_headers("insufficient_quota", status=429) == [(b"x-should-retry", b"false")]


def test_a_refusal_shows_its_code_only() -> None:
    """Its text as an exception goes to logs, so it has no part of the request in it."""
    refusal = InvalidRequest("duplicate_key", "secret-key", "The key 'secret-key' is there more than once.")
    assert str(refusal) == "duplicate_key"
