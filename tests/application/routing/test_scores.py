"""What an attempt tells of the deployment and of the credential that it used."""

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


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.health = Health(instance_id=UUID(int=1), clock=self.clock)
        self.speeds = Speeds()
        self.scores = Scores(health=self.health, speeds=self.speeds, clock=self.clock)

    def fail(self, candidate: Candidate, status: int) -> None:
        self.scores.failed(candidate, classify(status, (), b""), status=status)

    def shut(self, candidate: Candidate) -> None:
        """Open its breaker and wait until it wants a trial."""
        for _ in range(CONSECUTIVE_MAX):
            self.fail(candidate, 500)
        self.clock.move(11)
        self.scores.begun(Candidate(candidate.deployment, is_trial=True))


@pytest.mark.parametrize(("status", "opens"), [(500, True), (503, True), (400, False), (404, False)])
def test_only_a_deployments_own_failures_open_its_breaker(status: int, *, opens: bool) -> None:
    """A client's mistakes, and a name that may come from a request, do not."""
    world, candidate = World(), Candidate(deployment(1))
    for _ in range(CONSECUTIVE_MAX):
        world.fail(candidate, status)
    assert world.health.breaker(candidate.deployment.deployment_id).passes is not opens


@pytest.mark.parametrize("status", [401, 402, 429])
def test_a_credentials_failure_is_not_the_deployments(status: int) -> None:
    """It is set aside or rests; another credential of the same deployment may serve."""
    world, candidate = World(), Candidate(deployment(1, credential_id=CREDENTIAL, secret_version=1))
    for _ in range(CONSECUTIVE_MAX):
        world.fail(candidate, status)
    assert world.health.breaker(candidate.deployment.deployment_id).passes
    assert world.health.is_resting(CREDENTIAL) is (status == 429)
    assert world.health.is_dead(CREDENTIAL, 1) is (status != 429)


@pytest.mark.parametrize(
    ("status", "state"), [(400, "closed"), (500, "open"), (404, "open"), (429, "open"), (401, "open")]
)
def test_every_trial_decides(status: int, state: str) -> None:
    """One that came upon a client's mistake shows that the deployment is well; nothing leaves the breaker half open."""
    world, candidate = World(), Candidate(deployment(1, credential_id=CREDENTIAL, secret_version=1))
    world.shut(candidate)
    world.fail(Candidate(candidate.deployment, is_trial=True), status)
    assert world.health.breaker(candidate.deployment.deployment_id).state == state


def test_speed_is_that_of_the_answer_after_its_beginning() -> None:
    """Ten tokens in a second, after half a second; known from the third answer on."""
    world, candidate = World(), Candidate(deployment(1))
    deployment_id = candidate.deployment.deployment_id
    for _ in range(3):
        world.scores.succeeded(candidate, first_byte_s=0.5, total_s=1.5, tokens=10)
    now_s = world.clock.monotonic_s()
    assert world.speeds.first_byte_s(deployment_id, now_s=now_s) == 0.5
    assert world.speeds.tokens_s(deployment_id, now_s=now_s) == 10
