"""What keeps read models going when wake-ups get lost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from application.eventlog import LogUnavailable, RecordedEvent
from projections.follower import Follower
from projections.poller import Poller
from tests.histories import ListLog, history
from tests.projections.facts import with_poison
from tests.projections.lab import Lab
from tests.waiting import until


@contextmanager
def _polling(lab: Lab, poke: Callable[[str], bool]) -> Iterator[Poller]:
    stop = threading.Event()
    follower = Follower(lab.runner(), clock=lab.clock, stop=stop)
    poller = Poller(follower, store=lab.log, poke=poke, stop=stop)
    poller.start()
    try:
        yield poller
    finally:
        stop.set()
        poller.join()


def test_new_events_wake_a_worker(lab: Lab) -> None:
    """The watch pokes a read model as long as it is behind the log, and none that is not."""
    lab.log.extend(history(1, steps=10))
    lab.runner().catch_up("balances")
    poked: list[str] = []

    def poke(name: str) -> bool:
        poked.append(name)
        return True

    with lab.runner().session("request_log"), _polling(lab, poke):
        until(lambda: poked[-3:] == ["request_log"] * 3)


def test_lost_wake_ups_are_made_up_for(lab: Lab) -> None:
    """Nobody acts on the wake-ups: the poll takes everything all the same, again and again."""
    with _polling(lab, lambda _name: True):
        for seed in (1, 2):
            lab.log.extend(history(seed, steps=50))
            until(lambda: {lab.position(name) for name in lab.projections} == {lab.log.head_position()})


def test_without_redis_the_poll_is_woken_instead(lab: Lab) -> None:
    """A poke that fails sends the poll at once; F17: projecting goes on."""
    with _polling(lab, lambda _name: False):
        lab.log.extend(history(1, steps=50))
        until(lambda: {lab.position(name) for name in lab.projections} == {lab.log.head_position()})


class AwayLog(ListLog):
    """A log that cannot be reached until it can."""

    is_away = True

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        if self.is_away:
            raise LogUnavailable("away")
        return super().read_log(after_position=after_position, limit=limit)

    def head_position(self) -> int:
        if self.is_away:
            raise LogUnavailable("away")
        return super().head_position()


def test_nothing_is_asked_while_all_are_followed(lab: Lab) -> None:
    """The watch costs nothing while followers are at work."""

    class Followed(Follower):
        def unattended(self) -> list[str]:
            looked.set()
            return []

    class NeverAsked(ListLog):
        def head_position(self) -> int:
            raise AssertionError

    lab.log, looked, stop = NeverAsked(), threading.Event(), threading.Event()
    follower = Followed(lab.runner(), clock=lab.clock, stop=stop)
    poller = Poller(follower, store=lab.log, poke=lambda _: True, stop=stop)
    poller.start()
    try:
        assert looked.wait(60)
    finally:
        stop.set()
        poller.join()


def test_trouble_is_told_once_and_its_end_too(lab: Lab) -> None:
    """A database that is away fills no log with lines, and is waited for."""
    lab.log = log = AwayLog(history(1, steps=20))
    with capture_logs() as lines, _polling(lab, lambda _name: False) as poller:
        until(lambda: [line["event"] for line in lines] == ["projection_waits"] * 2)
        for _ in range(3):
            assert not poller.guarded(lab.runner().catch_up, "balances")  # type: ignore[arg-type]  # truth is enough
        assert len(lines) == 2
        log.is_away = False
        until(lambda: {lab.position(name) for name in lab.projections} == {log.head_position()})
        until(lambda: len(lines) == 4)
    assert [line["event"] for line in lines[2:]] == ["projection_goes_on"] * 2
    assert {line["error"] for line in lines[:2]} == {"LogUnavailable"}


@pytest.mark.parametrize(
    ("change", "error"), [("version = 0", "Outdated"), ("name = 'gone'", "NotInstalled")]
)
def test_a_read_model_that_waits_for_the_operator_stops_no_other(lab: Lab, change: str, error: str) -> None:
    """Outdated or missing tables: said once, and the others go on."""
    with lab.pool.connection() as connection:
        connection.execute(f"UPDATE projections SET {change} WHERE name = 'balances'")
    with capture_logs() as lines, _polling(lab, lambda _name: False):
        for seed in (1, 2, 3):
            lab.log.extend(history(seed, steps=20))
            until(lambda: lab.position("request_log") == lab.log.head_position())
    waits = [(line["projection"], line["error"]) for line in lines if line["event"] == "projection_waits"]
    assert waits == [("balances", error)]


def test_a_poisoned_event_stops_one_read_model_only(lab: Lab) -> None:
    """The other goes on, also with what comes later; the alarm stands, and the log says it once."""
    events, _ = with_poison(history(11, steps=300), nth=20)
    lab.log.extend(events)
    with capture_logs() as lines, _polling(lab, lambda _name: False):
        until(lambda: [status.name for status in lab.service().status() if status.stopped] == ["request_log"])
        for seed in (1, 2):
            lab.log.extend(history(seed, steps=20))
            until(lambda: lab.position("balances") == lab.log.head_position())
    assert lab.position("request_log") < lab.log.head_position()
    assert [line["projection"] for line in lines if line["event"] == "projection_stopped"] == ["request_log"]


def test_a_fault_of_ours_is_told_with_its_place(lab: Lab) -> None:
    """Whatever a turn raises, the thread lives on."""

    def broken(_name: str) -> bool:
        raise ZeroDivisionError

    stop = threading.Event()
    poller = Poller(
        Follower(lab.runner(), clock=lab.clock, stop=stop), store=lab.log, poke=lambda _: True, stop=stop
    )
    with capture_logs() as lines:
        assert not poller.guarded(broken, "balances")
    assert [(line["event"], line["exc_info"]) for line in lines] == [("projection_broke", True)]
