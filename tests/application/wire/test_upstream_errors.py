"""Upstream failures: each provider's way of saying so, the class it falls in, the decision, and what a client is told."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.upstream import (
    BadUpstreamUrl,
    UpstreamAnswerTooLarge,
    UpstreamBusy,
    UpstreamClosed,
    UpstreamConnectError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamTooSlow,
)
from application.wire.error_body import read_error
from application.wire.errors import SPECS, spec_of
from application.wire.sanitise import sanitised
from application.wire.upstream_errors import UpstreamFailure, classify, classify_exception
from domain.catalogue.provider import UsageDialect


def said(
    status: int, body: Any, dialect: UsageDialect = "openai", headers: dict[str, str] | None = None
) -> UpstreamFailure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return classify(status, pairs, raw, dialect=dialect, secrets=("sk-our-own-key-123", "api.up.example"))


def openai(
    code: str | int | None, kind: str | None = None, message: str = "m", **more: Any
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code} | more}


GEMINI_BAD_KEY = [
    {
        "error": {
            "code": 400,
            "message": "API key not valid.",
            "status": "INVALID_ARGUMENT",
            "details": [{"reason": "API_KEY_INVALID"}, 7],
        }
    }
]
GEMINI_RATE = [
    {
        "error": {
            "code": 429,
            "message": "quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [{"retryDelay": "31.5s"}],
        }
    }
]
AZURE_FILTER = openai("content_filter", None, innererror={"code": "ResponsibleAIPolicyViolation"}, status=400)


@pytest.mark.parametrize(
    ("status", "body", "dialect", "kind"),
    [
        # OpenAI
        (401, openai("invalid_api_key", "invalid_request_error"), "openai", "auth"),
        (403, openai("unsupported_country_region_territory"), "openai", "auth"),
        (429, openai("insufficient_quota", "insufficient_quota"), "openai", "funds"),
        (429, openai("credit_balance_exhausted", "insufficient_quota"), "openai", "funds"),
        (429, openai("organization_spend_limit_exceeded", "insufficient_quota"), "openai", "funds"),
        (429, openai("project_spend_limit_exceeded", "insufficient_quota"), "openai", "funds"),
        (429, openai("organization_usage_limit_exceeded", "insufficient_quota"), "openai", "funds"),
        (429, openai("some_new_code_of_theirs", "insufficient_quota"), "openai", "funds"),
        (429, openai("rate_limit_exceeded", "requests"), "openai", "rate"),
        (429, openai("slow_down"), "openai", "rate"),
        (429, b"", "openai", "rate"),
        (404, openai("model_not_found", "invalid_request_error"), "openai", "not_found"),
        (404, b"Not Found", "openai", "not_found"),
        (400, openai("unsupported_parameter", "invalid_request_error"), "openai", "bad_request"),
        (400, openai("context_length_exceeded", "invalid_request_error"), "openai", "bad_request"),
        (400, openai("invalid_prompt", "invalid_request_error"), "openai", "content_filter"),
        (413, b"<html>too large</html>", "openai", "bad_request"),
        (422, b"", "openai", "bad_request"),
        (500, openai(None, "server_error"), "openai", "unknown"),
        (502, b"<html>", "openai", "unknown"),
        (503, openai(None, "server_error"), "openai", "overloaded"),
        (500, openai(None, "overloaded_error"), "openai", "overloaded"),
        (529, openai(None, "overloaded_error"), "openai", "overloaded"),
        (408, b"", "openai", "timeout"),
        (504, b"", "openai", "timeout"),
        (524, b"", "openai", "timeout"),
        (302, b"", "openai", "unknown"),
        (418, b"", "openai", "unknown"),
        # Groq, whose limit of tokens a minute can be smaller than one request
        (413, openai("rate_limit_exceeded", "tokens"), "openai", "bad_request"),
        # Azure
        (200, AZURE_FILTER, "azure", "content_filter"),
        (400, AZURE_FILTER, "azure", "content_filter"),
        (404, openai("DeploymentNotFound"), "azure", "not_found"),
        # Gemini's compatible path
        (400, GEMINI_BAD_KEY, "gemini-compat", "auth"),
        (429, GEMINI_RATE, "gemini-compat", "rate"),
        (
            503,
            [{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}],
            "gemini-compat",
            "overloaded",
        ),
        (
            400,
            [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}],
            "gemini-compat",
            "bad_request",
        ),
        # xAI
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***yz."}, "xai", "auth"),
        (400, {"code": "invalid-argument", "error": "Argument not supported: stop"}, "xai", "bad_request"),
        # Mistral
        (401, {"detail": "Invalid API Key"}, "mistral", "auth"),
        (
            422,
            {"detail": [{"loc": ["body", "x"], "msg": "Extra inputs", "input": "secret"}]},
            "mistral",
            "bad_request",
        ),
        (
            400,
            {"object": "error", "message": "m", "type": "invalid_request_error", "code": 3051},
            "mistral",
            "bad_request",
        ),
        (402, {"message": "m"}, "mistral", "funds"),
        (400, {"message": {"detail": [{"loc": "x", "msg": "m"}]}, "type": "t"}, "mistral", "bad_request"),
        # DeepSeek
        (401, openai("invalid_request_error", "authentication_error"), "deepseek", "auth"),
        (402, openai("invalid_request_error", message="Insufficient Balance"), "deepseek", "funds"),
        # Qwen
        (429, openai("insufficient_quota", "insufficient_quota"), "qwen", "rate"),
        (400, openai("Arrearage", "Arrearage"), "qwen", "funds"),
        (400, openai("data_inspection_failed", "data_inspection_failed"), "qwen", "content_filter"),
        # Kimi
        (404, {"code": 5, "error": "url.not_found", "message": "no such route"}, "kimi", "not_found"),
        (429, openai(None, "exceeded_current_quota_error"), "kimi", "funds"),
        (429, openai(None, "engine_overloaded_error"), "kimi", "overloaded"),
        (429, openai(None, "rate_limit_reached_error"), "kimi", "rate"),
        # GLM
        (429, {"error": {"code": "1113", "message": "m"}}, "glm", "funds"),
        (429, {"error": {"code": "1302", "message": "m"}}, "glm", "rate"),
        (400, {"error": {"code": "1214", "message": "m"}}, "glm", "not_found"),
        (429, {"error": {"code": 1220, "message": "m"}}, "glm", "auth"),
        (434, b"", "glm", "auth"),
        (435, b"", "glm", "bad_request"),
        # MiniMax
        (200, {"base_resp": {"status_code": 1008, "status_msg": "m"}}, "openai", "funds"),
        (200, {"base_resp": {"status_code": 1002, "status_msg": "m"}}, "openai", "rate"),
        (200, {"base_resp": {"status_code": 9999, "status_msg": "m"}}, "openai", "unknown"),
        # OpenRouter, also inside a stream
        (402, openai(402), "openai", "funds"),
        (403, openai(403, metadata={"reasons": ["violence"]}), "openai", "content_filter"),
        (200, openai(502), "openai", "unknown"),
        (200, openai(429), "openai", "rate"),
        (200, openai(401), "openai", "auth"),
        (200, openai("server_error", "server_error"), "openai", "unknown"),
        (200, openai(None, "invalid_request_error"), "openai", "bad_request"),
        (200, {"message": "Overloaded", "type": "overloaded_error"}, "openai", "overloaded"),
    ],
)
def test_every_providers_way_of_failing_has_its_class(
    status: int, body: Any, dialect: UsageDialect, kind: str
) -> None:
    """From the status and the machine-readable parts, as the providers document or were recorded."""
    assert said(status, body, dialect).kind == kind


@pytest.mark.parametrize(
    ("status", "body", "code", "client_status", "decision"),
    [
        (401, b"", "upstream_auth_error", 502, (True, True)),
        (402, b"", "upstream_auth_error", 502, (True, True)),
        (429, b"", "upstream_overloaded", 503, (True, True)),
        (503, b"", "upstream_overloaded", 503, (True, True)),
        (504, b"", "upstream_timeout", 504, (True, True)),
        (500, b"", "upstream_error", 502, (True, True)),
        (404, b"", "upstream_error", 502, (True, False)),
        (400, openai("invalid_value"), "invalid_value", 400, (False, False)),
        (400, AZURE_FILTER, "content_filter", 400, (False, False)),
        (413, b"", "request_too_large", 413, (False, False)),
    ],
)
def test_each_class_has_its_decision(
    status: int, body: Any, code: str, client_status: int, decision: tuple[bool, bool]
) -> None:
    """Our own trouble at a provider is never the client's 401; a client's mistake is not tried elsewhere."""
    failure = said(status, body)
    assert (failure.code, spec_of(failure.code).status) == (code, client_status)
    assert (failure.may_fail_over, failure.counts_against_breaker) == decision
    assert failure.message


def test_a_clients_mistake_is_told_in_the_upstreams_words() -> None:
    """Code, parameter and text, so that it can be mended."""
    failure = said(
        400,
        {
            "error": {
                "message": "Unsupported value: 'x'.",
                "type": "t",
                "param": "messages[0].role",
                "code": "unsupported_value",
            }
        },
    )
    assert (failure.code, failure.param, failure.message) == (
        "unsupported_value",
        "messages[0].role",
        "Unsupported value: 'x'.",
    )
    assert said(
        422, {"detail": [{"loc": ["body", "x", 0], "msg": "Extra inputs", "input": "told"}, {"msg": "b"}, 7]}
    ).message == ("body.x.0: Extra inputs; b")
    assert (
        said(400, {"code": "Client specified", "error": "Argument not supported"}, "xai").message
        == "Argument not supported"
    )


@pytest.mark.parametrize(
    "code",
    [
        "invalid_api_key",
        "internal_error",
        "ledger_unavailable",
        "insufficient_quota_x y",
        "",
        None,
        "Ünicode",
        5,
    ],
)
def test_an_upstreams_code_never_poses_as_one_of_ours(code: Any) -> None:
    """A 400 stays a 400 whatever its code says, and the code stays a code."""
    failure = said(400, openai(code))
    if failure.kind == "bad_request":
        assert failure.code == "invalid_request"
    assert spec_of(failure.code).status in (400, 502)


def test_only_a_clients_mistake_carries_the_upstreams_text() -> None:
    """Everything else is told in words of ours: organisations, limits and hosts stay inside."""
    for status in (401, 402, 403, 404, 429, 500, 503, 504):
        failure = said(status, openai("x", message="org-abc on api.up.example is over its limit"))
        assert "api.up" not in failure.message
        assert "org-abc" not in failure.message


def test_passed_text_has_no_secret_in_it() -> None:
    """Neither the key and the host of the deployment, nor anything that looks like a key or an account."""
    text = (
        "Key sk-our-own-key-123 at https://API.UP.example/v1 refused; Bearer abc.def; sk-proj-abcdefgh12345; "
        "AIzaSyA1234567890; org-ABCdef12345; sk-a****wxyz; line\r\nbreak \x1b[31m\u202e end"
    )
    failure = said(400, openai("invalid_value", message=text, param="sk-our-own-key-123"))
    for secret in (
        "our-own",
        "UP.example",
        "abc.def",
        "sk-",
        "AIza",
        "org-",
        "wxyz",
        "\r",
        "\n",
        "\x1b",
        "\u202e",
    ):
        assert secret not in failure.message, secret
    assert failure.message.startswith("Key [removed] at https://[removed]/v1 refused;")
    assert failure.param == "[removed]"


def test_passed_text_is_bounded() -> None:
    """One line of a thousand characters."""
    assert len(said(400, openai("invalid_value", message="word " * 9_000)).message) == 1_000
    assert sanitised("a \n b") == "a b"


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait_s"),
    [
        (429, {"retry-after": "7"}, b"", 7),
        (429, {"retry-after-ms": "1500", "retry-after": "7"}, b"", 1.5),
        (503, {"retry-after": "0.5"}, b"", 0.5),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", None),
        (429, {"retry-after": "-3"}, b"", None),
        (429, {"retry-after": "nan"}, b"", None),
        (429, {"retry-after": "inf"}, b"", None),
        (429, {}, GEMINI_RATE, 31.5),
        (429, {}, [{"error": {"details": [{"retryDelay": "soon"}]}}], None),
        (429, {}, [{"error": {"details": [{"retryDelay": "xs"}]}}], None),
        (500, {"retry-after": "7"}, b"", None),
        (400, {"retry-after": "7"}, b"", None),
    ],
)
def test_the_upstreams_wait_is_read_where_waiting_helps(
    status: int, headers: dict[str, str], body: Any, wait_s: float | None
) -> None:
    """From its headers, or from Gemini's body; dates and nonsense are no wait."""
    assert said(status, body, headers=headers).retry_after_s == wait_s


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, openai("rate_limit_exceeded"), "rate_limit_exceeded"),
        (429, openai(None, "requests"), "requests"),
        (400, GEMINI_BAD_KEY, "400"),
        (200, {"base_resp": {"status_code": 1008}}, "1008"),
        (400, openai("free text with a prompt"), "400"),
        (500, b"", "500"),
    ],
)
def test_the_providers_code_is_fit_for_logs(status: int, body: Any, code: str) -> None:
    """A code or the status, never free text, which repeats prompts."""
    assert said(status, body).provider_code == code


