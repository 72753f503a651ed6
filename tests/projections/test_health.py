"""The health of the books."""

from collections.abc import Callable

import pytest

from adapters.verifications import PostgresVerifications
from application.reports.health import OVERDUE_US, LedgerHealth, Verification
from projections.books_check import PostgresBooksChecks
from projections.charge_reviews import ReviewReader
from projections.health import HealthReader
from projections.metrics import HealthCollector
from tests.histories import history, numbered
from tests.projections.facts import FIRST, LEASE, WALLET, admitted, granted
from tests.projections.lab import Lab

Look = Callable[[], LedgerHealth]
CLEAN = Verification(verified_us=5, ok=True, position=9, violations=0, trial_balance_sha256="ab")


@pytest.fixture
def verifications(whole: Lab) -> PostgresVerifications:
    with whole.pool.connection() as connection:
        connection.execute("DELETE FROM verifications")
    return PostgresVerifications(whole.pool)


@pytest.fixture
def checks(whole: Lab) -> PostgresBooksChecks:
    with whole.pool.connection() as connection:
        connection.execute("DELETE FROM books_checks")
    return PostgresBooksChecks(whole.pool, clock=whole.clock)


@pytest.fixture
def reader(whole: Lab, verifications: PostgresVerifications, checks: PostgresBooksChecks) -> HealthReader:
    return HealthReader(
        checks=checks,
        projections=whole.service(),
        verifications=verifications,
        reviews=ReviewReader(whole.pool),
        clock=whole.clock,
    )


@pytest.fixture
def look(reader: HealthReader, checks: PostgresBooksChecks) -> Look:
    """Look at the books, as the scheduler does, and ask for their health."""

    def look() -> LedgerHealth:
        checks.check()
        return reader.health()

    return look


def test_books_that_are_right_have_no_faults(whole: Lab, look: Look) -> None:
    """For a random history every account is compared, and nothing differs."""
    whole.start_over(history(9, steps=300, accounts=3))
    whole.catch_up()
    found = look()
    assert (found.faults, found.zero_sum_nano, found.drift_nano, found.accounts_compared) == ((), 0, 0, 3)


def test_a_balance_that_differs_from_the_books_is_a_fault(whole: Lab, look: Look) -> None:
    """By as much as it differs, whoever changed it."""
    whole.start_over(history(9, steps=100))
    whole.catch_up()
    with whole.pool.connection() as connection:
        connection.execute("UPDATE rm_balances_1.balances SET charged_nano = charged_nano + 2")
    found = look()
    assert (found.faults, found.drift_nano) == (("balances_drift",), 2 * found.accounts_compared)


def test_books_that_do_not_add_up_are_a_fault(whole: Lab, look: Look) -> None:
    """One account more than the others account for."""
    whole.start_over(history(9, steps=50))
    whole.catch_up()
    with whole.pool.connection() as connection:
        connection.execute("INSERT INTO rm_trial_balance_1.trial_balance VALUES ('expense:stray', 7)")
    found = look()
    assert (found.faults, found.zero_sum_nano) == (("books_not_zero",), 7)


def test_balances_that_lag_are_not_compared(whole: Lab, look: Look) -> None:
    """Then nothing is said of them, rather than something wrong."""
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.runner().catch_up("trial_balance")
    whole.log.extend(numbered(WALLET, 2, [granted(100, lot=2)]))
    found = look()
    assert (found.faults, found.drift_nano, found.accounts_compared) == ((), 0, 0)


def test_the_oldest_hold_and_the_last_verification_are_told(
    whole: Lab, reader: HealthReader, look: Look, verifications: PostgresVerifications
) -> None:
    """Age by the clock of who asks; the newest verification counts, and a failed one is a fault."""
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 30, occurred_us=1_000_000)]))
    whole.catch_up()
    whole.clock.us = 4_000_000
    assert look().last_verification is None
    verifications.record(CLEAN)
    found = reader.health()
    assert (found.open_holds, found.held_nano, found.oldest_hold_s) == (1, 30, 3.0)
    assert (found.last_verification, found.faults) == (CLEAN, ())
    failed = Verification(verified_us=6, ok=False, position=9, violations=2, trial_balance_sha256="ab")
    verifications.record(failed)
    assert reader.health().faults == ("verification_failed",)
    gauges = {one.name: one.samples[0].value for one in HealthCollector(reader).collect()}
    assert gauges["tokenok_ledger_oldest_hold_seconds"] == 3.0
    assert gauges["tokenok_ledger_verified_ok"] == 0.0


def test_scrapes_tell_what_the_last_check_found(
    whole: Lab, reader: HealthReader, checks: PostgresBooksChecks
) -> None:
    """They look at no account and no hold; when they were looked at is told as well."""
    collector = HealthCollector(reader)

    def scraped(name: str) -> float:
        return {one.name: one.samples[0].value for one in collector.collect()}[f"tokenok_ledger_{name}"]

    assert scraped("checked_timestamp_seconds") == 0
    whole.log.extend(numbered(LEASE, 2, [admitted(FIRST, 30, occurred_us=1_000_000)]))
    whole.catch_up()
    assert scraped("open_holds") == 0
    checks.check()
    assert scraped("open_holds") == 1
    assert scraped("checked_timestamp_seconds") == whole.clock.us / 1e6


def test_books_that_nobody_looks_at_are_a_fault(whole: Lab, reader: HealthReader, look: Look) -> None:
    """Before the first look, and when looks have ended: figures of then say nothing of now."""
    assert reader.health().faults == ("books_not_checked",)
    assert look().faults == ()
    whole.clock.us += OVERDUE_US
    assert reader.health().faults == ()
    whole.clock.us += 1
    assert reader.health().faults == ("books_not_checked",)


def test_a_read_model_that_waits_for_a_rebuild_is_a_fault(whole: Lab, look: Look) -> None:
    """Whichever it is."""
    with whole.pool.connection() as connection:
        connection.execute("UPDATE projections SET version = 0 WHERE name = 'usage'")
    assert look().faults == ("read_model_stopped",)
