"""Calls an alias' deployments in order until one answers, and records every attempt.

Moves on only while nothing has gone to the client, and never for what is the client's own mistake.
"""

import time
from typing import Final

import msgspec

from application.clock import Clock
from application.dialects.port import Asked
from application.directory_views import Candidate, DeploymentView
from application.gateway.calling import (
    Opened,
    fits,
    request_id_of,
    request_to,
    seconds,
    secrets_of,
    unsupported,
)
from application.gateway.pace import paced
from application.gateway.refused import Refused
from application.routing.fall_over import cause_of
from application.routing.scores import Scores
from application.speech.port import Asking, Endpoint, Speech
from application.upstream import Upstream, UpstreamClosed, UpstreamError, UpstreamResponse, UpstreamTooSlow
from application.wire.errors import InvalidRequest
from application.wire.relay import Fault
from application.wire.upstream_errors import UpstreamFailure, classify, classify_exception
from application.wire.usage import Usage
from domain.ledger.events import Attempt, PassedOver

ERROR_BYTES_MAX: Final = 64 * 1024
_OK: Final = 200


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in seconds and sizes in bytes; a deployment's own durations win."""

    connect_s: float
    first_byte_s: float
    idle_s: float
    total_s: float
    answer_bytes_max: int = 64 * 1024 * 1024
    attempts_max: int = 6
    begin_s: float = 120.0  #: after it no further attempt begins


class _Begun(msgspec.Struct):
    """The attempt that is under way; it has a response once its head has come."""

    deployment: DeploymentView
    started_us: int
    started_s: float
    response: UpstreamResponse | None = None
    first_byte_s: float | None = None


class Attempts:
    """The attempts of one request, in order."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        clock: Clock,
        limits: Limits,
        scores: Scores,
        passed_over: tuple[PassedOver, ...] = (),
        has_other_models: bool = False,
        requires_all: bool = False,
    ) -> None:
        self.records: list[Attempt] = []
        self.passed_over = passed_over
        self.upstream_s = 0.0  #: time spent waiting for answers to begin
        self._upstream = upstream
        self._clock = clock
        self._limits = limits
        self._scores = scores
        self._has_other_models = has_other_models
        self._requires_all = requires_all
        self._candidate: Candidate | None = None
        self._unsayable: InvalidRequest | None = None
        self._failure: UpstreamFailure | None = None
        self._begun: _Begun | None = None

    async def call(self, candidate: Candidate, endpoint: Endpoint, asking: Asking) -> Opened | None:
        """Call one deployment; None when it failed and another may be tried.

        Raises:
            Refused: it failed for a reason that no other deployment would change.
        """
        speech = endpoint.speak(asking, candidate.deployment)
        asked = self._asked(candidate.deployment, speech)
        if asked is None:
            return None
        deployment = candidate.deployment
        timeouts, limits = deployment.timeouts, self._limits
        started_us, started_s = self._clock.now_us(), time.monotonic()
        self._candidate, is_stream = candidate, asking.head.stream
        begun = self._begun = _Begun(deployment, started_us, started_s)
        self._scores.begun(candidate)
        try:
            answered = await self._upstream.send(
                request_to(deployment, asked, asking),
                connect_s=seconds(timeouts.connect_ms, limits.connect_s),
                first_byte_s=seconds(timeouts.first_byte_ms, limits.first_byte_s),
                total_s=seconds(timeouts.total_ms, limits.total_s),
            )
        except UpstreamError as error:
            self._count(started_s)
            self.fail(deployment, classify_exception(error), started_us=started_us, started_s=started_s)
            return None
        first_byte_s = self._count(started_s)
        begun.response = response = paced(answered, timeouts)
        begun.first_byte_s = first_byte_s
        opened = Opened(
            candidate=candidate,
            deployment=deployment,
            speech=speech,
            asked=asked,
            response=response,
            started_us=started_us,
            started_s=started_s,
            first_byte_s=first_byte_s,
            status=response.status,
            streams=is_stream,
        )
        if response.status == _OK and (not is_stream or fits(opened)):
            return opened
        await self._refused(opened)
        return None

    def _asked(self, deployment: DeploymentView, speech: Speech) -> Asked | None:
        """What is sent; none if this deployment cannot be asked for it."""
        try:
            asked = speech.ask()
        except InvalidRequest as unsayable:
            self._unsayable = unsayable
        else:
            if not (self._requires_all and asked.dropped):
                return asked
            self._unsayable = unsupported(asked.dropped[0])
        self._pass_over(deployment, "cannot")
        return None

    def may_begin(self, started_s: float) -> bool:
        """Whether there is a try and time left for another attempt of a request that began then."""
        limits = self._limits
        return len(self.records) < limits.attempts_max and time.monotonic() - started_s < limits.begin_s

    def is_out(self, candidate: Candidate) -> bool:
        """Whether the last failure was such that this one would not help: another credential, or the same model."""
        failure, last = self._failure, self._candidate
        if failure is None or last is None:
            return False
        if last.deployment.deployment_id == candidate.deployment.deployment_id:
            return failure.kind not in ("auth", "funds", "rate")
        cause = cause_of(failure)
        return cause is not None and last.alias == candidate.alias and cause not in last.fall_over_on

    def _may_change(self, failure: UpstreamFailure) -> bool:
        """Whether another deployment, or another model that the client named, may do what this one refused."""
        cause = cause_of(failure)
        if cause is None or self._candidate is None:
            return False
        return self._has_other_models or cause in self._candidate.fall_over_on

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
            secrets=secrets_of(deployment),
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
        if self._candidate is not None:
            self._scores.failed(self._candidate, failure, status=status)
        if not (failure.may_fail_over or self._may_change(failure)):
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
            upstream_request_id=None if response is None else request_id_of(response),
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
            upstream_request_id=request_id_of(opened.response),
        )

    def score(self, opened: Opened, usage: Usage | None) -> None:
        """The answer came whole."""
        self._scores.succeeded(
            opened.candidate,
            first_byte_s=opened.first_byte_s,
            total_s=time.monotonic() - opened.started_s,
            tokens=0 if usage is None else usage.output,
        )

    def broke_off(self, opened: Opened, fault: Fault | None) -> None:
        """The answer broke within, or was left, when it was too late for another deployment."""
        error = UpstreamTooSlow() if fault == "too_slow" else UpstreamClosed("mid-stream")
        self._scores.failed(opened.candidate, classify_exception(error), status=opened.status)

    def idle_s(self, opened: Opened) -> float:
        """How long this upstream may be silent within its answer."""
        return seconds(opened.deployment.timeouts.idle_ms, self._limits.idle_s)

    def refusal(self) -> Refused:
        """What the client is told when no deployment is left."""
        failure, unsayable = self._failure, self._unsayable
        if failure is None and unsayable is not None:
            return Refused(unsayable.code, unsayable.message, param=unsayable.param)
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
        begun, self._begun = self._begun, None
        first_byte_s = None if begun is None else begun.first_byte_s
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
                credential_id=deployment.credential_id,
                first_byte_ms=None if first_byte_s is None else int(first_byte_s * 1000),
            )
        )

    def _pass_over(self, deployment: DeploymentView, reason: str) -> None:
        passed = PassedOver(
            deployment_id=deployment.deployment_id, provider=deployment.provider, reason=reason
        )
        self.passed_over = (*self.passed_over, passed)

    def _count(self, started_s: float) -> float:
        """Time since then; it counts as the upstream's."""
        waited_s = time.monotonic() - started_s
        self.upstream_s += waited_s
        return waited_s
