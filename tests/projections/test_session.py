"""What a read model does when an event, the log or its own tables are not as they should be."""

from collections.abc import Sequence

import psycopg
import pytest

from application.eventlog import LogUnavailable, RecordedEvent
from application.projections import UnknownProjection
from domain.topics import REGISTRY
from projections.balances import Balances
from projections.projection import Connection, Located, Write
from projections.runner import STOPPED_S
from projections.session import Outdated, ProjectionFailed, Session
from projections.tail import OutOfOrder, PlainReader, Selector
from tests.histories import ListLog, history
from tests.projections.facts import with_poison
from tests.projections.lab import Lab


@pytest.fixture
def poisoned(lab: Lab) -> int:
    """A log in which `request_log` cannot take one event; its position."""
    events, index = with_poison(history(11, steps=300), nth=20)
    lab.start_over(events)
    return lab.log.events[index].position


def test_a_poisoned_event_stops_one_read_model_in_front_of_it(lab: Lab, poisoned: int) -> None:
    """Everything before it is in, nothing behind it, it is named in the alarm, and the others go on."""
    with pytest.raises(ProjectionFailed):
        lab.runner(batch_events=100).catch_up("request_log")
    lab.runner().catch_up("balances")

    assert lab.position("request_log") < poisoned
    assert not [e for e in lab.log.events if lab.position("request_log") < e.position < poisoned]
    assert lab.position("balances") == lab.log.head_position()
    statuses = {status.name: status for status in lab.service().status()}
    stopped = statuses["request_log"].stopped
    assert stopped
    assert (stopped.position, stopped.error, stopped.tries) == (poisoned, "NumericValueOutOfRange 22003", 1)
    assert statuses["balances"].stopped is None
    assert statuses["request_log"].events_behind > 0


def test_a_stopped_read_model_rests_then_tries_again(lab: Lab, poisoned: int) -> None:
    """It is left alone for a while, then tried again and counted; it never gets past the event."""
    runner = lab.runner()
    with pytest.raises(ProjectionFailed):
        runner.catch_up("request_log")
    stands = lab.position("request_log")
    assert runner.catch_up("request_log") == 0
    lab.clock.move(STOPPED_S + 1)
    with pytest.raises(ProjectionFailed):
        runner.catch_up("request_log")
    stopped = next(status.stopped for status in lab.service().status() if status.name == "request_log")
    assert stopped
    assert (stopped.position, stopped.tries) == (poisoned, 2)
    assert lab.position("request_log") == stands


def test_once_mended_it_goes_on_and_the_alarm_ends(lab: Lab, poisoned: int) -> None:
    """Code that can take the event takes it, and the rows equal those of a read model that never stopped."""
    with pytest.raises(ProjectionFailed):
        lab.runner().catch_up("request_log")
    lab.log = ListLog(history(11, steps=300))
    lab.catch_up()
    assert all(status.stopped is None for status in lab.service().status())
    grown = lab.hashes()["request_log"]
    assert lab.rebuild("request_log") == grown


def test_the_log_must_not_go_back(lab: Lab) -> None:
    """P08: an event at or below the checkpoint stops the read model and writes nothing."""

    class GoingBack(ListLog):
        def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
            return super().read_log(after_position=max(0, after_position - 6), limit=limit)

    lab.start_over(history(5, steps=50))
    lab.catch_up(batch_events=20)
    before = lab.hashes()
    log = GoingBack()
    log.events = lab.log.events
    lab.log = log
    with pytest.raises(ProjectionFailed) as failure:
        lab.runner().catch_up("balances")
    assert isinstance(failure.value.__cause__, OutOfOrder)
    assert lab.hashes() == before


def test_a_log_that_is_away_is_no_failure_of_the_read_model(lab: Lab) -> None:
    """A log that cannot be read stops nothing for good: no alarm, and the next turn goes on."""

    class Away(ListLog):
        def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
            raise LogUnavailable("away")

    lab.log = Away()
    with pytest.raises(LogUnavailable):
        lab.runner().catch_up("balances")
    lab.start_over(history(5, steps=20))
    lab.catch_up()
    assert all(status.stopped is None and status.events_behind == 0 for status in lab.service().status())


def test_two_sessions_never_take_the_same_batch(lab: Lab) -> None:
    """Even without a lock: the second, at the same position, finds it moved, writes nothing, and goes on from there."""
    lab.start_over(history(9, steps=200))
    with lab.pool.connection() as one, lab.pool.connection() as another:
        first, second = _unlocked(lab, one), _unlocked(lab, another)
        assert first.position == second.position == 0
        while first.position < lab.log.head_position():
            first.step()
            second.step()
    grown = lab.hashes()["balances"]
    assert lab.rebuild("balances") == grown


def _unlocked(lab: Lab, connection: Connection) -> Session:
    return Session(
        connection,
        lab.projections["balances"],
        reader=PlainReader(lab.log),
        selector=Selector(REGISTRY),
        clock=lab.clock,
        batch_events=20,
    )


def test_tables_of_another_version_are_not_written(lab: Lab) -> None:
    """Old code beside a newer read model, or new code before its rebuild, stops and leaves the rows."""
    lab.start_over(history(9, steps=30))
    with lab.pool.connection() as connection:
        connection.execute("UPDATE projections SET version = version + 1 WHERE name = 'balances'")
    with pytest.raises(Outdated):
        lab.runner().catch_up("balances")
    assert lab.position("balances") == 0
    assert [status.name for status in lab.service().status() if status.is_outdated] == ["balances"]


def test_unknown_names_are_refused(lab: Lab) -> None:
    """A name that is not in the registry is an error, not a new read model."""
    with pytest.raises(UnknownProjection):
        lab.runner().catch_up("nonsense")
    with pytest.raises(UnknownProjection):
        lab.service().rebuild("nonsense")
    with pytest.raises(UnknownProjection):
        lab.service().content_hash("nonsense")


def test_only_one_session_at_a_time_has_a_read_model(lab: Lab) -> None:
    """While one works, the others are sent away at once; other read models are not affected."""
    runner = lab.runner()
    with (
        runner.session("balances") as first,
        runner.session("balances") as second,
        runner.session("request_log") as other,
    ):
        assert first is not None
        assert second is None
        assert other is not None
    with runner.session("balances") as again:
        assert again is not None


class Dying(Balances):
    """Its connection is cut while the statement that stores a batch is at work."""

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        suicide = (
            "INSERT INTO {schema}.open_holds SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), "
            "pg_terminate_backend(pg_backend_pid())::int, 1 FROM generate_series(1, 1000) WHERE {moved}"
        )
        return [*super().fold(connection, schema, facts), Write(suicide, ())]


def test_a_connection_that_dies_in_a_batch_takes_all_of_it_along(lab: Lab) -> None:
    """The backend ends before the commit: position and rows are as before, and the next turn does it."""
    lab.start_over(history(9, steps=100))
    lab.step(batch_events=50)
    before = lab.hashes()["balances"]
    lab.projections["balances"] = Dying()
    with pytest.raises(psycopg.OperationalError):
        lab.runner().catch_up("balances")
    lab.projections["balances"] = Balances()
    assert lab.hashes()["balances"] == before
    lab.catch_up()
    grown = lab.hashes()["balances"]
    assert grown.position == lab.log.head_position()
    assert lab.rebuild("balances") == grown
