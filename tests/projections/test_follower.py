"""Following the end of the log."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from projections.follower import IDLE_S, Follower
from tests.histories import history
from tests.projections.lab import Lab
from tests.waiting import until


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def follower(lab: Lab, stop: threading.Event) -> Follower:
    """Its clock is moved by the test: without that, it never finds that nothing has come for a while."""
    return Follower(lab.runner(), clock=lab.clock, stop=stop)


@contextmanager
def _following(follower: Follower, name: str, stop: threading.Event) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=follower.follow, args=(name,))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def test_one_wake_up_is_enough_while_events_come(lab: Lab, follower: Follower, stop: threading.Event) -> None:
    """It stays and takes what comes; once nothing has come for a while it ends by itself."""
    lab.log.extend(history(1, steps=20))
    with _following(follower, "balances", stop) as thread:
        for seed in (2, 3, 4):
            until(lambda: lab.position("balances") == lab.log.head_position())
            lab.log.extend(history(seed, steps=20))
        until(lambda: lab.position("balances") == lab.log.head_position())
        assert thread.is_alive()
        assert follower.unattended() == ["request_log"]
        assert follower.position("balances") == lab.log.head_position()
        lab.clock.move(IDLE_S)
        until(lambda: not thread.is_alive())
    assert follower.unattended() == ["balances", "request_log"]


def test_being_asked_to_stop_ends_it(lab: Lab, follower: Follower, stop: threading.Event) -> None:
    """SIGTERM: it ends after its batch, although there might be more."""
    lab.log.extend(history(1, steps=20))
    with _following(follower, "balances", stop) as thread:
        until(lambda: follower.unattended() == ["request_log"])
        stop.set()
        until(lambda: not thread.is_alive())


def test_one_that_is_followed_elsewhere_is_left_alone(
    lab: Lab, follower: Follower, stop: threading.Event
) -> None:
    """Another process has it: neither wake-up nor poll waits, nor does anything twice."""
    lab.log.extend(history(1, steps=20))
    other = Follower(lab.runner(), clock=lab.clock, stop=stop)
    with _following(other, "balances", stop):
        until(lambda: other.unattended() == ["request_log"])
        assert not follower.follow("balances")
        assert not follower.catch_up("balances")
        assert follower.catch_up("request_log")


def test_catching_up_takes_all_there_is_and_returns(lab: Lab, follower: Follower) -> None:
    """A poll does not stay."""
    lab.log.extend(history(1, steps=300))
    assert follower.catch_up("balances")
    assert lab.position("balances") == follower.position("balances") == lab.log.head_position()