def test_text_decides_nothing() -> None:
    """A client that makes an upstream repeat its words cannot make its mistake look like the provider's."""
    message = "insufficient_quota invalid_api_key overloaded_error content_filter timeout 1113"
    assert said(400, openai("invalid_value", "invalid_request_error", message)).kind == "bad_request"


@pytest.mark.parametrize(
    ("error", "kind", "breaks", "code"),
    [
        (UpstreamTimeout("connect"), "timeout", True, "upstream_timeout:connect"),
        (UpstreamTimeout("first_byte"), "timeout", True, "upstream_timeout:first_byte"),
        (UpstreamTooSlow(), "too_slow", True, "upstream_too_slow"),
        (UpstreamConnectError("refused"), "unknown", True, "upstream_connect_failed"),
        (UpstreamBusy("queue"), "overloaded", False, "upstream_busy"),
        (UpstreamClosed(), "unknown", True, "upstream_closed"),
        (UpstreamProtocolError(), "unknown", True, "upstream_protocol_error"),
        (UpstreamAnswerTooLarge(), "unknown", True, "upstream_answer_too_large"),
        (BadUpstreamUrl(), "unknown", True, "bad_upstream_url"),
    ],
)
def test_calls_that_brought_no_answer_have_a_class_too(
    error: UpstreamError, kind: str, breaks: bool, code: str
) -> None:
    """All of them may be tried elsewhere; our own full queue says nothing of the provider."""
    failure = classify_exception(error)
    assert (failure.kind, failure.counts_against_breaker, failure.provider_code) == (kind, breaks, code)
    assert failure.may_fail_over


