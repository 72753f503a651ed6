"""Figures, money and times as people of a language and a time zone write them."""

from datetime import UTC, datetime, timedelta
from datetime import date as calendar_day
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_skeleton,
    format_time,
    format_timedelta,
)
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from application.i18n import formats
from domain.recharge.currencies import exponent_of

DASH: Final = "\u2013"
_NANO: Final = Decimal(1_000_000_000)
_EXACT: Final = "#,##0.00#######"
_SHORT: Final = "#,##0.00##"
_TINY_NANO: Final = 50_000  #: rounds to nothing in four decimals
_MS: Final = 1_000
_MINUTE_S: Final = 60
_COMPACT_FROM: Final = 100_000
_BABEL: Final = {"en": "en", "zh": "zh_Hans_CN", "ja": "ja_JP", "ko": "ko_KR"}


class Formats:
    """Of one visitor. `None` becomes a dash everywhere."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.zone = zone
        self._locale = Locale.parse(_BABEL[language])

    def money(self, amount_nano: int | None) -> str:
        """Credits, exactly: at least two decimals, and all that there are."""
        return self._credits(amount_nano, _EXACT)

    def money_short(self, amount_nano: int | None) -> str:
        """Credits to four decimals, for overviews; rounded half-even, but what is something is never shown as nothing."""
        is_tiny = amount_nano is not None and 0 < abs(amount_nano) <= _TINY_NANO
        return self._credits(amount_nano, _EXACT if is_tiny else _SHORT)

    def cash(self, amount_minor: int | None, currency: str) -> str:
        """Money, exactly: minor units of a currency, written as people of the language write it."""
        if amount_minor is None:
            return DASH
        return formats.money(
            amount_minor, currency=currency, exponent=exponent_of(currency), locale=self._locale
        )

    def plain_cash(self, amount_minor: int | None, currency: str) -> str:
        """As a form's field takes it: no sign of the currency, no separators."""
        if amount_minor is None:
            return ""
        return format(Decimal(amount_minor).scaleb(-exponent_of(currency)), "f")

    def plain_credits(self, amount_nano: int | None) -> str:
        """Likewise, of credits."""
        if amount_nano is None:
            return ""
        text = format(Decimal(amount_nano) / _NANO, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def plain_percent(self, share_ppm: int) -> str:
        """Likewise, of a share in millionths."""
        text = format(Decimal(share_ppm) / 10_000, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def country(self, code: str) -> str:
        """What people call it; the code itself for one that nobody knows."""
        return str(self._locale.territories.get(code, code))

    def rate(self, nano_per_million: int | None, markup_ppm: int) -> str:
        """What is charged for a million units: the price times its markup."""
        if nano_per_million is None:
            return DASH
        return self.money(round(Decimal(nano_per_million) * markup_ppm / 1_000_000))

    def number(self, value: float | Decimal | None) -> str:
        return DASH if value is None else format_decimal(value, locale=self._locale)

    def compact(self, value: int | None) -> str:
        """As `number`, but 1.2M for what is long."""
        if value is None or value < _COMPACT_FROM:
            return self.number(value)
        return format_compact_decimal(value, locale=self._locale, fraction_digits=1)

    def percent(self, share: float | None) -> str:
        return DASH if share is None else format_percent(share, "#,##0.#%", locale=self._locale)

    def markup(self, factor_ppm: int) -> str:
        """What comes on top of a price: nothing where the factor is 1."""
        return self.percent((factor_ppm - 1_000_000) / 1_000_000)

    def duration(self, value_ms: float | None) -> str:
        """Milliseconds below a second, seconds below two minutes, else minutes."""
        if value_ms is None:
            return DASH
        if value_ms < _MS:
            return f"{format_decimal(round(value_ms), locale=self._locale)} ms"
        seconds = value_ms / _MS
        if seconds < 2 * _MINUTE_S:
            return f"{format_decimal(seconds, '#,##0.0#', locale=self._locale)} s"
        return format_timedelta(
            timedelta(seconds=seconds), locale=self._locale, format="short", threshold=1.5
        )

    def date(self, time_us: int | None) -> str:
        return DASH if time_us is None else format_date(self._at(time_us).date(), "medium", self._locale)

    def day(self, text: str) -> str:
        """A day as documents have it, `2026-01-31`; those do not go by the visitor's zone."""
        return format_date(calendar_day.fromisoformat(text), "medium", self._locale)

    def month(self, text: str) -> str:
        """A month, `2026-01`."""
        return format_skeleton("yMMMM", calendar_day.fromisoformat(f"{text}-01"), locale=self._locale)

    def days(self, first: calendar_day, last: calendar_day) -> str:
        """From one day to another, as short as the language has it."""
        return format_interval(first, last, "yMMMd", locale=self._locale)

    def time(self, time_us: int | None) -> str:
        """Date and time to the second, in the visitor's zone."""
        if time_us is None:
            return DASH
        return format_datetime(self._at(time_us), "medium", tzinfo=self.zone, locale=self._locale)

    def minute(self, time_us: int | None) -> str:
        """Date and time to the minute."""
        if time_us is None:
            return DASH
        return format_datetime(self._at(time_us), "short", tzinfo=self.zone, locale=self._locale)

    def field(self, time_us: int | None) -> str:
        """As a browser's field for a time has it, in the visitor's zone."""
        return "" if time_us is None else self._at(time_us).strftime("%Y-%m-%dT%H:%M")

    def clock(self, time_us: int) -> str:
        return format_time(self._at(time_us), "HH:mm:ss", tzinfo=self.zone, locale=self._locale)

    def ago(self, time_us: int | None, now_us: int) -> str:
        """How long ago, in one unit."""
        if time_us is None:
            return DASH
        away = timedelta(microseconds=time_us - now_us)
        return format_timedelta(away, locale=self._locale, add_direction=True, threshold=1.2)

    def iso(self, time_us: int) -> str:
        """For machines: the instant in UTC."""
        return datetime.fromtimestamp(time_us / 1e6, tz=UTC).isoformat(timespec="milliseconds")

    def _at(self, time_us: int) -> datetime:
        return datetime.fromtimestamp(time_us / 1e6, tz=self.zone)

    def _credits(self, amount_nano: int | None, pattern: str) -> str:
        if amount_nano is None:
            return DASH
        return format_decimal(Decimal(amount_nano) / _NANO, pattern, locale=self._locale)
