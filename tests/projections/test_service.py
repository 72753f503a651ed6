"""How far read models are, and how that is measured."""

import pytest
from prometheus_client import CollectorRegistry

from application.projections import Projections, ProjectionStatus
from projections import generations
from projections.metrics import LagCollector
from projections.projection import Pool
from projections.registry import all_projections
from tests.histories import START_US, history
from tests.projections.lab import Lab


def _statuses(lab: Lab) -> dict[str, ProjectionStatus]:
    service: Projections = lab.service()
    return {status.name: status for status in service.status()}


def test_lag_is_counted_in_events_and_in_seconds(lab: Lab) -> None:
    """Seconds are the age of the oldest event that is not in; both are 0 once everything is."""
    lab.start_over(history(2, steps=50))
    lab.clock.us = START_US + 1_000_000 + 1
    behind = _statuses(lab)["balances"]
    assert (behind.events_behind, behind.position, behind.behind_s) == (lab.log.head_position(), 0, 1.0)
    lab.catch_up()
    caught_up = _statuses(lab)["balances"]
    assert (caught_up.events_behind, caught_up.behind_s) == (0, 0.0)
    assert caught_up.position == lab.log.head_position()


def test_a_clock_behind_the_databases_shows_no_negative_lag(lab: Lab) -> None:
    """F19: clocks differ; lag is never below zero."""
    lab.start_over(history(2, steps=5))
    lab.clock.us = START_US - 10**9
    assert _statuses(lab)["balances"].behind_s == 0.0


def test_metrics_show_the_lag_of_each(lab: Lab) -> None:
    """Gauges by read model, measured when scraped."""
    lab.start_over(history(2, steps=50))
    lab.clock.us = START_US + 2_000_001
    registry = CollectorRegistry()
    registry.register(LagCollector(lab.service()))
    lab.runner().catch_up("balances")

    def value(metric: str, name: str) -> float | None:
        return registry.get_sample_value(f"tokenok_projection_{metric}", {"projection": name})

    assert value("events_behind", "balances") == 0
    assert value("events_behind", "request_log") == lab.log.head_position()
    assert value("behind_seconds", "request_log") == 2.0
    assert value("stopped", "request_log") == 0
    with lab.pool.connection() as connection:
        connection.execute("UPDATE projections SET version = 0 WHERE name = 'request_log'")
    assert value("stopped", "request_log") == 1


def test_the_content_hash_sees_every_row_and_where_it_stands(lab: Lab) -> None:
    """One changed value, one missing row: another hash. Rows are counted over all tables of the read model."""
    lab.start_over(history(2, steps=100))
    lab.catch_up()
    before = lab.service().content_hash("request_log")
    assert before.position == lab.log.head_position()
    with lab.pool.connection() as connection:
        for statement in (
            "UPDATE request_log SET total_ms = total_ms + 1 WHERE state = 'charged'",
            "DELETE FROM request_attempts WHERE number = 1",
        ):
            connection.execute(statement)
            after = lab.service().content_hash("request_log")
            assert after.sha256 != before.sha256
            before = after


def test_installing_twice_changes_nothing(lab: Lab) -> None:
    """The migration command may run at every start."""
    lab.start_over(history(2, steps=20))
    lab.catch_up()
    before = lab.hashes()
    assert lab.service().install() == ()
    assert lab.hashes() == before


def test_read_models_that_are_not_installed_are_named(pool: Pool, lab: Lab) -> None:
    """A worker that starts before the migration says what is missing, and status shows what there is."""
    with pool.connection() as connection:
        connection.execute("DELETE FROM projections WHERE name = 'balances'")
    with pytest.raises(generations.NotInstalled, match="balances"):
        lab.runner().catch_up("balances")
    assert list(_statuses(lab)) == ["request_log"]


def test_names_are_those_of_the_registry(whole: Lab) -> None:
    """One list, in one order."""
    assert whole.service().names() == whole.runner().names() == tuple(one.name for one in all_projections())
