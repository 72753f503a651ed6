"""Windows against `zoneinfo` itself: every instant is in one bucket, and a day is a day where it is lived."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.budgets.window import HOUR_US, BudgetWindow, bucket_at, checked_window
from domain.refusal import BadField

US = timedelta(microseconds=1)
EPOCH = datetime.fromtimestamp(0, tz=UTC)
INSTANTS = st.integers(min_value=0, max_value=4_102_444_800_000_000)  #: until 2100
ZONES = st.sampled_from(sorted(available_timezones()))


def us(text: str, zone: str = "UTC") -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - EPOCH) // US


def local(at_us: int, zone: str) -> datetime:
    return (EPOCH + at_us * US).astimezone(ZoneInfo(zone))


def windows(zones: st.SearchStrategy[str]) -> st.SearchStrategy[BudgetWindow]:
    calendar = st.builds(BudgetWindow, kind=st.sampled_from(("day", "month")), zone=zones)
    return calendar | st.builds(BudgetWindow, kind=st.just("rolling"), hours=st.integers(1, 744))


@given(windows(ZONES), INSTANTS)
@example(BudgetWindow(kind="day", zone="Pacific/Apia"), us("2011-12-30T11:00:00"))
@example(BudgetWindow(kind="day", zone="America/Sao_Paulo"), us("2018-11-04T03:30:00"))
@example(BudgetWindow(kind="day", zone="America/Havana"), us("2025-11-02T04:30:00"))
@example(BudgetWindow(kind="month", zone="Asia/Amman"), us("2022-10-28T00:00:00"))
def test_buckets_are_a_partition_of_time(window: BudgetWindow, at_us: int) -> None:
    """Each instant has a bucket; a bucket ends where the next begins, and all of it says the same of itself."""
    bucket = bucket_at(window, at_us)
    assert bucket.has(at_us)
    assert bucket_at(window, bucket.start_us) == bucket
    assert bucket_at(window, bucket.end_us - 1) == bucket
    assert bucket_at(window, bucket.end_us).start_us == bucket.end_us
    assert bucket_at(window, bucket.start_us - 1).end_us == bucket.start_us


@given(ZONES, INSTANTS)
def test_a_day_is_that_of_the_zone(zone: str, at_us: int) -> None:
    """Noon is in the day, or month, whose date it has; a midnight that the clock jumps over belongs to the day it begins."""
    noon = local(at_us, zone).replace(hour=12, minute=0, second=0, microsecond=0, fold=0)
    day = bucket_at(BudgetWindow(kind="day", zone=zone), (noon - EPOCH) // US)
    begin, last = local(day.start_us, zone), local(day.end_us - 1, zone)
    assert begin.date() == noon.astimezone(UTC).astimezone(ZoneInfo(zone)).date()
    assert last.date() == begin.date()
    assert 20 * HOUR_US <= day.end_us - day.start_us <= 28 * HOUR_US


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00:00", 25),
        ("Australia/Lord_Howe", "2026-04-05T12:00:00", 24.5),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", 23),  # the clock jumps over midnight itself
        ("Asia/Tokyo", "2026-03-29T12:00:00", 24),
    ],
)
def test_a_day_with_a_change_of_the_clock_is_longer_or_shorter(zone: str, at: str, hours: float) -> None:
    """Nobody's budget is reset an hour early, or counted twice."""
    bucket = bucket_at(BudgetWindow(kind="day", zone=zone), us(at, zone))
    assert bucket.end_us - bucket.start_us == hours * HOUR_US


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("first", "next_first"),
    [("2024-02-01", "2024-03-01"), ("2025-02-01", "2025-03-01"), ("2026-12-01", "2027-01-01")],
)
def test_a_month_ends_where_the_next_begins_in_its_zone(zone: str, first: str, next_first: str) -> None:
    """Also in a leap year and over the turn of the year; the last microsecond belongs to the old one."""
    window = BudgetWindow(kind="month", zone=zone)
    start_us, end_us = us(first, zone), us(next_first, zone)
    bucket = bucket_at(window, end_us - 1)
    assert (bucket.start_us, bucket.end_us) == (start_us, end_us)
    assert bucket_at(window, end_us).start_us == end_us


def test_hours_are_those_of_utc() -> None:
    """A rolling window of three hours counts this hour and the two before it."""
    window = BudgetWindow(kind="rolling", hours=3)
    bucket = bucket_at(window, us("2026-05-01T10:59:59"))
    assert bucket.start_us == us("2026-05-01T10:00:00")
    assert window.reach_us == 2 * HOUR_US


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (BudgetWindow(kind="day", zone="Europe/Atlantis"), "zone"),
        (BudgetWindow(kind="day", zone="../etc/passwd"), "zone"),
        (BudgetWindow(kind="day", hours=5), "hours"),
        (BudgetWindow(kind="rolling"), "hours"),
        (BudgetWindow(kind="rolling", hours=745), "hours"),
        (BudgetWindow(kind="rolling", hours=5, zone="Asia/Tokyo"), "zone"),
    ],
)
def test_a_window_that_cannot_be_is_refused(window: BudgetWindow, field: str) -> None:
    """What would silently mean something else is said."""
    with pytest.raises(BadField) as refused:
        checked_window(window)
    assert refused.value.field == field
