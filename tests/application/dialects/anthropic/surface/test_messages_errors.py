"""Refusals in this dialect: one envelope, one table."""

import json

import pytest

from application.dialects.anthropic.surface.errors import error_of
from application.dialects.anthropic.surface.surface import MessagesSurface
from application.wire.errors import SPECS


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("invalid_value", 400, "invalid_request_error"),
        ("any_code_of_an_upstream", 400, "invalid_request_error"),
        ("invalid_api_key", 401, "authentication_error"),
        ("insufficient_quota", 402, "billing_error"),
        ("permission_denied", 403, "permission_error"),
        ("model_not_found", 404, "not_found_error"),
        ("unknown_url", 404, "not_found_error"),
        ("method_not_allowed", 405, "invalid_request_error"),
        ("request_too_large", 413, "request_too_large"),
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("internal_error", 500, "api_error"),
        ("upstream_error", 502, "api_error"),
        ("upstream_auth_error", 502, "api_error"),
        ("ledger_unavailable", 503, "api_error"),
        ("upstream_timeout", 504, "timeout_error"),
        ("upstream_overloaded", 529, "overloaded_error"),
    ],
)
def test_every_code_has_a_status_and_a_type(code: str, status: int, kind: str) -> None:
    """Those that Anthropic's own clients know."""
    assert (error_of(code).status, error_of(code).type) == (status, kind)


def test_a_status_that_was_chosen_has_its_type() -> None:
    """An installation that says 429 where credit is out says so in both places."""
    spec = error_of("insufficient_quota", status=429)
    assert (spec.status, spec.type, spec.retry_useless) == (429, "rate_limit_error", True)


def test_no_code_of_ours_is_left_out() -> None:
    """Every status in our table is an error in this one."""
    for code in SPECS:
        assert error_of(code).status >= 400
        assert error_of(code).type


def test_a_thread_is_refused_in_the_words_that_sdks_act_on() -> None:
    """The details make a tool runner go on without a thread; another error has none."""
    body = MessagesSurface().error(
        "thread_unsupported_request", "No threads.", param="thread", request_id="r"
    )
    assert error_of("thread_unsupported_request").status == 400
    assert json.loads(body)["error"] == {
        "type": "invalid_request_error",
        "message": "No threads.",
        "details": {"error_code": "thread_unsupported_request", "unsupported": ["thread"]},
    }


def test_the_envelope_is_exact() -> None:
    """Nothing but what Anthropic's has."""
    body = MessagesSurface().error("insufficient_quota", "No credit.", param=None, request_id="req-1")
    assert json.loads(body) == {
        "type": "error",
        "error": {"type": "billing_error", "message": "No credit."},
        "request_id": "req-1",
    }


def test_a_message_is_bounded() -> None:
    """An upstream's own text may be long."""
    body = MessagesSurface().error("invalid_value", "x" * 5_000, param="messages", request_id="r")
    assert len(json.loads(body)["error"]["message"]) == 2_000
