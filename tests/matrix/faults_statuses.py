"""Answers with a status that is none of an answer, and the error bodies of every provider."""

from typing import Any, Final

from domain.catalogue.provider import UsageDialect
from tests.matrix.answers import Kind, encoded
from tests.matrix.fault import Expected, Fault, fails, refused
from tests.matrix.upstream import Play, Wire

_BY_STATUS: Final[dict[str, tuple[int, ...]]] = {
    "unknown": (
        201, 202, 203, 204, 205, 206, 207, 226,
        300, 301, 302, 303, 304, 305, 307, 308,
        405, 406, 407, 409, 411, 412, 414, 415, 416, 417, 418, 421, 423, 424, 425, 426, 428, 431, 451, 499,
        500, 501, 502, 505, 506, 507, 508, 510, 511, 520, 521, 523, 525, 527, 530, 599,
    ),
    "auth": (401, 403),
    "funds": (402,),
    "not_found": (404, 410),
    "timeout": (408, 504, 522, 524),
    "rate": (429,),
    "overloaded": (503, 529),
}  # fmt: skip
_MISTAKES: Final[dict[int, tuple[str, int]]] = {
    400: ("invalid_request", 400),
    413: ("request_too_large", 413),
    422: ("invalid_request", 400),
}
_NO_BODY: Final = (204, 205, 304)
_OUR_FAULT: Final = ("auth", "funds", "rate")
"""What is recorded of a credential, which every request has for itself then."""


def _told(wire: Wire) -> str:
    """What providers say that no client should read: their key, whole and by its owner, and where they are."""
    return f"Bad request. Key {wire.secret}, org-1234567890abcdef, at http://127.0.0.1:9/v1/x for Bearer {wire.secret}"


def _own_body(wire: Wire, status: int) -> bytes:
    """As this dialect words an error, with a type that says nothing beyond the status."""
    match wire.kind:
        case "messages":
            return encoded({"type": "error", "error": {"type": "matrix_error", "message": _told(wire)}})
        case "gemini":
            return encoded({"error": {"code": status, "message": _told(wire), "status": "MATRIX"}})
    return encoded({"error": {"message": _told(wire), "type": "matrix", "param": None, "code": None}})


def _status(status: int, expected: Expected) -> Fault:
    async def play(wire: Wire) -> None:
        if status in _NO_BODY:
            await wire.send(wire.head(status=status))
        else:
            await wire.whole(_own_body(wire, status), status=status, stream=False)

    return Fault(
        name=f"status_{status}",
        family="status",
        play=play,
        json=expected,
        stream=expected,
        width="narrow",
        own_credential=expected.outcome in _OUR_FAULT,
    )


def _odd_status(status: str) -> Fault:
    async def play(wire: Wire) -> None:
        await wire.send(wire.head("content-length: 2").replace(b" 200 ", f" {status} ".encode(), 1) + b"{}")

    expected = fails(status=0)
    return Fault(
        name=f"status_{status.replace('-', 'minus_')}",
        family="status",
        play=play,
        json=expected,
        stream=expected,
        width="narrow",
    )


def _body(status: int, body: Any, *, headers: tuple[str, ...] = (), stream: bool = False) -> Play:
    async def play(wire: Wire) -> None:
        filled = encoded(body).replace(b"$SAID", _told(wire).encode())
        await wire.whole(filled, *headers, status=status, stream=stream)

    return play


_OPENAI: Final[tuple[Kind, ...]] = ("chat", "responses")
_Row = tuple[str, UsageDialect, tuple[Kind, ...], int, Any, Expected]
_SAID: Final = "$SAID"


def _openai(type_: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": _SAID, "type": type_, "param": param, "code": code}}


def _anthropic(type_: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type_, "message": _SAID}, "request_id": "req_1"}


def _gemini(code: int, status: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": _SAID, "status": status, "details": list(details)}}


_BAD_KEY: Final = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
_RETRY: Final = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}
_CHAT: Final[tuple[Kind, ...]] = ("chat",)
_ANTHROPIC: Final[tuple[Kind, ...]] = ("messages",)
_GEMINI: Final[tuple[Kind, ...]] = ("gemini",)

