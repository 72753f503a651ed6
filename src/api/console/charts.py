"""Spans of time to look at, and series over them: every hour or day has a value, also where nothing happened."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar.params import QueryParameter

from api.console.texts import N_
from application.reports.period import SLOT_US, Period

_DAYS: Final[dict[str, int]] = {"day": 1, "week": 7, "month": 30, "quarter": 90}
#: The query parameters of days that somebody has chosen.
FROM: Final = QueryParameter(name="from")
UNTIL: Final = QueryParameter(name="until")
LABELS: Final = {
    "day": N_("24 hours"),
    "week": N_("7 days"),
    "month": N_("30 days"),
    "quarter": N_("90 days"),
}
_HOUR_S: Final = 3600
_HOURLY_DAYS_MAX: Final = 2
_DAYS_MAX: Final = 366
_YEAR_MIN: Final = 2000
_NANO: Final = 1_000_000_000


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The last so many days up to now, or from one day to another; by the hour for the shortest, else by the day."""

    name: str  #: empty for days that somebody has chosen
    period: Period
    group: Literal["hour", "day"]
    zone: str

    @property
    def labels(self) -> dict[str, str]:
        return LABELS

    @property
    def first_day(self) -> date:
        return datetime.fromtimestamp(self.period.from_us / 1e6, tz=ZoneInfo(self.zone)).date()

    @property
    def last_day(self) -> date:
        return datetime.fromtimestamp(self.period.until_us / 1e6 - 1, tz=ZoneInfo(self.zone)).date()

    @property
    def query(self) -> dict[str, str]:
        """What leads to it again."""
        if self.name:
            return {"span": self.name}
        return {"from": self.first_day.isoformat(), "until": self.last_day.isoformat()}


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """`times` are the seconds since 1970 at which the steps begin, one value of each series for each."""

    times: tuple[int, ...]
    requests: tuple[int, ...]
    failed: tuple[int, ...]
    credits: tuple[float, ...]  #: for the eye only; amounts are the integers of the report

    @property
    def json(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def is_empty(self) -> bool:
        return not any(self.requests)


class EarningsChart(msgspec.Struct, frozen=True, kw_only=True):
    """Likewise, of what customers paid and what it cost. Drawn without a script; what is below zero is drawn as nothing."""

    times: tuple[int, ...]
    revenue: tuple[int, ...]  #: nano-credits
    cost: tuple[int, ...]  #: likewise

    @property
    def is_empty(self) -> bool:
        return not any(self.revenue) and not any(self.cost)

    @property
    def top_nano(self) -> int:
        return max((*self.revenue, *self.cost))

    @property
    def top(self) -> int:
        """What the drawing is divided by; never zero."""
        return self.top_nano or 1


def span_of(name: str, *, zone: str, now_us: int) -> Span:
    """A span by its name; a day for one that is none."""
    chosen = name if name in _DAYS else "day"
    end = datetime.fromtimestamp(now_us / 1e6, tz=ZoneInfo(zone))
    hour = end.replace(minute=0, second=0, microsecond=0)
    if chosen == "day":
        begin = datetime.fromtimestamp(hour.timestamp() - 23 * _HOUR_S, tz=hour.tzinfo)
    else:
        begin = hour.replace(hour=0) - timedelta(days=_DAYS[chosen] - 1)
    from_us = int(begin.timestamp()) * 1_000_000
    until_us = (now_us // SLOT_US + 1) * SLOT_US
    period = Period(from_us=from_us - from_us % SLOT_US, until_us=until_us)
    return Span(name=chosen, period=period, group="hour" if chosen == "day" else "day", zone=zone)


def today(*, zone: str, now_us: int) -> Period:
    """This day of the visitor's, up to now."""
    day = datetime.fromtimestamp(now_us / 1e6, tz=ZoneInfo(zone)).date()
    from_us = _midnight_us(day, zone)
    return Period(from_us=from_us - from_us % SLOT_US, until_us=(now_us // SLOT_US + 1) * SLOT_US)


def this_month(*, zone: str, now_us: int) -> Period:
    """Likewise the month."""
    first = datetime.fromtimestamp(now_us / 1e6, tz=ZoneInfo(zone)).date().replace(day=1)
    from_us = _midnight_us(first, zone)
    return Period(from_us=from_us - from_us % SLOT_US, until_us=(now_us // SLOT_US + 1) * SLOT_US)


def chosen_span(name: str, first: str, last: str, *, zone: str, now_us: int) -> Span:
    """From one day to another as a browser's fields have them, of a year at most; by its name where these are no such days."""
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return span_of(name, zone=zone, now_us=now_us)
    days = (end - begin).days + 1
    if not 1 <= days <= _DAYS_MAX or begin.year < _YEAR_MIN or _midnight_us(begin, zone) >= now_us:
        return span_of(name, zone=zone, now_us=now_us)
    from_us = _midnight_us(begin, zone)
    until_us = min(_midnight_us(end + timedelta(days=1), zone), (now_us // SLOT_US + 1) * SLOT_US)
    group: Literal["hour", "day"] = "hour" if days <= _HOURLY_DAYS_MAX else "day"
    return Span(name="", period=Period(from_us=from_us, until_us=until_us), group=group, zone=zone)


def _midnight_us(day: date, zone: str) -> int:
    midnight = int(datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
    return midnight - midnight % SLOT_US


def chart(span: Span, rows: Iterable[Any]) -> Chart:
    """The rows of a usage report by the span's own group, with zeros between them."""
    times, found = _filled(span, rows)
    return Chart(
        times=times,
        requests=tuple(row.requests if row else 0 for row in found),
        failed=tuple(row.released + row.abandoned if row else 0 for row in found),
        credits=tuple(row.charge_nano / _NANO if row else 0.0 for row in found),
    )


def earnings_chart(span: Span, rows: Iterable[Any]) -> EarningsChart:
    """The rows of an earnings report by the span's own group, with zeros between them."""
    times, found = _filled(span, rows)
    return EarningsChart(
        times=times,
        revenue=tuple(max(row.revenue_nano, 0) if row else 0 for row in found),
        cost=tuple(row.cost_nano if row else 0 for row in found),
    )


def _filled(span: Span, rows: Iterable[Any]) -> tuple[tuple[int, ...], list[Any]]:
    """When each step begins, and its row; none where nothing happened."""
    by_step = {getattr(row.group, span.group): row for row in rows}
    times, found = [], []
    for begin in _steps(span):
        times.append(int(begin.timestamp()))
        name = begin.strftime("%Y-%m-%dT%H:00") if span.group == "hour" else begin.strftime("%Y-%m-%d")
        found.append(by_step.get(name))
    return tuple(times), found


def _steps(span: Span) -> Iterable[datetime]:
    zone = ZoneInfo(span.zone)
    at = datetime.fromtimestamp(span.period.from_us / 1e6, tz=zone)
    end = datetime.fromtimestamp(span.period.until_us / 1e6, tz=zone)
    while at < end:
        yield at
        if span.group == "hour":
            at = datetime.fromtimestamp(at.timestamp() + _HOUR_S, tz=zone)
        else:
            at += timedelta(days=1)
