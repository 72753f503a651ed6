"""Calls an alias' deployments in order until one answers, and records every attempt.

Moves on only while nothing has gone to the client, and never for what is the client's own mistake.
"""

import time
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from application.clock import Clock
from application.directory_views import DeploymentView
from application.gateway.refused import Refused
from application.upstream import Upstream, UpstreamError, UpstreamRequest, UpstreamResponse
from application.wire.patch import patch_body
from application.wire.upstream_errors import UpstreamFailure, classify, classify_exception
from domain.ledger.events import Attempt

ERROR_BYTES_MAX: Final = 64 * 1024
UPSTREAM_ID_CHARS_MAX: Final = 128
_OK: Final = 200


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in seconds and sizes in bytes; a deployment's own durations win."""

    connect_s: float
    first_byte_s: float
    idle_s: float
    total_s: float
    answer_bytes_max: int = 64 * 1024 * 1024


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to whichever deployment is tried."""

    body: bytes
    stream: bool
    answer_tokens: int
    request_id: UUID


class Opened(msgspec.Struct, kw_only=True):
    """A deployment began to answer; its body is still to be read."""

    deployment: DeploymentView
    response: UpstreamResponse
    started_us: int
    started_s: float
    status: int


class _Begun(msgspec.Struct):
    """The attempt that is under way; it has a response once its head has come."""

    deployment: DeploymentView
    started_us: int
    started_s: float
    response: UpstreamResponse | None = None


class Attempts:
    """The attempts of one request, in order."""

    def __init__(self, *, upstream: Upstream, clock: Clock, limits: Limits) -> None:
        self.records: list[Attempt] = []
        self.upstream_s = 0.0  #: time spent waiting for answers to begin
        self._upstream = upstream
        self._clock = clock
        self._limits = limits
        self._failure: UpstreamFailure | None = None
        self._begun: _Begun | None = None

    async def call(self, deployment: DeploymentView, plan: Plan) -> Opened | None:
        """Call one deployment; None when it failed and another may be tried.

        Raises:
            Refused: it failed for a reason that no other deployment would change.
        """
        timeouts, limits = deployment.timeouts, self._limits
        started_us, started_s = self._clock.now_us(), time.monotonic()
        begun = self._begun = _Begun(deployment, started_us, started_s)
        try:
            response = await self._upstream.send(
                _request(deployment, plan),
                connect_s=_seconds(timeouts.connect_ms, limits.connect_s),
                first_byte_s=_seconds(timeouts.first_byte_ms, limits.first_byte_s),
                total_s=_seconds(timeouts.total_ms, limits.total_s),
            )
        except UpstreamError as error:
            self._count(started_s)
            self.fail(deployment, classify_exception(error), started_us=started_us, started_s=started_s)
            return None
        self._count(started_s)
        begun.response = response
        opened = Opened(
            deployment=deployment,
            response=response,
            started_us=started_us,
            started_s=started_s,
            status=response.status,
        )
        if response.status == _OK and (not plan.stream or _is_stream(response)):
            return opened
        await self._refused(opened)
        return None

    async def _refused(self, opened: Opened) -> None:
        """Read why, and record it."""
        response = opened.response
        try:
            body = await response.read(ERROR_BYTES_MAX, idle_s=self.idle_s(opened))
        except UpstreamError:
            body = b""
        self.fail_with(opened, body)

    def fail_with(self, opened: Opened, body: bytes) -> None:
        """An answer turned out to be an error with `body`. Raises `Refused` as `call` does."""
        deployment, response = opened.deployment, opened.response
        failure = classify(
            response.status,
            response.headers,
            body,
            dialect=deployment.usage_dialect,
            secrets=_secrets_of(deployment),
        )
        self.fail(
            deployment,
            failure,
            started_us=opened.started_us,
            started_s=opened.started_s,
            status=opened.status,
        )

    def fail_by(self, opened: Opened, error: UpstreamError) -> None:
        """An answer did not come whole."""
        self.fail(
            opened.deployment,
            classify_exception(error),
            started_us=opened.started_us,
            started_s=opened.started_s,
            status=opened.status,
        )

    def fail(
        self,
        deployment: DeploymentView,
        failure: UpstreamFailure,
        *,
        started_us: int,
        started_s: float,
        status: int = 0,
    ) -> None:
        """Record a failed attempt. Raises `Refused` if no other deployment should be tried."""
        self._record(deployment, failure.kind, started_us=started_us, started_s=started_s, status=status)
        self._failure = failure
        if not failure.may_fail_over:
            raise self.refusal()

    def interrupt(self, outcome: str) -> bool:
        """End the attempt under way, if there is one, by `outcome` or by the status that it has refused with already.

        Returns whether the upstream may be at work on an answer, or has given one.
        """
        begun = self._begun
        if begun is None:
            return True
        response = begun.response
        status = 0 if response is None else response.status
        refused = status not in (0, _OK)
        if refused:
            outcome = classify(status, (), b"", dialect=begun.deployment.usage_dialect).kind
        self._record(
            begun.deployment,
            outcome,
            started_us=begun.started_us,
            started_s=begun.started_s,
            status=status,
            upstream_request_id=None if response is None else _request_id_of(response),
        )
        return not refused

    def succeed(self, opened: Opened, outcome: str = "ok") -> None:
        """The deployment's answer is charged for; `outcome` says how it ended."""
        self._record(
            opened.deployment,
            outcome,
            started_us=opened.started_us,
            started_s=opened.started_s,
            status=opened.status,
            upstream_request_id=_request_id_of(opened.response),
        )

    def idle_s(self, opened: Opened) -> float:
        """How long this upstream may be silent within its answer."""
        return _seconds(opened.deployment.timeouts.idle_ms, self._limits.idle_s)

    def refusal(self) -> Refused:
        """What the client is told when no deployment is left."""
        failure = self._failure
        if failure is None:
            return Refused(
                "upstream_error", "No provider can serve this model at the moment.", retry_after_s=5
            )
        return Refused(
            failure.code, failure.message, param=failure.param, retry_after_s=failure.retry_after_s
        )

    def _record(
        self,
        deployment: DeploymentView,
        outcome: str,
        *,
        started_us: int,
        started_s: float,
        status: int,
        upstream_request_id: str | None = None,
    ) -> None:
        self._begun = None
        self.records.append(
            Attempt(
                deployment_id=deployment.deployment_id,
                provider=deployment.provider,
                model=deployment.upstream_model,
                status=status,
                outcome=outcome,
                started_us=started_us,
                duration_ms=int((time.monotonic() - started_s) * 1000),
                upstream_request_id=upstream_request_id,
            )
        )

    def _count(self, started_s: float) -> None:
        self.upstream_s += time.monotonic() - started_s


