"""Windows of budgets: days and months of a time zone, or the last hours.

A window follows from the time alone, so there is nothing to reset. Use is counted by *buckets*: a calendar window is one
bucket, a rolling one is so many whole hours of UTC, the present one included. A request counts in the bucket in which it
was admitted, whenever it ends. Times are Unix microseconds.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

import msgspec

from domain.refusal import BadField
from domain.zones import zone_of

WindowKind = Literal["day", "month", "rolling"]

HOURS_MAX: Final = 31 * 24
HOUR_US: Final = 3_600_000_000
_DAY: Final = timedelta(days=1)
_US: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime.fromtimestamp(0, tz=UTC)


class BudgetWindow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which charges count together."""

    kind: WindowKind
    zone: str = "UTC"  #: whose days and months; hours are those of UTC
    hours: int = 0  #: of a rolling window: how many count, the present one included

    @property
    def reach_us(self) -> int:
        """How far back from the begin of a bucket the begins of those lie that count with it."""
        return (self.hours - 1) * HOUR_US if self.kind == "rolling" else 0


class Bucket(msgspec.Struct, frozen=True):
    """Times t with start <= t < end."""

    start_us: int
    end_us: int

    def has(self, at_us: int) -> bool:
        return self.start_us <= at_us < self.end_us


def checked_window(window: BudgetWindow) -> BudgetWindow:
    """The same window, if there is one like it.

    Raises:
        BadField: the zone is unknown, or the hours are not in 1..744, or given to days and months.
    """
    zone_of(window.zone)
    if window.kind == "rolling":
        if not 1 <= window.hours <= HOURS_MAX:
            raise BadField("hours", f"must be between 1 and {HOURS_MAX} for a rolling window")
        if window.zone != "UTC":
            raise BadField("zone", "is for days and months; a rolling window counts hours of UTC")
    elif window.hours:
        raise BadField("hours", "is for rolling windows")
    return window


def bucket_at(window: BudgetWindow, at_us: int) -> Bucket:
    """The bucket in which a request counts that is admitted at this time.

    Raises:
        BadField: this machine does not know the zone.
    """
    if window.kind == "rolling":
        start_us = at_us - at_us % HOUR_US
        return Bucket(start_us, start_us + HOUR_US)
    starts = _starts(window, at_us)
    after = bisect_right(starts, at_us)
    return Bucket(starts[after - 1], starts[after])


def _starts(window: BudgetWindow, at_us: int) -> list[int]:
    """When some days or months around a time begin, in order.

    A midnight that the clock jumps over, or strikes twice, is the first instant that could be it. A date that a zone
    left out is empty, and so nobody's bucket.
    """
    zone = zone_of(window.zone)
    here = (_EPOCH + at_us * _US).astimezone(zone).date()
    dates = [here + step * _DAY for step in range(-2, 4)] if window.kind == "day" else _months_around(here)
    midnights = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in dates)
    return sorted({(midnight - _EPOCH) // _US for midnight in midnights})


def _months_around(here: date) -> list[date]:
    first = here.replace(day=1)
    before = (first - _DAY).replace(day=1)
    after = (first + 32 * _DAY).replace(day=1)
    return [before, first, after, (after + 32 * _DAY).replace(day=1)]
