"""What one process knows of deployments and credentials, and what it tells the others."""

from uuid import UUID

import msgspec
import pytest

from application.routing.health import CONSECUTIVE_MAX, RATIO_REQUESTS_MIN, Health
from domain.health.breaker import BREAKER_EVENTS, breaker_stream
from domain.health.credential import CONDITION_EVENTS, condition_stream
from domain.topics import REGISTRY
from tests.fakes import ManualClock, MemoryEventStore

DEPLOYMENT, CREDENTIAL = UUID(int=1), UUID(int=2)


class Process:
    """A board, with the log that it shares."""

    def __init__(self, number: int, store: MemoryEventStore, clock: ManualClock) -> None:
        self.health = Health(instance_id=UUID(int=number), clock=clock)
        self._store = store
        self._read = 0

    def tell(self) -> None:
        """Settle what it proposes."""
        while self.health.proposals:
            self.health.proposals.popleft()(self._store)

    def listen(self) -> None:
        """Follow the log, as the directory does."""
        for recorded in self._store.read_control(after_position=self._read, limit=1000):
            self._read = recorded.position
            event = REGISTRY.decode(recorded.topic, recorded.state)
            if isinstance(event, BREAKER_EVENTS):
                self.health.on_breaker(event)  # type: ignore[arg-type]
            elif isinstance(event, CONDITION_EVENTS):
                self.health.on_condition(event)  # type: ignore[arg-type]


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryEventStore()
        self.one, self.two = (Process(number, self.store, self.clock) for number in (11, 12))

    def story(self, stream_id: UUID) -> list[str]:
        return [one.topic.removesuffix(".v1") for one in self.store.read_stream(stream_id)]

    def share(self) -> None:
        for process in (self.one, self.two):
            process.tell()
        for process in (self.one, self.two):
            process.listen()


@pytest.fixture
def world() -> World:
    return World()


def fail_often(process: Process, times: int = CONSECUTIVE_MAX) -> None:
    for _ in range(times):
        process.health.failed(DEPLOYMENT, "timeout", was_trial=False)


def test_failures_in_a_row_open_a_breaker_at_once_and_then_everywhere(world: World) -> None:
    """The process that saw them does not wait for the log; the other one reads of it."""
    fail_often(world.one, CONSECUTIVE_MAX - 1)
    assert world.one.health.breaker(DEPLOYMENT).passes
    fail_often(world.one, 1)
    assert not world.one.health.breaker(DEPLOYMENT).passes
    assert world.two.health.breaker(DEPLOYMENT).passes
    world.share()
    assert not world.two.health.breaker(DEPLOYMENT).passes
    assert not world.two.health.is_all_well
    assert world.story(breaker_stream(DEPLOYMENT)) == ["breaker.opened"]


def test_two_processes_that_see_one_outage_tell_of_it_once(world: World) -> None:
    """The second finds the breaker open."""
    fail_often(world.one)
    fail_often(world.two)
    world.share()
    assert world.story(breaker_stream(DEPLOYMENT)) == ["breaker.opened"]


def test_a_share_of_failures_opens_a_breaker_only_among_enough_requests(world: World) -> None:
    """Half of two says nothing."""
    health = world.one.health
    for number in range(RATIO_REQUESTS_MIN - 1):
        if number % 2:
            health.succeeded(DEPLOYMENT, was_trial=False)
        else:
            health.failed(DEPLOYMENT, "unknown", was_trial=False)
        assert health.breaker(DEPLOYMENT).passes
    health.failed(DEPLOYMENT, "unknown", was_trial=False)
    assert not health.breaker(DEPLOYMENT).passes


def test_what_happened_long_ago_does_not_count(world: World) -> None:
    """The share is of the window."""
    health = world.one.health
    for _ in range(RATIO_REQUESTS_MIN):
        health.failed(DEPLOYMENT, "unknown", was_trial=False)
        health.succeeded(DEPLOYMENT, was_trial=False)
        world.clock.move(10)
    assert health.breaker(DEPLOYMENT).passes


def test_a_success_that_began_before_does_not_close_a_breaker(world: World) -> None:
    """Only a trial's does."""
    fail_often(world.one)
    world.one.health.succeeded(DEPLOYMENT, was_trial=False)
    assert not world.one.health.breaker(DEPLOYMENT).passes


def test_the_log_of_an_outage_reads_like_its_story(world: World) -> None:
    """Opened, tried in vain, tried again, closed; the other process follows."""
    health = world.one.health
    fail_often(world.one)
    world.share()
    world.clock.move(11)
    assert health.breaker(DEPLOYMENT).wants_trial(world.clock.now_us())
    health.take_trial(DEPLOYMENT)
    health.failed(DEPLOYMENT, "timeout", was_trial=True)
    world.share()
    world.clock.move(21)
    health.take_trial(DEPLOYMENT)
    world.share()
    assert not world.two.health.breaker(DEPLOYMENT).wants_trial(world.clock.now_us())
    health.succeeded(DEPLOYMENT, was_trial=True)
    world.share()
    assert world.story(breaker_stream(DEPLOYMENT)) == [
        "breaker.opened",
        "breaker.half-opened",
        "breaker.opened",
        "breaker.half-opened",
        "breaker.closed",
    ]
    assert world.one.health.is_all_well
    assert world.two.health.is_all_well


def test_of_two_processes_that_try_at_once_the_log_names_one(world: World) -> None:
    """Both requests went out; only one is told of, and both learn whose it was."""
    fail_often(world.one)
    world.share()
    world.clock.move(11)
    world.one.health.take_trial(DEPLOYMENT)
    world.two.health.take_trial(DEPLOYMENT)
    world.share()
    assert world.story(breaker_stream(DEPLOYMENT)) == ["breaker.opened", "breaker.half-opened"]


def test_a_refused_secret_is_dead_everywhere_until_it_recovers(world: World) -> None:
    """Another secret of the credential is not."""
    health = world.one.health
    health.credential_failed(CREDENTIAL, secret_version=1, cause="funds", status=402)
    assert health.is_dead(CREDENTIAL, 1)
    world.share()
    assert world.two.health.is_dead(CREDENTIAL, 1)
    assert not world.two.health.is_dead(CREDENTIAL, 2)
    world.two.health.credential_recovered(CREDENTIAL, "probe_succeeded")
    world.share()
    assert not health.is_dead(CREDENTIAL, 1)
    assert world.story(condition_stream(CREDENTIAL)) == [
        "credential-health.failed",
        "credential-health.recovered",
    ]


def test_a_limited_credential_rests_as_long_as_the_provider_asks(world: World) -> None:
    """In this process; that is no fact for the log."""
    health = world.one.health
    health.rest(CREDENTIAL, 5)
    assert health.is_resting(CREDENTIAL)
    assert not health.is_all_well
    world.clock.move(5)
    assert not health.is_resting(CREDENTIAL)
    assert health.is_all_well
    assert not health.is_resting(None)
    assert not health.proposals


def test_a_log_that_cannot_be_written_does_not_stop_the_process_from_acting(world: World) -> None:
    """It goes on by what it saw."""
    fail_often(world.one)
    world.one.health.proposals.clear()
    assert not world.one.health.breaker(DEPLOYMENT).passes
    assert msgspec.to_builtins(world.one.health.breaker(DEPLOYMENT))["opened_times"] == 1