def _request(deployment: DeploymentView, plan: Plan) -> UpstreamRequest:
    headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"text/event-stream" if plan.stream else b"application/json"),
        (b"x-request-id", str(plan.request_id).encode()),
        (b"user-agent", b"tokenok"),
    ]
    if deployment.authorization is not None:
        headers.append((b"authorization", deployment.authorization))
    body = patch_body(
        plan.body,
        model=deployment.upstream_model,
        max_tokens_field=deployment.output_field,
        max_tokens=min(plan.answer_tokens, deployment.output_tokens_max),
        include_usage=plan.stream,
    )
    return UpstreamRequest(b"POST", deployment.chat_url, headers, body)


def _seconds(own_ms: int | None, otherwise_s: float) -> float:
    return otherwise_s if own_ms is None else own_ms / 1000


def _is_stream(response: UpstreamResponse) -> bool:
    for name, value in response.headers:
        if name == b"content-type":
            return value.lower().startswith(b"text/event-stream")
    return False


def _request_id_of(response: UpstreamResponse) -> str | None:
    for name, value in response.headers:
        if name in (b"x-request-id", b"request-id"):
            text = value.decode("ascii", "replace")
            return text[:UPSTREAM_ID_CHARS_MAX] if text.isprintable() else None
    return None


def _secrets_of(deployment: DeploymentView) -> Iterable[str]:
    yield deployment.base_url.host
    if deployment.authorization is not None:
        header = deployment.authorization.decode("latin-1")
        yield header
        yield header.rpartition(" ")[2]