_ROWS: Final[tuple[_Row, ...]] = (
    ("openai_quota", "openai", _OPENAI, 429, _openai("insufficient_quota", "insufficient_quota"), fails("funds", status=429)),
    ("openai_rate", "openai", _OPENAI, 429, _openai("tokens", "rate_limit_exceeded"), fails("rate", status=429)),
    ("openai_bad_key", "openai", _OPENAI, 401, _openai("invalid_request_error", "invalid_api_key"), fails("auth", status=401)),
    ("openai_no_model", "openai", _OPENAI, 404, _openai("invalid_request_error", "model_not_found"), fails("not_found", status=404)),
    ("openai_unknown_parameter", "openai", _OPENAI, 400, _openai("invalid_request_error", "unknown_parameter", "top"), refused(code="unknown_parameter")),
    ("openai_too_long", "openai", _OPENAI, 400, _openai("invalid_request_error", "context_length_exceeded", "messages"), refused(code="context_length_exceeded")),
    ("openai_policy", "openai", _OPENAI, 400, _openai("invalid_request_error", "content_policy_violation"), refused("content_filter")),
    ("openai_code_of_ours", "openai", _OPENAI, 400, _openai("invalid_request_error", "ledger_unavailable"), refused()),
    ("openai_server", "openai", _OPENAI, 500, _openai("server_error", None), fails(status=500)),
    ("azure_rate", "azure", _CHAT, 429, {"error": {"code": "429", "message": _SAID}}, fails("rate", status=429)),
    ("azure_filter", "azure", _CHAT, 400, {"error": {"code": "content_filter", "message": _SAID, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, refused("content_filter")),
    ("xai_string", "xai", _CHAT, 400, {"code": "Client specified an invalid argument", "error": _SAID}, refused()),
    ("xai_bad_key", "xai", _CHAT, 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***ab."}, fails("auth", status=400)),
    ("mistral_detail", "mistral", _CHAT, 401, {"detail": _SAID}, fails("auth", status=401)),
    ("mistral_list", "mistral", _CHAT, 422, {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": _SAID, "input": {"key": _SAID}}]}, refused(status=422)),
    ("mistral_object", "mistral", _CHAT, 429, {"object": "error", "message": _SAID, "type": "rate_limited", "param": None, "code": "1300"}, fails("rate", status=429)),
    ("deepseek_funds", "deepseek", _CHAT, 402, _openai("unknown_error", "invalid_request_error"), fails("funds", status=402)),
    ("deepseek_bad_key", "deepseek", _CHAT, 401, _openai("authentication_error", "invalid_request_error"), fails("auth", status=401)),
    ("qwen_arrearage", "qwen", _CHAT, 400, _openai("Arrearage", "Arrearage"), fails("funds", status=400)),
    ("qwen_quota_is_rate", "qwen", _CHAT, 429, _openai("insufficient_quota", "insufficient_quota"), fails("rate", status=429)),
    ("qwen_filter", "qwen", _CHAT, 400, _openai("data_inspection_failed", "data_inspection_failed"), refused("content_filter")),
    ("kimi_funds", "kimi", _CHAT, 429, {"error": {"message": _SAID, "type": "exceeded_current_quota_error"}}, fails("funds", status=429)),
    ("kimi_funds_403", "kimi", _CHAT, 403, {"error": {"message": _SAID, "type": "exceeded_current_quota_error"}}, fails("funds", status=403)),
    ("kimi_router", "kimi", _CHAT, 404, {"code": 5, "error": "url.not_found", "message": _SAID}, fails("not_found", status=404)),
    ("kimi_engine", "kimi", _CHAT, 429, {"error": {"message": _SAID, "type": "engine_overloaded_error"}}, fails("overloaded", status=429)),
    ("glm_funds", "glm", _CHAT, 429, {"error": {"code": "1113", "message": _SAID}}, fails("funds", status=429)),
    ("glm_rate", "glm", _CHAT, 429, {"error": {"code": "1302", "message": _SAID}}, fails("rate", status=429)),
    ("glm_no_model", "glm", _CHAT, 400, {"error": {"code": "1214", "message": _SAID}}, fails("not_found", status=400)),
    ("glm_not_entitled", "glm", _CHAT, 400, {"error": {"code": "1220", "message": _SAID}}, fails("auth", status=400)),
    ("glm_filter", "glm", _CHAT, 400, {"error": {"code": "1301", "message": _SAID}}, refused("content_filter")),
    ("glm_434", "glm", _CHAT, 434, {"error": {"code": "x", "message": _SAID}}, fails("auth", status=434)),
    ("glm_435", "glm", _CHAT, 435, {"error": {"code": "x", "message": _SAID}}, refused(status=435, code="x")),
    ("minimax_funds", "minimax", _CHAT, 200, {"base_resp": {"status_code": 1008, "status_msg": _SAID}}, fails("funds")),
    ("minimax_rate", "minimax", _CHAT, 200, {"base_resp": {"status_code": 1002, "status_msg": _SAID}}, fails("rate")),
    ("minimax_auth", "minimax", _CHAT, 200, {"base_resp": {"status_code": 1004, "status_msg": _SAID}}, fails("auth")),
    ("minimax_timeout", "minimax", _CHAT, 200, {"base_resp": {"status_code": 1001, "status_msg": _SAID}}, fails("timeout")),
    ("minimax_filter", "minimax", _CHAT, 200, {"base_resp": {"status_code": 1026, "status_msg": _SAID}}, refused("content_filter", status=200)),
    ("minimax_mistake", "minimax", _CHAT, 200, {"base_resp": {"status_code": 2013, "status_msg": _SAID}}, refused(status=200)),
    ("minimax_strange", "minimax", _CHAT, 200, {"base_resp": {"status_code": 999_999, "status_msg": _SAID}}, fails()),
    ("openrouter_200", "openai", _CHAT, 200, {"error": {"code": 502, "message": _SAID}}, fails()),
    ("openrouter_200_rate", "openai", _CHAT, 200, {"error": {"code": 429, "message": _SAID}}, fails("rate")),
    ("anthropic_overloaded", "anthropic", _ANTHROPIC, 529, _anthropic("overloaded_error"), fails("overloaded", status=529)),
    ("anthropic_rate", "anthropic", _ANTHROPIC, 429, _anthropic("rate_limit_error"), fails("rate", status=429)),
    ("anthropic_billing", "anthropic", _ANTHROPIC, 402, _anthropic("billing_error"), fails("funds", status=402)),
    ("anthropic_spend_limit", "anthropic", _ANTHROPIC, 400, _anthropic("billing_error"), fails("funds", status=400)),
    ("anthropic_bad_key", "anthropic", _ANTHROPIC, 401, _anthropic("authentication_error"), fails("auth", status=401)),
    ("anthropic_permission", "anthropic", _ANTHROPIC, 403, _anthropic("permission_error"), fails("auth", status=403)),
    ("anthropic_no_model", "anthropic", _ANTHROPIC, 404, _anthropic("not_found_error"), fails("not_found", status=404)),
    ("anthropic_too_large", "anthropic", _ANTHROPIC, 413, _anthropic("request_too_large"), refused(status=413, code="request_too_large", client_status=413)),
    ("anthropic_mistake", "anthropic", _ANTHROPIC, 400, _anthropic("invalid_request_error"), refused()),
    ("anthropic_500", "anthropic", _ANTHROPIC, 500, _anthropic("api_error"), fails(status=500)),
    ("anthropic_504", "anthropic", _ANTHROPIC, 504, _anthropic("timeout_error"), fails("timeout", status=504)),
    ("anthropic_200", "anthropic", _ANTHROPIC, 200, _anthropic("overloaded_error"), fails("overloaded")),
    ("gemini_bad_key", "gemini", _GEMINI, 400, _gemini(400, "INVALID_ARGUMENT", _BAD_KEY), fails("auth", status=400)),
    ("gemini_mistake", "gemini", _GEMINI, 400, _gemini(400, "INVALID_ARGUMENT"), refused()),
    ("gemini_rate", "gemini", _GEMINI, 429, _gemini(429, "RESOURCE_EXHAUSTED", _RETRY), fails("rate", status=429)),
    ("gemini_funds", "gemini", _GEMINI, 402, _gemini(402, "RESOURCE_EXHAUSTED"), fails("funds", status=402)),
    ("gemini_denied", "gemini", _GEMINI, 403, _gemini(403, "PERMISSION_DENIED"), fails("auth", status=403)),
    ("gemini_no_model", "gemini", _GEMINI, 404, _gemini(404, "NOT_FOUND"), fails("not_found", status=404)),
    ("gemini_unavailable", "gemini", _GEMINI, 503, _gemini(503, "UNAVAILABLE"), fails("overloaded", status=503)),
    ("gemini_deadline", "gemini", _GEMINI, 504, _gemini(504, "DEADLINE_EXCEEDED"), fails("timeout", status=504)),
    ("gemini_internal", "gemini", _GEMINI, 500, _gemini(500, "INTERNAL"), fails(status=500)),
    ("gemini_200", "gemini", _GEMINI, 200, _gemini(503, "UNAVAILABLE"), fails("overloaded")),
    ("gemini_compat_list", "gemini-compat", _CHAT, 429, [_gemini(429, "RESOURCE_EXHAUSTED", _RETRY)], fails("rate", status=429)),
)  # fmt: skip


def _provider(row: _Row) -> Fault:
    name, usage_dialect, kinds, status, body, expected = row
    return Fault(
        name=name,
        family="provider's words",
        play=_body(status, body),
        json=expected,
        stream=expected,
        kinds=kinds,
        width="brief",
        usage_dialect=usage_dialect,
        own_credential=expected.outcome in _OUR_FAULT,
    )


def _hint(name: str, status: int, outcome: str, *headers: str) -> Fault:
    expected = fails(outcome, status=status)
    return Fault(
        name=name,
        family="status",
        play=_body(status, {"error": {"message": _SAID}}, headers=headers),
        json=expected,
        stream=expected,
        width="brief",
        own_credential=outcome in _OUR_FAULT,
    )


FAULTS: Final = (
    *(
        _status(status, fails(outcome, status=status))
        for outcome, statuses in _BY_STATUS.items()
        for status in statuses
    ),
    *(
        _status(status, refused(status=status, code=code, client_status=client_status))
        for status, (code, client_status) in _MISTAKES.items()
    ),
    *map(_odd_status, ("000", "099", "600", "999", "2000", "-200", "abc")),
    *map(_provider, _ROWS),
    _hint("retry_after_year", 503, "overloaded", "retry-after: 31536000"),
    _hint("retry_after_past", 503, "overloaded", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"),
    _hint("retry_after_garbage", 503, "overloaded", "retry-after: -1e999 soon", "retry-after-ms: NaN"),
    _hint("retry_after_infinite", 429, "rate", "retry-after: inf"),
    _hint("redirect_inside", 302, "unknown", "location: http://169.254.169.254/latest/meta-data/"),
    _hint("redirect_post_again", 307, "unknown", "location: /good/v1/chat/completions"),
)
