"""Errors as `application/problem+json` (RFC 9457) with a stable `code`.

No answer repeats what was sent: a message of msgspec names the place, a refusal its own words.
"""

import math
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from api.admin.codes import INTERNAL_ERROR, code_of, status_of
from api.admin.headers import PRIVATE
from application.limits import RateLimited
from application.projections import ReadModelOutdated

MEDIA_TYPE: Final = "application/problem+json"
_BY_HTTP_STATUS: Final = {
    401: "invalid_token",
    403: "not_permitted",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
}
_CLIENT_ERRORS: Final = range(400, 500)

log = structlog.get_logger()


def problem(code: str, detail: str = "", *, retry_after_s: float | None = None) -> Response[bytes]:
    """The answer for a code."""
    status = status_of(code)
    body: dict[str, Any] = {"type": "about:blank", "title": code.replace("_", " "), "status": status}
    body |= {"code": code, "detail": detail}
    headers = dict(PRIVATE)
    if code == "invalid_token":
        headers["www-authenticate"] = "Bearer"
    if retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(retry_after_s))
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the application."""
    code = code_of_any(error)
    if code == INTERNAL_ERROR:
        log.error("admin_request_failed", path=request.scope["path"], error=type(error).__name__)
        return problem(code, "something went wrong on our side")
    retry_after_s = error.retry_after_s if isinstance(error, RateLimited | ReadModelOutdated) else None
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return problem(code, detail, retry_after_s=retry_after_s)


def database_away(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler for what a database says that is away, or that is not of this version yet."""
    if isinstance(error, ReadModelOutdated):
        return on_error(request, error)
    return problem("database_unavailable", "the database cannot be read")


def code_of_any(error: Exception) -> str:
    """As `code_of`, for the framework's own errors too."""
    if isinstance(error, HTTPException) and error.status_code in _CLIENT_ERRORS:
        return _BY_HTTP_STATUS.get(error.status_code, "invalid_request")
    return code_of(error)
