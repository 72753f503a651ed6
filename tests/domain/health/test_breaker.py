"""Circuit breakers, from their facts."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.fact import Stamp
from domain.health import breaker as rules
from domain.health.breaker import (
    CLOSED,
    OPEN_S_MAX,
    TRIAL_S,
    Breaker,
    BreakerClosed,
    BreakerEvent,
    BreakerHalfOpened,
    BreakerOpened,
    OpenCause,
)
from tests.spec import Spec

DEPLOYMENT = UUID(int=1)
ME, OTHER = UUID(int=2), UUID(int=3)
S = 1_000_000
SPEC: Spec[Breaker] = Spec(rules.evolve, initial=CLOSED)


def at(second: int) -> Stamp:
    return Stamp(now_us=second * S, actor="system")


def opened(second: int, until: int, cause: OpenCause = "failure_ratio") -> BreakerOpened:
    return BreakerOpened(
        deployment_id=DEPLOYMENT,
        cause=cause,
        outcome="timeout",
        failures=5,
        requests=9,
        open_until_us=until * S,
        occurred_us=second * S,
        actor="system",
    )


def half_opened(second: int, instance_id: UUID = ME) -> BreakerHalfOpened:
    return BreakerHalfOpened(
        deployment_id=DEPLOYMENT, instance_id=instance_id, occurred_us=second * S, actor="system"
    )


def closed(second: int) -> BreakerClosed:
    return BreakerClosed(
        deployment_id=DEPLOYMENT, cause="trial_succeeded", occurred_us=second * S, actor="system"
    )


def trip(breaker: Breaker, second: int, cause: OpenCause = "failure_ratio") -> list[BreakerEvent]:
    return rules.trip(
        breaker,
        deployment_id=DEPLOYMENT,
        cause=cause,
        outcome="timeout",
        failures=5,
        requests=9,
        stamp=at(second),
    )


def try_out(breaker: Breaker, second: int, instance_id: UUID = ME) -> list[BreakerEvent]:
    return rules.try_out(breaker, deployment_id=DEPLOYMENT, instance_id=instance_id, stamp=at(second))


def close(breaker: Breaker, second: int) -> list[BreakerEvent]:
    return rules.close(breaker, deployment_id=DEPLOYMENT, cause="trial_succeeded", stamp=at(second))


def test_one_that_another_process_opened_is_not_opened_again() -> None:
    """Two processes see the same outage; the log tells of it once."""
    SPEC.given().when(lambda breaker: trip(breaker, 100)).then(opened(100, 110))
    SPEC.given(opened(100, 110)).when(lambda breaker: trip(breaker, 101)).then()


def test_it_lets_nothing_pass_until_its_time_and_one_trial_then() -> None:
    """The process that says so first has the trial; the other passes on."""
    open_ = SPEC.fold(opened(100, 110))
    assert not open_.passes
    SPEC.given(opened(100, 110)).when(lambda breaker: try_out(breaker, 109)).then()
    SPEC.given(opened(100, 110)).when(lambda breaker: try_out(breaker, 110)).then(half_opened(110))
    SPEC.given(opened(100, 110), half_opened(110)).when(lambda breaker: try_out(breaker, 111, OTHER)).then()
    assert not SPEC.fold(opened(100, 110), half_opened(110)).passes


def test_a_trial_that_nobody_tells_of_is_given_up() -> None:
    """Its process may be dead."""
    given_up = 110 + TRIAL_S
    SPEC.given(opened(100, 110), half_opened(110)).when(
        lambda breaker: try_out(breaker, given_up, OTHER)
    ).then(half_opened(given_up, OTHER))


def test_a_trial_decides() -> None:
    """A success closes, and forgets how often it was opened; a failure opens for longer."""
    trial = (opened(100, 110), half_opened(110))
    SPEC.given(*trial).when(lambda breaker: close(breaker, 111)).then(closed(111))
    assert SPEC.fold(*trial, closed(111)) == CLOSED
    SPEC.given(*trial).when(lambda breaker: trip(breaker, 111, "trial_failed")).then(
        opened(111, 131, "trial_failed")
    )


def test_a_late_failure_of_before_does_not_end_a_trial() -> None:
    """Only the trial itself says how it went."""
    SPEC.given(opened(100, 110), half_opened(110)).when(lambda breaker: trip(breaker, 111)).then()


def test_closing_twice_does_nothing() -> None:
    """As a probe and a trial may both succeed."""
    SPEC.given().when(lambda breaker: close(breaker, 1)).then()


@given(st.integers(0, 10**6))
def test_it_never_stays_open_longer_than_the_most(times: int) -> None:
    """However often the deployment failed."""
    assert 0 < rules.open_for(times) <= OPEN_S_MAX
    assert rules.open_for(times + 1) >= rules.open_for(times)
