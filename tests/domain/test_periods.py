"""Closing periods of the books."""

import pytest

from domain.fact import Stamp
from domain.periods import (
    SETTLING_US,
    PeriodClosed,
    PeriodNotOver,
    Periods,
    TrialBalanceSeal,
    close,
    end_of,
    evolve,
    trial_balance_sha256,
)
from domain.refusal import BadField, WrongState

NOVEMBER_END_US = 1_796_083_200_000_000
SEAL = TrialBalanceSeal(position=7, rules_version=1, accounts=2, sha256="ab" * 32)
NOVEMBER = PeriodClosed(
    period="2026-11",
    until_us=NOVEMBER_END_US,
    position=7,
    rules_version=1,
    accounts=2,
    trial_balance_sha256="ab" * 32,
    occurred_us=NOVEMBER_END_US + SETTLING_US,
    actor="system",
)


def _state(*events: PeriodClosed) -> Periods:
    state = Periods()
    for event in events:
        state = evolve(state, event)
    return state


def _close(state: Periods, period: str, *, now_us: int) -> list[PeriodClosed]:
    return close(state, period=period, seal=SEAL, stamp=Stamp(now_us=now_us, actor="system"))


def test_a_month_that_is_over_is_sealed() -> None:
    """With its end, the last position in it and the digest of the books."""
    assert _close(_state(), "2026-11", now_us=NOVEMBER_END_US + SETTLING_US) == [NOVEMBER]


def test_a_month_is_not_closed_before_it_has_settled() -> None:
    """An append that was under way at its end is in, whatever the clocks say."""
    with pytest.raises(PeriodNotOver):
        _close(_state(), "2026-11", now_us=NOVEMBER_END_US + SETTLING_US - 1)


def test_closing_again_does_nothing() -> None:
    """The same month has one seal."""
    assert _close(_state(NOVEMBER), "2026-11", now_us=NOVEMBER.occurred_us + 5) == []


def test_months_are_closed_in_their_order() -> None:
    """A month before a closed one is closed with it; a later one follows."""
    with pytest.raises(WrongState):
        _close(_state(NOVEMBER), "2026-10", now_us=NOVEMBER.occurred_us)
    (december,) = _close(_state(NOVEMBER), "2026-12", now_us=2 * NOVEMBER_END_US)
    assert december.until_us == end_of("2026-12")


def test_the_year_turns_after_december() -> None:
    """Its end is the beginning of January."""
    assert end_of("2026-12") - end_of("2026-11") == 31 * 86_400_000_000


@pytest.mark.parametrize("period", ["2026-13", "2026", "", "november"])
def test_what_is_no_month(period: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(BadField):
        end_of(period)


def test_the_digest_knows_no_order_and_no_zeros() -> None:
    """Two folds of one log find it, whatever accounts they still remember; another figure is another digest."""
    assert trial_balance_sha256({"b": -1, "a": 1, "c": 0}) == trial_balance_sha256({"a": 1, "b": -1})
    assert trial_balance_sha256({"a": 1, "b": -1}) != trial_balance_sha256({"a": 2, "b": -2})
