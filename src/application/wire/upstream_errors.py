"""What to do when an upstream refuses or fails: the class of the failure and the decision that follows from it.

Owns the table of classes. A failure of ours at the provider (our key, our money) never looks to a client like one of its
own. An upstream's text reaches a client only where the client's request is at fault, and sanitised.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from application.upstream import UpstreamBusy, UpstreamError, UpstreamTimeout, UpstreamTooSlow
from application.wire.error_body import ErrorBody, read_error
from application.wire.error_kind import UpstreamErrorKind, kind_of
from application.wire.errors import SPECS
from application.wire.sanitise import sanitised
from domain.catalogue.provider import UsageDialect

Headers = Sequence[tuple[bytes, bytes]]


class UpstreamFailure(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt failed. `code`, `message` and `param` are for the client, if no other attempt follows."""

    kind: UpstreamErrorKind
    may_fail_over: bool  #: before the first byte went to the client; after it nothing may
    counts_against_breaker: bool
    code: str
    message: str
    param: str | None = None
    retry_after_s: float | None = None
    provider_code: str = ""  #: the provider's own code, for logs; never free text


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    may_fail_over: bool = True
    counts_against_breaker: bool = True


_DECISIONS: Final[Mapping[UpstreamErrorKind, _Decision]] = MappingProxyType(
    {
        "auth": _Decision(
            code="upstream_auth_error",
            message="The provider did not accept this gateway's credential; its operator can mend that.",
        ),
        "funds": _Decision(
            code="upstream_auth_error",
            message="This gateway's account at the provider cannot be used; its operator can mend that.",
        ),
        "rate": _Decision(
            code="upstream_overloaded",
            message="The provider limits this gateway's requests at the moment. Try again shortly.",
        ),
        "overloaded": _Decision(
            code="upstream_overloaded", message="The provider is overloaded. Try again shortly."
        ),
        "timeout": _Decision(code="upstream_timeout", message="The provider did not answer in time."),
        "too_slow": _Decision(code="upstream_timeout", message="The provider answered too slowly."),
        "bad_request": _Decision(
            code="invalid_request",
            message="The provider refused the request as invalid.",
            may_fail_over=False,
            counts_against_breaker=False,
        ),
        "not_found": _Decision(
            code="upstream_error",
            message="The provider does not know the model or path that this gateway is set up with.",
            counts_against_breaker=False,
        ),
        "content_filter": _Decision(
            code="content_filter",
            message="The provider's content filter refused the request or its answer.",
            may_fail_over=False,
            counts_against_breaker=False,
        ),
        "unknown": _Decision(code="upstream_error", message="The provider failed."),
    }
)
"""Per class: another deployment may be tried, the deployment's breaker counts it, and what the client is told.

A refused credential or an empty account is the deployment's failure and not the request's, nothing was generated, so
another deployment may serve; a 404 can come from an id in the request, so it must not take a deployment down.
"""

_PROVIDER_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_TOO_LARGE: Final = 413


def classify(
    status: int,
    headers: Headers,
    body: bytes,
    *,
    dialect: UsageDialect = "openai",
    secrets: Iterable[str] = (),
) -> UpstreamFailure:
    """Judge an answer that is none: its status (200 for an error inside a 200 or a stream), headers and body.

    `secrets` are what must not be seen in text that goes on: the credential, the host, the base URL. Never raises.
    """
    error = read_error(body)
    kind = kind_of(status, error, dialect=dialect)
    failure = _decided(kind, provider_code=_provider_code(status, error))
    if kind == "bad_request":
        return _passed_on(failure, status, error, secrets)
    if kind in ("rate", "overloaded"):
        return msgspec.structs.replace(failure, retry_after_s=_retry_after_s(headers, error))
    return failure


def classify_exception(error: UpstreamError) -> UpstreamFailure:
    """Judge a call that brought no whole answer."""
    if isinstance(error, UpstreamTimeout):
        return _decided("timeout", provider_code=f"{error.code}:{error.phase}")
    if isinstance(error, UpstreamTooSlow):
        return _decided("too_slow", provider_code=error.code)
    if isinstance(error, UpstreamBusy):  # our own queue for it is full: nothing is known of the provider
        failure = _decided("overloaded", provider_code=error.code)
        return msgspec.structs.replace(failure, counts_against_breaker=False)
    return _decided("unknown", provider_code=error.code)


def _decided(kind: UpstreamErrorKind, *, provider_code: str) -> UpstreamFailure:
    decision = _DECISIONS[kind]
    return UpstreamFailure(
        kind=kind,
        may_fail_over=decision.may_fail_over,
        counts_against_breaker=decision.counts_against_breaker,
        code=decision.code,
        message=decision.message,
        provider_code=provider_code,
    )


def _passed_on(
    failure: UpstreamFailure, status: int, error: ErrorBody, secrets: Iterable[str]
) -> UpstreamFailure:
    """The client's own mistake, told in the upstream's words, under a code that cannot be taken for one of ours."""
    code = error.code.lower()
    if status == _TOO_LARGE:
        code = "request_too_large"
    elif code in SPECS or not _CODE.fullmatch(code):
        code = failure.code
    return msgspec.structs.replace(
        failure,
        code=code,
        message=sanitised(error.message, secrets=secrets) or failure.message,
        param=sanitised(error.param, secrets=secrets) if error.param else None,
    )


def _provider_code(status: int, error: ErrorBody) -> str:
    code = (
        str(error.base_code) if error.base_code else error.code or error.type or min(error.hints, default="")
    )
    return code if _PROVIDER_CODE.fullmatch(code) else str(status)


def _retry_after_s(headers: Headers, error: ErrorBody) -> float | None:
    """How long the upstream asks to wait; dates are not read."""
    found = {name: value for name, value in headers if name in (b"retry-after", b"retry-after-ms")}
    for name, per_second in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        try:
            wait_s = float(found[name]) / per_second
        except (KeyError, ValueError):
            continue
        if 0 <= wait_s < math.inf:
            return wait_s
    return error.retry_delay_s