def test_a_huge_error_body_is_not_read() -> None:
    """The status has to do."""
    assert read_error(json.dumps(openai("invalid_api_key", message="x" * 70_000)).encode()) == read_error(b"")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["error", "message", "code", "type", "param", "detail", "details", "status", "reason", "retryDelay", "base_resp",
             "status_code", "status_msg", "innererror", "metadata", "reasons", "loc", "msg"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(st.integers(100, 999), JSON | st.binary(max_size=40))
def test_no_error_body_raises(status: int, body: Any) -> None:
    """Whatever comes is classified, and what the client is told fits the table."""
    failure = said(status, body)
    assert failure.code in SPECS or spec_of(failure.code).status == 400
    assert 0 < len(failure.message) <= 1_000
    assert failure.message.isprintable()


def test_every_recorded_error_has_a_class_that_fits_its_status(chat_cases: list[dict[str, Any]]) -> None:
    """29 recorded refusals of four providers."""
    fitting = {400: ("bad_request",), 401: ("auth",), 404: ("not_found",)}
    seen = 0
    for case in chat_cases:
        if case["response_status"] in fitting:
            seen += 1
            assert (
                said(case["response_status"], case["response_body"]).kind in fitting[case["response_status"]]
            ), case["id"]
    assert seen > 20
