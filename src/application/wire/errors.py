"""What clients are told when something is refused or fails: one table from stable code to status and type.

Owns the error envelope (all four keys, always), the refusal of malformed requests and the retry headers.
SDKs retry 408, 409, 429 and every 5xx unless a header says otherwise; nothing here may make them wait long.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

RETRY_AFTER_S_MAX: Final = 60
"""One SDK obeys any `retry-after`, another gives up above 120 s; so none of ours is longer than this."""
_MESSAGE_CHARS_MAX: Final = 2_000

_BAD_REQUEST: Final = "invalid_request_error"
_SERVER: Final = "server_error"


class ErrorSpec(msgspec.Struct, frozen=True):
    """How one code looks on the wire. `retry_useless`: SDKs would retry the status, and it cannot help."""

    status: int
    type: str
    retry_useless: bool = False


SPECS: Final[Mapping[str, ErrorSpec]] = MappingProxyType(
    {
        "invalid_api_key": ErrorSpec(401, _BAD_REQUEST),
        "insufficient_quota": ErrorSpec(402, "insufficient_quota", retry_useless=True),
        "account_in_debt": ErrorSpec(402, "insufficient_quota", retry_useless=True),
        "credit_held": ErrorSpec(402, "insufficient_quota"),
        "budget_exceeded": ErrorSpec(402, "insufficient_quota"),
        "permission_denied": ErrorSpec(403, "permission_error"),
        "model_not_found": ErrorSpec(404, _BAD_REQUEST),
        "generation_not_found": ErrorSpec(404, _BAD_REQUEST),
        "receipt_not_found": ErrorSpec(404, _BAD_REQUEST),
        "unknown_url": ErrorSpec(404, _BAD_REQUEST),
        "unsupported_url": ErrorSpec(501, _BAD_REQUEST, retry_useless=True),
        "method_not_allowed": ErrorSpec(405, _BAD_REQUEST),
        "request_timeout": ErrorSpec(408, _BAD_REQUEST),
        "idempotency_in_progress": ErrorSpec(409, _BAD_REQUEST),
        "idempotency_answer_not_kept": ErrorSpec(410, _BAD_REQUEST),
        "request_too_large": ErrorSpec(413, _BAD_REQUEST),
        "unsupported_encoding": ErrorSpec(415, _BAD_REQUEST),
        "idempotency_key_reused": ErrorSpec(422, _BAD_REQUEST),
        "rate_limit_exceeded": ErrorSpec(429, "requests"),
        "internal_error": ErrorSpec(500, _SERVER),
        "upstream_error": ErrorSpec(502, _SERVER),
        "upstream_auth_error": ErrorSpec(502, _SERVER, retry_useless=True),
        "ledger_unavailable": ErrorSpec(503, _SERVER),
        "upstream_overloaded": ErrorSpec(503, _SERVER),
        "uploads_full": ErrorSpec(503, _SERVER),
        "upstream_timeout": ErrorSpec(504, _SERVER),
    }
)
"""Every code that is not a malformed request. A code that is not here is a 400."""

_INVALID: Final = ErrorSpec(400, _BAD_REQUEST)
_encode: Final = msgspec.json.Encoder().encode


class InvalidRequest(Exception):
    """The client's request cannot be served as it is, and never will be: a 400. Nothing was held or sent.

    `message` may name members of the request and our limits, never the content of a message.
    """

    def __init__(self, code: str, param: str | None, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.param = param
        self.message = message


def spec_of(code: str) -> ErrorSpec:
    """Status and type of a code; codes of malformed requests, ours or an upstream's, share one."""
    return SPECS.get(code, _INVALID)


def envelope(code: str, message: str, param: str | None = None, **numbers: int) -> bytes:
    """The JSON body of an error. `numbers` go beside the four keys, such as `required_nano`."""
    error: dict[str, str | int | None] = {
        "message": message[:_MESSAGE_CHARS_MAX],
        "type": spec_of(code).type,
        "param": param,
        "code": code,
    }
    error.update(numbers)
    return _encode({"error": error})


def retry_headers(
    code: str, *, status: int | None = None, retry_after_s: float | None = None
) -> list[tuple[bytes, bytes]]:
    """What to tell an SDK about trying again; `status` where it is not the table's (quota as 429).

    A wait above the limit is not worth a client's while: it is told not to retry by itself, and the limit.
    """
    spec = spec_of(code)
    retried = (spec.status if status is None else status) in (408, 409, 429) or spec.status >= 500  # noqa: PLR2004  statuses are not magic
    too_long = retry_after_s is not None and retry_after_s > RETRY_AFTER_S_MAX
    headers: list[tuple[bytes, bytes]] = []
    if retried and (spec.retry_useless or too_long):
        headers.append((b"x-should-retry", b"false"))
    if retry_after_s is not None and not spec.retry_useless:
        headers.append((b"retry-after", str(_whole_seconds(retry_after_s)).encode()))
    return headers


def _whole_seconds(wait_s: float) -> int:
    if not wait_s > 1:
        return 1
    return RETRY_AFTER_S_MAX if wait_s >= RETRY_AFTER_S_MAX else math.ceil(wait_s)
