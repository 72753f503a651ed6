"""`ledger verify` folds again what every closing of a month has sealed."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from application.eventlog import NewEvent
from application.verify import verify
from domain.event import encode
from domain.ledger.postings import CURRENT_RULES, TrialBalance, load_rules, postings
from domain.periods import PERIODS_STREAM, PeriodClosed, end_of, trial_balance_sha256
from domain.topics import REGISTRY
from tests.histories import START_US, ListLog, history

#: 20 minutes a position: a history of 60 steps goes on from November 2025 to the next year.
PACE_US = 20 * 60_000_000
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01", "2026-02")

Change = Callable[[PeriodClosed], PeriodClosed]


def closed_log(change: Change = lambda closed: closed, *, seed: int = 1) -> ListLog:
    """A history over some months, all of them closed as the rules say; `change` has the last word on December."""
    log = ListLog(history(seed, steps=400), pace_us=PACE_US)
    closings = [_closing(log, period) for period in MONTHS]
    log.extend(
        [
            NewEvent(PERIODS_STREAM, version, PeriodClosed.TOPIC, encode(one))
            for version, one in enumerate(
                [change(one) if one.period == "2025-12" else one for one in closings], start=1
            )
        ]
    )
    return log


def changed(**changes: Any) -> Change:
    """A closing that says something else."""
    return lambda closed: msgspec.structs.replace(closed, **changes)


def _closing(log: ListLog, period: str) -> PeriodClosed:
    """By the rules alone: everything that was recorded before the month's end."""
    rules, trial, position = load_rules(), TrialBalance(load_rules()), 0
    for one in log.events:
        if one.recorded_at_us < end_of(period) and one.topic in rules.rules:
            position = one.position
            for posting in postings(rules, REGISTRY.decode(one.topic, one.state), stream_id=one.stream_id):
                trial.post(posting)
    return PeriodClosed(
        period=period,
        until_us=end_of(period),
        position=position,
        rules_version=CURRENT_RULES,
        accounts=sum(map(bool, trial.balances.values())),
        trial_balance_sha256=trial_balance_sha256(trial.balances),
        occurred_us=START_US,
        actor="system",
    )


FAULTS = {
    "another digest": changed(trial_balance_sha256="0" * 64),
    "another position": changed(position=1),
    "another number of accounts": changed(accounts=1),
    "another end": changed(until_us=end_of("2026-01")),
    "rules of the future": changed(rules_version=CURRENT_RULES + 1),
}


@pytest.mark.parametrize("seed", range(4))
def test_closings_that_say_what_the_log_says_are_silent(seed: int) -> None:
    """Of months before anything moved, with movements and after the last one."""
    log = closed_log(seed=seed)
    assert {one.recorded_at_us < end_of("2025-11") for one in log.events} == {True, False}
    report = verify(log, REGISTRY)
    assert report.ok
    assert report.figures.periods_compared == len(MONTHS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_closing_that_says_otherwise_is_found(name: str) -> None:
    """Only the one that differs, and in what."""
    report = verify(closed_log(FAULTS[name]), REGISTRY)
    assert report.counts == {"L05": 1}
    assert report.violations[0].subject == "2025-12"


def test_a_month_that_was_changed_after_its_closing_is_found() -> None:
    """A movement of November that is recorded as one of December; December's end is as it was."""
    log = closed_log()
    place = max(
        index
        for index, one in enumerate(log.events)
        if one.recorded_at_us < end_of("2025-11") and one.topic in load_rules().rules
    )
    log.events[place] = msgspec.structs.replace(log.events[place], recorded_at_us=end_of("2025-11"))
    report = verify(log, REGISTRY)
    assert {one.subject for one in report.violations} == {"2025-11"}


def test_a_clock_that_went_back_books_nothing_into_a_month_that_has_passed() -> None:
    """ADR 37: what comes after a movement of December is of December, though its clock says November."""
    log = closed_log()
    first = next(
        index
        for index, one in enumerate(log.events)
        if one.recorded_at_us >= end_of("2025-11") and one.topic in load_rules().rules
    )
    for index in range(first + 1, first + 5):
        log.events[index] = msgspec.structs.replace(log.events[index], recorded_at_us=end_of("2025-11") - 1)
    assert verify(log, REGISTRY).ok
