"""Spans of time that reports are asked for.

Read models keep sums by quarter hours of UTC, because the days of every time zone begin at one. So a period begins
and ends at one too, and the sums of periods that adjoin add up.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from domain.refusal import BadField
from domain.zones import zone_of

SLOT_US: Final = 15 * 60 * 1_000_000
DAY_US: Final = 96 * SLOT_US
_MONTHS: Final = 12


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Times t with from <= t < until, Unix microseconds."""

    from_us: int
    until_us: int


def period(from_us: int, until_us: int) -> Period:
    """A period that reports can answer for.

    Raises:
        BadField: it is empty, or an end is not at a quarter hour.
    """
    for field, time_us in (("from_us", from_us), ("until_us", until_us)):
        if time_us < 0 or time_us % SLOT_US:
            raise BadField(field, "must be at a quarter hour, in microseconds since 1970")
    if from_us >= until_us:
        raise BadField("until_us", "must be after from_us")
    return Period(from_us=from_us, until_us=until_us)


def month(name: str, *, zone: str = "UTC") -> Period:
    """The calendar month `2026-11` as it passes in a time zone.

    Raises:
        BadField: there is no such month or no such zone.
    """
    place = zone_of(zone)
    try:
        begin = datetime.strptime(name, "%Y-%m").replace(tzinfo=place)
    except ValueError:
        raise BadField("month", "must be like 2026-11") from None
    years, months = divmod(begin.month, _MONTHS)
    end = begin.replace(year=begin.year + years, month=months + 1)
    return period(_unix_us(begin), _unix_us(end))


def asked(*, month_name: str | None, from_us: int | None, until_us: int | None, zone: str) -> Period:
    """A period as people ask for it: a month of their time zone, or two times.

    Raises:
        BadField: both are given or neither, or one that cannot be used.
    """
    if month_name is not None and from_us is None and until_us is None:
        return month(month_name, zone=zone)
    if month_name is None and from_us is not None and until_us is not None:
        return period(from_us, until_us)
    raise BadField("month", "or from_us and until_us must be given")


def _unix_us(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, tz=UTC)) // timedelta(microseconds=1)
