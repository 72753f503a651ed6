"""One probe: the list of a provider's models, with one credential. It costs no tokens, and needs a valid secret.

Owns where each dialect has that list, how long and how much is waited for and read, and what an answer says.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, Protocol, cast, get_args

import msgspec

from application.upstream import (
    ParsedUrl,
    Upstream,
    UpstreamAnswerTooLarge,
    UpstreamConnectError,
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeout,
)
from application.wire.error_body import read_error
from application.wire.error_kind import kind_of
from domain.catalogue.provider import Dialect, UsageDialect
from domain.health.probe import ProbeOutcome

CONNECT_S: Final = 5.0
FIRST_BYTE_S: Final = 10.0
TOTAL_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 1024 * 1024
_OK: Final = 200
_PATHS: Final[Mapping[Dialect, bytes]] = {
    "openai": b"/models",
    "anthropic": b"/v1/models?limit=1",
    "gemini": b"/models?pageSize=1",
}
_HEADERS: Final[Mapping[Dialect, tuple[tuple[bytes, bytes], ...]]] = {
    "openai": (),
    "anthropic": ((b"anthropic-version", b"2023-06-01"),),
    "gemini": (),
}


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; status 0 if no answer came."""

    outcome: ProbeOutcome
    status: int
    took_ms: int


class ProbeTarget(Protocol):
    """Whom to ask, and with what. A `DeploymentView` is one."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def usage_dialect(self) -> UsageDialect: ...

    @property
    def authorization(self) -> bytes | None: ...

    @property
    def auth_header(self) -> bytes: ...

    def url(self, path: bytes) -> ParsedUrl: ...


class Probe(Protocol):
    """Port to the probe for commands. Blocking; it never raises."""

    def __call__(self, target: ProbeTarget, /) -> Probed: ...


async def probe(upstream: Upstream, target: ProbeTarget) -> Probed:
    """Send one. Never raises but for being cancelled; a redirect is not followed."""
    started_s = time.monotonic()
    status = 0
    try:
        async with asyncio.timeout(TOTAL_S):
            response = await upstream.send(
                _request(target), connect_s=CONNECT_S, first_byte_s=FIRST_BYTE_S, total_s=TOTAL_S
            )
            status = response.status
            outcome = _judged(target, status, await response.read(ANSWER_BYTES_MAX, idle_s=FIRST_BYTE_S))
    except UpstreamAnswerTooLarge:
        outcome = "ok" if status == _OK else "unexpected"
    except UpstreamConnectError:
        outcome = "unreachable"
    except (UpstreamTimeout, TimeoutError):
        outcome = "timeout"
    except UpstreamError:
        outcome = "unexpected"
    return Probed(outcome=outcome, status=status, took_ms=int((time.monotonic() - started_s) * 1000))


def _request(target: ProbeTarget) -> UpstreamRequest:
    headers = [
        (b"accept", b"application/json"),
        (b"user-agent", b"tokenok"),
        *_HEADERS[target.dialect],
    ]
    if target.authorization is not None:
        headers.append((target.auth_header, target.authorization))
    return UpstreamRequest(b"GET", target.url(_PATHS[target.dialect]), headers)


def _judged(target: ProbeTarget, status: int, body: bytes) -> ProbeOutcome:
    error = read_error(body)
    if status == _OK and not error.base_code:
        return "ok"
    kind = kind_of(status, error, dialect=target.usage_dialect)
    return cast("ProbeOutcome", kind) if kind in get_args(ProbeOutcome) else "unexpected"
