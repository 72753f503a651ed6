"""Keeps the score of a process: what attempts tell of deployments and credentials, and how fast they were."""

from typing import Final

from application.clock import Clock
from application.directory_views import Candidate, DeploymentView
from application.routing.health import Health
from application.routing.speed import Speeds
from application.wire.upstream_errors import UpstreamFailure

REST_S: Final = 5.0
REST_S_MAX: Final = 300.0
"""How long a credential rests whose provider limits its rate and does not say for how long; and at most."""
_THE_CREDENTIALS: Final = frozenset({"auth", "funds", "rate"})
_THE_CLIENTS: Final = frozenset({"bad_request", "content_filter"})
_FORBIDDEN: Final = 403
"""Perhaps what one request asks for, a file, a beta or what a filter dislikes: no proof against a credential of all."""


class Scores:
    """Told of every attempt. Belongs to the event loop."""

    def __init__(self, *, health: Health, speeds: Speeds, clock: Clock) -> None:
        self._health = health
        self._speeds = speeds
        self._clock = clock

    def begun(self, candidate: Candidate) -> None:
        """A deployment is tried."""
        if candidate.is_trial:
            self._health.take_trial(candidate.deployment.deployment_id)

    def failed(self, candidate: Candidate, failure: UpstreamFailure, *, status: int) -> None:
        """It failed. What is the credential's does not count against the deployment: another may serve it.

        A trial always decides: a deployment that refuses a client's mistake is well.
        """
        deployment = candidate.deployment
        is_credentials = (
            deployment.credential_id is not None
            and failure.kind in _THE_CREDENTIALS
            and not (failure.kind == "auth" and status == _FORBIDDEN)
        )
        if is_credentials:
            self._credential_failed(deployment, failure, status)
        if candidate.is_trial and failure.kind in _THE_CLIENTS:
            self._health.succeeded(deployment.deployment_id, was_trial=True)
        elif candidate.is_trial or (failure.counts_against_breaker and not is_credentials):
            self._health.failed(deployment.deployment_id, failure.kind, was_trial=candidate.is_trial)

    def succeeded(self, candidate: Candidate, *, first_byte_s: float, total_s: float, tokens: int) -> None:
        """It answered; `tokens` are those of its answer."""
        deployment_id = candidate.deployment.deployment_id
        self._health.succeeded(deployment_id, was_trial=candidate.is_trial)
        spoke_s = max(total_s - first_byte_s, 0.001)
        self._speeds.add(
            deployment_id,
            first_byte_s=first_byte_s,
            tokens_s=tokens / spoke_s,
            now_s=self._clock.monotonic_s(),
        )

    def _credential_failed(self, deployment: DeploymentView, failure: UpstreamFailure, status: int) -> None:
        credential_id = deployment.credential_id
        assert credential_id is not None
        if failure.kind == "rate":
            wait_s = REST_S if failure.retry_after_s is None else failure.retry_after_s
            self._health.rest(credential_id, min(wait_s, REST_S_MAX))
        elif failure.kind in ("auth", "funds"):
            self._health.credential_failed(
                credential_id,
                secret_version=deployment.secret_version,
                cause="auth" if failure.kind == "auth" else "funds",
                status=status,
            )
