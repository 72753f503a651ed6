"""What usage costs. All integers: prices are nano-credits per million units, markups parts per million.

A request is rounded once: a charge half-even, a hold up. So a charge never exceeds the hold of its bounds.
"""

import re

import msgspec

from domain.ledger.events import Units
from domain.refusal import BadField

PRICE_CEILING_NANO_PER_MILLION = 10**15  #: one credit a token; a dearer price is a slip of the decimal point
MARKUP_PPM_MAX = 100_000_000  #: a factor of 100
NO_MARKUP_PPM = 1_000_000
_PER_MILLION = 1_000_000
_NANO_DIGITS = 9
_DECIMAL = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,9}))?")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The price of one model alias. Every component is named: what has no price is refused, never free."""

    input_nano_per_million: int
    cached_input_nano_per_million: int
    cache_write_nano_per_million: int
    output_nano_per_million: int
    request_nano_per_million: int  #: a flat fee, per million requests


class PriceInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A price with the version and the start of the price list that set it."""

    version: int
    effective_from_us: int
    markup_ppm: int
    price: Price


def nano_per_million(decimal: str, *, field: str) -> int:
    """Read a decimal such as `"0.15"` (credits per million units, at most 9 decimals) exactly.

    Raises:
        BadField: it is negative, too long, above the ceiling, or no plain decimal (`1e3`, `NaN`, `+1`).
    """
    match = _DECIMAL.fullmatch(decimal)
    if match is None:
        raise BadField(field, f"must be a plain decimal with at most {_NANO_DIGITS} decimals")
    whole, fraction = match.group(1), match.group(2) or ""
    price = int(whole + fraction.ljust(_NANO_DIGITS, "0"))
    if price > PRICE_CEILING_NANO_PER_MILLION:
        raise BadField(field, "is above the ceiling of one credit per unit")
    return price


def decimal_text(price_nano_per_million: int) -> str:
    """The decimal that `nano_per_million` reads back as the same integer."""
    whole, fraction = divmod(price_nano_per_million, 10**_NANO_DIGITS)
    digits = f"{fraction:0{_NANO_DIGITS}d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def charge_nano(units: Units, price: Price, markup_ppm: int) -> int:
    """The cost of what was used, in nano-credits, rounded half-even once."""
    quotient, remainder = divmod(_exact(units, price) * markup_ppm, _PER_MILLION * _PER_MILLION)
    twice = 2 * remainder
    half = _PER_MILLION * _PER_MILLION
    if twice > half or (twice == half and quotient & 1):
        return quotient + 1
    return quotient


def hold_nano(units: Units, price: Price, markup_ppm: int) -> int:
    """The cost of upper bounds, in nano-credits, rounded up. Make `units` with `worst_case`."""
    return -(-_exact(units, price) * markup_ppm // (_PER_MILLION * _PER_MILLION))


def worst_case(price: Price, *, prompt_tokens: int, output_tokens: int, requests: int = 1) -> Units:
    """The dearest way in which a prompt of at most `prompt_tokens` can be reported, and the whole answer."""
    fresh = price.input_nano_per_million
    cached = price.cached_input_nano_per_million
    written = price.cache_write_nano_per_million
    if fresh >= cached and fresh >= written:
        return Units(input=prompt_tokens, output=output_tokens, requests=requests)
    if written >= cached:
        return Units(cache_write=prompt_tokens, output=output_tokens, requests=requests)
    return Units(cached_input=prompt_tokens, output=output_tokens, requests=requests)


def _exact(units: Units, price: Price) -> int:
    """Nano-credits times a million, before any markup."""
    return (
        units.input * price.input_nano_per_million
        + units.cached_input * price.cached_input_nano_per_million
        + units.cache_write * price.cache_write_nano_per_million
        + units.output * price.output_nano_per_million
        + units.requests * price.request_nano_per_million
    )
