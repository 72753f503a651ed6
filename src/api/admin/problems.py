"""Errors as `application/problem+json` (RFC 9457) with a stable `code`; the one table from codes to statuses.

No answer repeats what was sent: a message of msgspec names the place, a refusal its own words.
"""

from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from application.eventlog import EventLogError, LogUnavailable, OutcomeUnknown, UnstorableEvent
from application.vault import VaultError, VaultUnavailable
from domain.refusal import Refusal

MEDIA_TYPE: Final = "application/problem+json"
RULE_SAID_NO: Final = 422
STATUSES: Final = {
    "invalid_request": 400,
    "invalid_value": 400,
    "amount_out_of_range": 400,
    "idempotency_key_required": 400,
    "invalid_token": 401,
    "not_permitted": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_in_progress": 409,
    "request_too_large": 413,
    "not_sealed": 409,
    "already_exists": RULE_SAID_NO,
    "wrong_state": RULE_SAID_NO,
    "unstorable": RULE_SAID_NO,
    "internal_error": 500,
    "seal_broken": 500,
    "vault_error": 500,
    "vault_unavailable": 503,
    "log_unavailable": 503,
    "outcome_unknown": 503,
    "contended": 503,
    "books_behind": 503,
    "database_unavailable": 503,
    "sealing_off": 503,
}
#: Errors that are no refusals; the first that fits is taken.
_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (OutcomeUnknown, "outcome_unknown"),
    (LogUnavailable, "log_unavailable"),
    (UnstorableEvent, "unstorable"),
    (EventLogError, "contended"),
    (VaultUnavailable, "vault_unavailable"),
    (VaultError, "vault_error"),
)
_BY_HTTP_STATUS: Final = {
    401: "invalid_token",
    403: "not_permitted",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
}
_CLIENT_ERRORS: Final = range(400, 500)

log = structlog.get_logger()


class BadRequest(Exception):
    """The request cannot be read; nothing was done. `code` is in the table."""

    def __init__(self, message: str, *, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code


def code_of(error: Exception) -> str:
    """The stable code of an error; `internal_error` for one that nobody foresaw."""
    if isinstance(error, Refusal | BadRequest):
        return error.code
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if isinstance(error, HTTPException) and error.status_code in _CLIENT_ERRORS:
        return _BY_HTTP_STATUS.get(error.status_code, "invalid_request")
    return "internal_error"


def status_of(code: str) -> int:
    """The status of a code; one that is not in the table is a rule's."""
    return STATUSES.get(code, RULE_SAID_NO)


def problem(code: str, detail: str = "") -> Response[bytes]:
    """The answer for a code."""
    status = status_of(code)
    body: dict[str, Any] = {"type": "about:blank", "title": code.replace("_", " "), "status": status}
    body |= {"code": code, "detail": detail}
    headers = {"www-authenticate": "Bearer"} if code == "invalid_token" else {}
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the application."""
    code = code_of(error)
    if code == "internal_error":
        log.error("admin_request_failed", path=request.scope["path"], error=type(error).__name__)
        return problem(code, "something went wrong on our side")
    return problem(code, error.detail if isinstance(error, HTTPException) else str(error))
