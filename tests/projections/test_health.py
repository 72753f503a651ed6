"""The health of the books."""

import pytest

from adapters.verifications import PostgresVerifications
from application.reports.health import Verification
from projections.health import HealthReader
from projections.metrics import HEALTH_KEPT_S, HealthCollector
from tests.histories import history, numbered
from tests.projections.facts import FIRST, LEASE, WALLET, admitted, granted
from tests.projections.lab import Lab

CLEAN = Verification(verified_us=5, ok=True, position=9, violations=0, trial_balance_sha256="ab")


@pytest.fixture
def verifications(whole: Lab) -> PostgresVerifications:
    with whole.pool.connection() as connection:
        connection.execute("DELETE FROM verifications")
    return PostgresVerifications(whole.pool)


@pytest.fixture
def reader(whole: Lab, verifications: PostgresVerifications) -> HealthReader:
    return HealthReader(
        whole.pool, projections=whole.service(), verifications=verifications, clock=whole.clock
    )


def test_books_that_are_right_have_no_faults(whole: Lab, reader: HealthReader) -> None:
    """For a random history every account is compared, and nothing differs."""
    whole.start_over(history(9, steps=300, accounts=3))
    whole.catch_up()
    found = reader.health()
    assert (found.faults, found.zero_sum_nano, found.drift_nano, found.accounts_compared) == ((), 0, 0, 3)


def test_a_balance_that_differs_from_the_books_is_a_fault(whole: Lab, reader: HealthReader) -> None:
    """By as much as it differs, whoever changed it."""
    whole.start_over(history(9, steps=100))
    whole.catch_up()
    with whole.pool.connection() as connection:
        connection.execute("UPDATE rm_balances_1.balances SET charged_nano = charged_nano + 2")
    found = reader.health()
    assert (found.faults, found.drift_nano) == (("balances_drift",), 2 * found.accounts_compared)


def test_books_that_do_not_add_up_are_a_fault(whole: Lab, reader: HealthReader) -> None:
    """One account more than the others account for."""
    whole.start_over(history(9, steps=50))
    whole.catch_up()
    with whole.pool.connection() as connection:
        connection.execute("INSERT INTO rm_trial_balance_1.trial_balance VALUES ('expense:stray', 7)")
    found = reader.health()
    assert (found.faults, found.zero_sum_nano) == (("books_not_zero",), 7)


def test_balances_that_lag_are_not_compared(whole: Lab, reader: HealthReader) -> None:
    """Then nothing is said of them, rather than something wrong."""
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.runner().catch_up("trial_balance")
    whole.log.extend(numbered(WALLET, 2, [granted(100, lot=2)]))
    found = reader.health()
    assert (found.faults, found.drift_nano, found.accounts_compared) == ((), 0, 0)


def test_the_oldest_hold_and_the_last_verification_are_told(
    whole: Lab, reader: HealthReader, verifications: PostgresVerifications
) -> None:
    """Age by the clock of who asks; the newest verification counts, and a failed one is a fault."""
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 30, occurred_us=1_000_000)]))
    whole.catch_up()
    whole.clock.us = 4_000_000
    assert reader.health().last_verification is None
    verifications.record(CLEAN)
    found = reader.health()
    assert (found.open_holds, found.held_nano, found.oldest_hold_s) == (1, 30, 3.0)
    assert (found.last_verification, found.faults) == (CLEAN, ())
    failed = Verification(verified_us=6, ok=False, position=9, violations=2, trial_balance_sha256="ab")
    verifications.record(failed)
    assert reader.health().faults == ("verification_failed",)
    gauges = {one.name: one.samples[0].value for one in HealthCollector(reader, whole.clock).collect()}
    assert gauges["tokenok_ledger_oldest_hold_seconds"] == 3.0
    assert gauges["tokenok_ledger_verified_ok"] == 0.0


def test_scrapes_do_not_look_at_all_holds_each_time(whole: Lab, reader: HealthReader) -> None:
    """An answer is told for some seconds; then the books are looked at again."""
    collector = HealthCollector(reader, whole.clock)

    def open_holds() -> float:
        return {one.name: one.samples[0].value for one in collector.collect()}["tokenok_ledger_open_holds"]

    assert open_holds() == 0
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 30, occurred_us=1_000_000)]))
    whole.catch_up()
    assert open_holds() == 0
    whole.clock.us += round(HEALTH_KEPT_S * 1_000_000)
    assert open_holds() == 1


def test_a_read_model_that_waits_for_a_rebuild_is_a_fault(whole: Lab, reader: HealthReader) -> None:
    """Whichever it is."""
    with whole.pool.connection() as connection:
        connection.execute("UPDATE projections SET version = 0 WHERE name = 'usage'")
    assert reader.health().faults == ("read_model_stopped",)
