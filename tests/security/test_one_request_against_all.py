"""What a provider refuses one request does not take its credential away from all others."""

from uuid import UUID

import pytest

from application.directory_views import Candidate
from application.routing.health import CONSECUTIVE_MAX, Health
from application.routing.scores import Scores
from application.routing.speed import Speeds
from application.wire.upstream_errors import classify
from tests.application.routing.views import deployment
from tests.fakes import ManualClock

CREDENTIAL = UUID(int=77)
FORBIDDEN = (
    b"<html>blocked by a firewall</html>",
    b'{"error":{"code":403,"message":"You do not have permission to access the File x","status":"PERMISSION_DENIED"}}',
    b'{"type":"error","error":{"type":"permission_error","message":"This beta is not enabled."}}',
)


def _scores() -> tuple[Scores, Health, Candidate]:
    clock = ManualClock()
    health = Health(instance_id=UUID(int=1), clock=clock)
    candidate = Candidate(deployment(1, credential_id=CREDENTIAL, secret_version=1))
    return Scores(health=health, speeds=Speeds(), clock=clock), health, candidate


@pytest.mark.parametrize("body", FORBIDDEN, ids=["firewall", "file", "beta"])
def test_a_request_that_is_forbidden_does_not_kill_the_credential(body: bytes) -> None:
    """One customer's film that Google may not show put every customer of that credential out of service."""
    scores, health, candidate = _scores()
    scores.failed(candidate, classify(403, (), body), status=403)
    assert not health.is_dead(CREDENTIAL, 1)
    assert health.breaker(candidate.deployment.deployment_id).passes


def test_a_credential_that_may_nothing_is_left_alone_by_the_breaker() -> None:
    """If nothing is allowed any more, the deployment is passed over after as many failures as of any other kind."""
    scores, health, candidate = _scores()
    for _ in range(CONSECUTIVE_MAX):
        scores.failed(candidate, classify(403, (), b""), status=403)
    assert not health.breaker(candidate.deployment.deployment_id).passes


def test_a_key_that_is_wrong_is_set_aside_at_once() -> None:
    """401 says nothing of the request."""
    scores, health, candidate = _scores()
    scores.failed(candidate, classify(401, (), b""), status=401)
    assert health.is_dead(CREDENTIAL, 1)
