"""What clients of this dialect are told when something is refused or fails: its envelope and its table of types."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from application.dialects.anthropic.surface.encode import encoded
from application.wire.errors import ErrorSpec, spec_of

_MESSAGE_CHARS_MAX: Final = 2_000
_INVALID: Final = "invalid_request_error"
_SERVER: Final = "api_error"
_SERVER_STATUS_MIN: Final = 500
_OVERLOADED: Final = 529
THREAD_UNSUPPORTED: Final = "thread_unsupported_request"
"""Anthropic's own code: its SDKs' tool runners then send the whole conversation instead."""
_DETAILS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {THREAD_UNSUPPORTED: {"error_code": THREAD_UNSUPPORTED, "unsupported": ["thread"]}}
)

_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        _OVERLOADED: "overloaded_error",
    }
)


def error_of(code: str, *, status: int | None = None) -> ErrorSpec:
    """Status and type of one of our codes in this dialect; `status` where it is not the table's (quota as 429)."""
    spec = spec_of(code)
    if status is None:
        status = _OVERLOADED if code == "upstream_overloaded" else spec.status
    otherwise = _SERVER if status >= _SERVER_STATUS_MIN else _INVALID
    return ErrorSpec(status, _TYPES.get(status, otherwise), retry_useless=spec.retry_useless)


def error_body(code: str, message: str, *, request_id: str | None = None) -> bytes:
    """The envelope; within a stream it has no request id."""
    error: dict[str, Any] = {
        "type": "error",
        "error": {"type": error_of(code).type, "message": message[:_MESSAGE_CHARS_MAX]},
    }
    if code in _DETAILS:
        error["error"]["details"] = _DETAILS[code]
    if request_id is not None:
        error["request_id"] = request_id
    return encoded(error)
