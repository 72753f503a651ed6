"""The command that closes a period."""

import pytest

from application.command import load
from application.periods.close_period import ClosePeriod, handle
from application.reports.trial_balance import BooksBehind
from domain import periods
from domain.fact import SYSTEM
from domain.periods import PERIODS_STREAM, SETTLING_US, PeriodNotOver, Periods, end_of
from tests.fakes import ManualClock, memory_ports


def test_a_month_is_closed_once() -> None:
    """The second time nothing is stored, and no other month is in the way."""
    ports = memory_ports()
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us = end_of("2026-11") + SETTLING_US
    assert handle(ClosePeriod(period="2026-11"), actor=SYSTEM, ports=ports).version == 1
    ports.books.position = ports.store.head_position()  # type: ignore[attr-defined]  # the fake's own
    assert handle(ClosePeriod(period="2026-11"), actor=SYSTEM, ports=ports).position is None
    newest = load(ports.store, PERIODS_STREAM, Periods(), periods.evolve).newest
    assert newest is not None
    assert (newest.period, newest.actor) == ("2026-11", "system")


def test_books_that_are_behind_are_not_sealed() -> None:
    """Something might be missing in them: nothing is stored."""
    ports = memory_ports()
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us = end_of("2026-12") + SETTLING_US
    handle(ClosePeriod(period="2026-11"), actor=SYSTEM, ports=ports)
    with pytest.raises(BooksBehind):
        handle(ClosePeriod(period="2026-12"), actor=SYSTEM, ports=ports)


def test_a_month_that_goes_on_is_not_closed() -> None:
    """Not even its books are asked for."""
    with pytest.raises(PeriodNotOver):
        handle(ClosePeriod(period="2999-01"), actor=SYSTEM, ports=memory_ports())
