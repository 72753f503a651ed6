"""Read models of an earlier version of the code are built anew by workers; those of a later one are left alone."""

import threading
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from application.eventlog import RecordedEvent
from projections.balances import Balances
from projections.generations import lock_key, require
from projections.mending import REST_S, Mending
from tests.histories import ListLog, history
from tests.projections.lab import Lab


class NextBalances(Balances):
    """As the next release has it."""

    version: ClassVar[int] = Balances.version + 1


class BrokenLog(ListLog):
    """A log that cannot be read to the end."""

    tries = 0

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        self.tries += 1
        raise ValueError("broken")


def _mending(lab: Lab) -> Mending:
    return Mending(lab.service(), clock=lab.clock, stop=threading.Event())


def _standing(lab: Lab, name: str) -> tuple[int, int]:
    with lab.pool.connection() as connection:
        found = require(connection, name)
    return found.version, found.generation


def test_an_upgrade_is_followed_by_a_rebuild(lab: Lab) -> None:
    """What the release has changed is built anew, once; nothing else is."""
    lab.start_over(history(3, steps=50))
    lab.catch_up()
    lab.projections["balances"] = NextBalances()
    assert _mending(lab).round() == 1
    assert _standing(lab, "balances") == (NextBalances.version, 2)
    assert _standing(lab, "request_log")[1] == 1
    assert _mending(lab).round() == 0


def test_workers_of_two_versions_do_not_undo_each_other(lab: Lab) -> None:
    """A rolling update: the worker of the earlier version leaves the later tables alone."""
    earlier = _mending(lab)
    lab.projections["balances"] = NextBalances()
    _mending(lab).round()
    assert earlier.round() == 0
    assert _standing(lab, "balances") == (NextBalances.version, 2)


def test_a_rebuild_that_fails_rests_and_is_tried_again(lab: Lab) -> None:
    """What is in use stays; the log is not read over and over."""
    lab.projections["balances"] = NextBalances()
    lab.log = broken = BrokenLog()
    mending = _mending(lab)
    with capture_logs() as lines:
        assert (mending.round(), mending.round()) == (0, 0)
    assert [one["event"] for one in lines if one["log_level"] == "error"] == ["projection_upgrade_failed"]
    assert broken.tries == 1
    assert _standing(lab, "balances") == (Balances.version, 1)
    lab.clock.move(REST_S)
    with capture_logs():
        mending.round()
    assert broken.tries == 2


def test_a_worker_that_stops_leaves_the_rebuild(lab: Lab) -> None:
    """The next one begins anew; what is in use stays."""
    lab.start_over(history(3, steps=20))
    lab.projections["balances"] = NextBalances()
    stop = threading.Event()

    class StoppingLog(ListLog):
        def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
            stop.set()
            return super().read_log(after_position=after_position, limit=limit)

    lab.log = StoppingLog(history(3, steps=20), pace_us=1)
    assert Mending(lab.service(), clock=lab.clock, stop=stop).round() == 0
    assert _standing(lab, "balances") == (Balances.version, 1)
    stop.clear()
    lab.log = ListLog(history(3, steps=20), pace_us=1)
    assert _mending(lab).round() == 1


@pytest.mark.parametrize("is_running", [True, False])
def test_one_worker_is_enough(lab: Lab, *, is_running: bool) -> None:
    """While another one is at it, this one goes on with other things."""
    lab.projections["balances"] = NextBalances()
    service = lab.service()
    with lab.pool.connection() as connection:
        if is_running:
            connection.execute("SELECT pg_advisory_lock(%s)", [lock_key("rebuild", "balances")])
        try:
            assert Mending(service, clock=lab.clock, stop=threading.Event()).round() == (not is_running)
        finally:
            connection.execute("SELECT pg_advisory_unlock_all()")
