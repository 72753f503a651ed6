"""Rebuilding all read models in one pass, and comparing what is in use with what the log makes."""

import pytest

from application.eventlog import RecordedEvent
from application.projections import RebuildRunning
from projections import generations
from tests.histories import ListLog, history
from tests.projections.lab import Lab


class CountingLog(ListLog):
    """Counts how many events were read from it."""

    def __init__(self, log: ListLog) -> None:
        super().__init__()
        self.events = log.events
        self.read = 0

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        found = super().read_log(after_position=after_position, limit=limit)
        self.read += len(found)
        return found


def test_all_of_them_rebuilt_in_one_pass_are_what_grew(whole: Lab) -> None:
    """P10, for every read model of the registry; the log is read once."""
    whole.start_over(history(12, steps=400))
    whole.catch_up(batch_events=53)
    grown = whole.hashes()
    whole.log = log = CountingLog(whole.log)
    assert whole.service().rebuild_all() == grown
    assert whole.hashes() == grown
    assert log.read == len(log.events)
    assert {status.generation for status in whole.service().status()} == {2}


def test_one_that_is_being_rebuilt_keeps_all_of_them_waiting(whole: Lab) -> None:
    """Nothing is built then, and no lock is left behind."""
    whole.start_over(history(12, steps=50))
    with whole.pool.connection() as connection:
        key = generations.lock_key("rebuild", "usage")
        connection.execute("SELECT pg_advisory_lock(%s)", [key])
        with pytest.raises(RebuildRunning):
            whole.service().rebuild_all()
        connection.execute("SELECT pg_advisory_unlock(%s)", [key])
    assert set(whole.service().rebuild_all()) == set(whole.projections)


@pytest.mark.parametrize("name", ["balances", "statement"])
def test_a_comparison_finds_a_row_that_is_wrong(whole: Lab, name: str) -> None:
    """It says equal, then different once a row was changed; what is in use stays in use."""
    whole.start_over(history(12, steps=200))
    whole.catch_up()
    found = whole.service().compare(name)
    assert found.is_equal
    assert found.live == whole.hashes()[name]
    table, column = {
        "balances": ("balances", "granted_nano"),
        "statement": ("statement_days", "change_nano"),
    }[name]
    with whole.pool.connection() as connection:
        connection.execute(f"UPDATE rm_{name}_1.{table} SET {column} = {column} + 1")
    assert not whole.service().compare(name).is_equal
    with whole.pool.connection() as connection:
        assert generations.require(connection, name).generation == 1
        assert generations.leftovers(connection, name, in_use=1) == []


def test_a_comparison_is_of_one_position(whole: Lab) -> None:
    """A log that has gone on beyond the read model in use makes no difference."""
    events = history(12, steps=200)
    whole.start_over(events[:100])
    whole.catch_up()
    whole.log.extend(events[100:])
    found = whole.service().compare("usage")
    assert found.is_equal
    assert found.rebuilt.position == whole.position("usage") < whole.log.head_position()
