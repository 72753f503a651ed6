"""Numbers, money and days as people of a language write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import babel
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from application.i18n.locales import Locale

_NANO_DIGITS = 9
_PPM_PERCENT_DIGITS = 4


def money(amount_minor: int, *, currency: str, exponent: int, locale: Locale | babel.Locale) -> str:
    """Such as `€1,234.50`, exactly: with the decimals of ISO 4217, where the library shows of rupiahs only whole ones."""
    amount = Decimal(amount_minor).scaleb(-exponent)
    return format_currency(
        amount, currency, format=_money_pattern(str(locale), exponent), locale=locale, currency_digits=False
    )


@cache
def _money_pattern(locale: str, exponent: int) -> str:
    """How the language writes money, with so many decimals."""
    usual = str(babel.Locale.parse(locale).currency_formats["standard"].pattern)
    return usual.replace("0.00", f"0.{'0' * exponent}" if exponent else "0")


def credit(amount_nano: int, *, locale: Locale) -> str:
    """Credits to the nano, without trailing zeros beyond two decimals."""
    amount = Decimal(amount_nano).scaleb(-_NANO_DIGITS)
    return format_decimal(amount, format="#,##0.00#######", locale=locale)


def number(value: int, *, locale: Locale) -> str:
    """Such as `12,345`."""
    return format_decimal(value, locale=locale)


def percent(rate_ppm: int, *, locale: Locale) -> str:
    """Such as `7.7%`, exactly."""
    rate = Decimal(rate_ppm).scaleb(-_PPM_PERCENT_DIGITS)
    return f"{format_decimal(rate, format='#,##0.####', locale=locale)}%"


def day(iso: str, *, locale: Locale) -> str:
    """A day such as `2026-11-29`, in words where the language does so."""
    return format_date(date.fromisoformat(iso), format="long", locale=locale)


def moment(time_us: int, *, zone: str, locale: Locale) -> str:
    """A time with its day and its zone, such as `November 29, 2026 2:03 PM (Asia/Tokyo)`."""
    time = datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=time_us)
    local = time.astimezone(ZoneInfo(zone))
    day_text = format_date(local.date(), format="long", locale=locale)
    # The library puts a narrow blank before AM and PM, which some programs show as a box.
    time_text = format_time(local.timetz(), format="short", locale=locale).replace("\u202f", " ")
    return f"{day_text} {time_text} ({zone})"


def country(code: str, *, locale: Locale) -> str:
    """What people call it; the code itself for one that nobody knows."""
    return str(babel.Locale.parse(locale).territories.get(code, code))
