"""Classes of upstream failures, told from the status and the machine-readable parts of the body.

Free text decides nothing (one beginning of xAI's excepted): it repeats what clients wrote, and a client must not be able
to make its own mistake look like the provider's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from application.wire.error_body import ErrorBody
from domain.catalogue.provider import UsageDialect

UpstreamErrorKind = Literal[
    "auth",
    "funds",
    "rate",
    "overloaded",
    "timeout",
    "too_slow",
    "bad_request",
    "not_found",
    "content_filter",
    "unknown",
]

_CODES: Final[Mapping[UpstreamErrorKind, tuple[str, ...]]] = {
    "content_filter": (
        "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed",
        "datainspectionfailed", "moderation", "moderation_blocked", "invalid_prompt", "prohibited_content", "1301",
    ),
    "funds": (
        "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_error",
        "billing_hard_limit_reached", "billing_not_active", "exceeded_current_quota_error", "arrearage",
        "insufficient_balance", "1113",
    ),
    "auth": (
        "invalid_api_key", "api_key_invalid", "authentication_error", "invalid_authentication_error", "unauthenticated",
        "account_deactivated", "permission_error", "permission_denied", "1000", "1001", "1002", "1003", "1004", "1220",
    ),
    "rate": (
        "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "too_many_requests", "slow_down",
        "resource_exhausted", "1302", "1303", "1305",
    ),
    "overloaded": (
        "overloaded", "overloaded_error", "engine_overloaded_error", "server_overloaded", "service_unavailable",
        "unavailable",
    ),
    "timeout": ("timeout", "timeout_error", "deadline_exceeded"),
    "not_found": ("model_not_found", "not_found_error", "url.not_found", "deploymentnotfound", "1214"),
}  # fmt: skip
_KIND_OF_CODE: Final[Mapping[str, UpstreamErrorKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES.items() for code in codes}
)

_KIND_OF_STATUS: Final[Mapping[int, UpstreamErrorKind]] = MappingProxyType(
    {
        400: "bad_request", 401: "auth", 402: "funds", 403: "auth", 404: "not_found", 408: "timeout", 410: "not_found",
        413: "bad_request", 422: "bad_request", 429: "rate", 434: "auth", 435: "bad_request", 503: "overloaded",
        504: "timeout", 522: "timeout", 524: "timeout", 529: "overloaded",
    }
)  # fmt: skip
"""Statuses that say enough by themselves where no code says more; 434 and 435 are GLM's, 52x those of proxies."""

_SETTLED: Final = frozenset({401, 402, 413})
"""Statuses whose meaning no code changes; DeepSeek's 401 has the code of a bad request."""

_KIND_OF_BASE_CODE: Final[Mapping[int, UpstreamErrorKind]] = MappingProxyType(
    {
        1001: "timeout", 1002: "rate", 1004: "auth", 1008: "funds", 1026: "content_filter", 1027: "content_filter",
        1039: "rate", 2013: "bad_request", 2049: "auth",
    }
)  # fmt: skip
"""MiniMax's, which come with status 200."""

_XAI_BAD_KEY: Final = "Incorrect API key"
_STATUS_MIN: Final = 400
_STATUS_MAX: Final = 599


def kind_of(status: int, error: ErrorBody, *, dialect: UsageDialect) -> UpstreamErrorKind:
    """The class of a failure. `status` is that of the answer: 200 for an error inside one."""
    if error.base_code:
        return _KIND_OF_BASE_CODE.get(error.base_code, "unknown")
    if status < _STATUS_MIN:
        status = _status_within(error)
    if status in _SETTLED:
        return _KIND_OF_STATUS[status]
    if status in (400, 403) and error.message.startswith(_XAI_BAD_KEY):
        return "auth"
    kind = _kind_of_codes(error)
    if kind == "funds" and dialect == "qwen" and error.code.lower() == "insufficient_quota":
        return "rate"  # tokens per minute; when money is out, Qwen says Arrearage
    return kind or _KIND_OF_STATUS.get(status, "unknown")


def _status_within(error: ErrorBody) -> int:
    """The status that an error inside a 200 would have had: OpenRouter gives it as the code. 0 if nothing tells."""
    if error.code.isdecimal() and _STATUS_MIN <= int(error.code) <= _STATUS_MAX:
        return int(error.code)
    return _STATUS_MIN if error.type == "invalid_request_error" else 0


def _kind_of_codes(error: ErrorBody) -> UpstreamErrorKind | None:
    """The first class in the order of the table that one of the codes names."""
    named = {
        _KIND_OF_CODE[code]
        for code in (error.code.lower(), error.type.lower(), *(hint.lower() for hint in error.hints))
        if code in _KIND_OF_CODE
    }
    return next((kind for kind in _CODES if kind in named), None)
