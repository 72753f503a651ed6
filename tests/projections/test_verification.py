"""`ledger verify` compares the read models with the log."""

import pytest

from application.eventlog import NewEvent
from application.verify import ReadModels, Report, render_text, verify
from domain.catalogue.prices import PRICE_LIST_STREAM
from domain.keys.events import ApiKeyIssued, ApiKeyRevoked
from domain.topics import REGISTRY
from projections import generations
from projections.generations import install
from projections.keys import Keys
from projections.projection import Pool
from projections.snapshot import ReadModelReader
from tests.histories import history, numbered, sample
from tests.projections.conftest import PAIR
from tests.projections.facts import FIRST, KEY, LEASE, SECOND, charged, released
from tests.projections.lab import Lab

COMPARED = (*PAIR, Keys())


@pytest.fixture
def lab(pool: Pool) -> Lab:
    """The read models that are compared."""
    with pool.connection() as connection:
        install(connection, COMPARED)
    return Lab(pool, COMPARED)


def _verify(lab: Lab) -> Report:
    read_models: ReadModels = ReadModelReader(lab.pool)
    return verify(lab.log, REGISTRY, read_models)


@pytest.mark.parametrize("seed", range(5))
def test_projected_histories_are_clean(lab: Lab, seed: int) -> None:
    """P10: a fold that shares no code with the read models comes to the same rows, all of them."""
    lab.start_over(history(seed, steps=400))
    lab.catch_up(batch_events=23)
    report = _verify(lab)
    assert report.ok, render_text(report)
    figures = report.figures
    assert figures.requests_compared == figures.requests > 30
    assert figures.balances_compared == 3
    assert figures.keys_compared >= figures.balances_compared
    assert figures.balances_position == figures.requests_position == lab.log.head_position()


def test_each_read_model_is_compared_where_it_stands(lab: Lab) -> None:
    """Read models that lag, each by something else, are compared with the log as of their own positions."""
    lab.start_over(history(6, steps=400))
    for batch_events, name in ((70, "balances"), (150, "request_log")):
        with lab.runner(batch_events=batch_events).session(name) as session:
            assert session
            session.step()
    report = _verify(lab)
    assert report.ok, render_text(report)
    figures = report.figures
    assert figures.balances_position < figures.requests_position < figures.position == lab.log.head_position()
    assert 0 < figures.requests_compared < figures.requests


def _a_revoked_key() -> list[NewEvent]:
    return numbered(KEY, 1, [sample(ApiKeyIssued, key_id=KEY), sample(ApiKeyRevoked, key_id=KEY)])


TAMPERINGS = {
    "a balance": ("R01", "UPDATE balances SET granted_nano = granted_nano + 1", "granted_nano is"),
    "a missing balance": ("R01", "DELETE FROM balances", "is missing"),
    "an invented balance": (
        "R01",
        (
            "INSERT INTO balances (account_id, granted_nano, charged_nano, expired_nano, taken_nano, held_nano, "
            "frozen_nano, owed_nano, open_holds, updated_position) VALUES (gen_random_uuid(), 1, 0, 0, 0, 0, 0, 0, 0, 1)"
        ),
        "the log does not tell of it",
    ),
    "a hold": ("R01", "UPDATE open_holds SET hold_nano = hold_nano + 1", "hold_nano is"),
    "a missing hold": ("R01", "DELETE FROM open_holds", "is missing"),
    "a request": (
        "R02",
        "UPDATE request_log SET charge_nano = charge_nano + 1 WHERE state = 'charged'",
        "charge_nano is",
    ),
    "an open request": ("R02", "UPDATE request_log SET alias = 'x' WHERE state = 'admitted'", "alias is 'x'"),
    "a missing request": ("R02", "DELETE FROM request_log WHERE state = 'released'", "is missing"),
    "an invented request": (
        "R02",
        (
            "INSERT INTO request_log (request_id, account_id, lease_id, first_position, hold_nano, last_position) "
            "VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 1, 1)"
        ),
        "rows, should be",
    ),
    "an attempt": ("R02", "UPDATE request_attempts SET status = 999", "its attempts differ"),
    "what was charged through a key": (
        "R03",
        "UPDATE key_uses SET charged_nano = charged_nano + 1",
        "charged_nano is",
    ),
    "a key's last use": ("R03", "UPDATE key_uses SET last_used_us = 1", "last_used_us is"),
    "a missing key": ("R03", "DELETE FROM api_keys", "is missing"),
    "a key that works for ever": ("R03", "UPDATE api_keys SET expires_us = NULL", "expires_us is None"),
    "a key that is not revoked": ("R03", "UPDATE api_keys SET revoked = false", "revoked is False"),
    "a missing attempt": ("R02", "DELETE FROM request_attempts WHERE number = 1", "its attempts differ"),
    "an invented attempt": (
        "R02",
        (
            "INSERT INTO request_attempts SELECT gen_random_uuid(), position, number, deployment_id, provider, model, "
            "status, outcome, started_us, duration_ms FROM request_attempts LIMIT 1"
        ),
        "rows, should be",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_rows_that_the_log_does_not_tell_of_are_found(lab: Lab, name: str) -> None:
    """Changed, missing and invented rows are named, with what they should be; a rebuild heals them."""
    lab.start_over([*history(11, steps=400), *_a_revoked_key()])
    lab.catch_up()
    code, statement, detail = TAMPERINGS[name]
    with lab.pool.connection() as connection:
        assert connection.execute(statement).rowcount
    report = _verify(lab)
    assert set(report.counts) == {code}
    assert detail in report.violations[0].detail
    for one in lab.projections:
        lab.rebuild(one)
    assert _verify(lab).ok


def test_many_requests_are_compared_in_parts(lab: Lab) -> None:
    """What has ended is compared and forgotten, so that memory does not grow with the log."""
    lab.start_over(history(8, steps=9_000))
    lab.catch_up()
    report = _verify(lab)
    assert report.ok, render_text(report)
    assert report.figures.requests_compared > 2_000


def test_a_charge_without_an_admission_is_found_in_the_log_alone(lab: Lab) -> None:
    """P28 is broken; the read model shows what the log tells, so that one is in order."""
    lab.log.extend(numbered(LEASE, 1, [charged(FIRST, 3, 1), released(SECOND, 2)]))
    lab.catch_up()
    report = _verify(lab)
    assert "R02" not in report.counts, render_text(report)
    assert "P06" in report.counts


def test_events_may_come_while_it_looks(lab: Lab) -> None:
    """The read models move on under it; it goes on seeing the moment it started."""
    lab.start_over(history(6, steps=200))
    lab.catch_up()
    with ReadModelReader(lab.pool).snapshot() as snapshot:
        before = snapshot.request_count()
        more = [event for event in history(7, steps=200) if event.stream_id != PRICE_LIST_STREAM]
        lab.log.extend(more)
        lab.catch_up()
        assert snapshot.request_count() == before
        assert snapshot.requests_position < lab.position("request_log")
    assert _verify(lab).ok


def test_without_read_models_it_says_so(lab: Lab) -> None:
    """Before the migration there is nothing to compare with; that is an error, not a clean report."""
    with lab.pool.connection() as connection:
        connection.execute("DELETE FROM projections WHERE name = 'request_log'")
    with pytest.raises(generations.NotInstalled, match="request_log"):
        _verify(lab)
