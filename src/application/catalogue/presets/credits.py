"""From what a provider charges in USD to what that is in credits."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, TypeVar

import msgspec

from application.catalogue.presets.preset import DatedPrice, PresetModel
from domain.catalogue.prices import PictureText, PriceText, TierText
from domain.decimals import nano
from domain.refusal import BadField

_NANO: Final = Decimal(10) ** -9
_AMOUNTS: Final = (
    *("input", "cached_input", "cache_write", "output", "cache_write_long"),
    *("request", "image", "audio_second", "characters", "search"),
)
_SECOND_US: Final = 1_000_000
_RATE_FIELD: Final = "credits_per_usd"

TextT = TypeVar("TextT", PriceText, TierText, PictureText)


def rate_of(credits_per_usd: str) -> Decimal:
    """Read the rate exactly.

    Raises:
        BadField: it is no plain decimal above 0.
    """
    if nano(credits_per_usd, field=_RATE_FIELD) == 0:
        raise BadField(_RATE_FIELD, "must be above 0")
    return Decimal(credits_per_usd)


def in_credits(usd: PriceText, rate: Decimal) -> PriceText:
    """Every amount times the rate, up to the next nano-credit: never below what the provider takes. Factors stay."""
    price = _amounts(usd, rate)
    return msgspec.structs.replace(
        price,
        tiers=tuple(_amounts(tier, rate) for tier in usd.tiers),
        pictures=tuple(_amounts(row, rate) for row in usd.pictures),
    )


def rate_in(region: str, model: PresetModel, rate: Decimal) -> Decimal:
    """The rate for a model where its region costs more."""
    return rate * Decimal(model.region_factors.get(region, "1"))


def starts_us(price: DatedPrice) -> int:
    """When a price begins, in Unix microseconds; 0 for one that has no day."""
    return 0 if price.from_day is None else _midnight_us(price.from_day)


def price_at(prices: Iterable[DatedPrice], now_us: int) -> DatedPrice | None:
    """The last one that has begun, if there is any."""
    begun = [price for price in prices if starts_us(price) <= now_us]
    return begun[-1] if begun else None


def _amounts(text: TextT, rate: Decimal) -> TextT:
    changed: dict[str, Any] = {
        name: _times(amount, rate) for name in _AMOUNTS if (amount := getattr(text, name, None)) is not None
    }
    return msgspec.structs.replace(text, **changed)


def _times(amount: str, rate: Decimal) -> str:
    exact = (Decimal(amount) * rate).quantize(_NANO, rounding=ROUND_CEILING)
    return f"{exact.normalize():f}"


def _midnight_us(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * _SECOND_US
