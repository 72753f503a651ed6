"""Periods that reports can answer for."""

import pytest

from application.reports.period import SLOT_US, Period, asked, month
from domain.refusal import BadField

NOVEMBER_US, DECEMBER_US = 1_793_491_200_000_000, 1_796_083_200_000_000
HOUR_US = 3_600_000_000


def test_a_month_passes_earlier_in_the_east() -> None:
    """In Kathmandu it begins and ends five hours and three quarters before UTC's."""
    shift_us = 5 * HOUR_US + 3 * SLOT_US
    assert month("2026-11") == Period(from_us=NOVEMBER_US, until_us=DECEMBER_US)
    assert month("2026-11", zone="Asia/Kathmandu") == Period(
        from_us=NOVEMBER_US - shift_us, until_us=DECEMBER_US - shift_us
    )


def test_a_month_with_a_change_of_the_clock_is_an_hour_longer() -> None:
    """Autumn in New York: the clock goes back, and no hour is lost or told twice."""
    found = month("2026-11", zone="America/New_York")
    assert found.until_us - found.from_us == DECEMBER_US - NOVEMBER_US + HOUR_US


def test_months_adjoin_over_the_turn_of_the_year() -> None:
    """December ends where January begins."""
    assert month("2026-12").until_us == month("2027-01").from_us


@pytest.mark.parametrize(
    ("name", "from_us", "until_us"),
    [
        (None, None, None),
        ("2026-11", 0, None),
        (None, 0, None),
        (None, SLOT_US, SLOT_US),
        (None, 0, SLOT_US - 1),
        (None, -SLOT_US, 0),
        ("2026-13", None, None),
        ("November", None, None),
    ],
)
def test_what_is_no_period(name: str | None, from_us: int | None, until_us: int | None) -> None:
    """Both forms or neither, an end that is missing, empty, not at a quarter hour, or no month."""
    with pytest.raises(BadField):
        asked(month_name=name, from_us=from_us, until_us=until_us, zone="UTC")
