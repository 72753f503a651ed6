"""Prices as people write them: plain decimals, read exactly or not at all."""

import re
from typing import Final

from domain.refusal import BadField

PRICE_CEILING_NANO_PER_MILLION: Final = (
    10**15
)  #: one credit a token; a dearer price is a slip of the decimal point
_NANO_DIGITS: Final = 9
_WHOLE_NANO: Final = 10**_NANO_DIGITS
_DECIMAL: Final = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,9}))?")


def nano(decimal: str, *, field: str) -> int:
    """Read a decimal such as `"0.15"` credits (at most 7 digits and 9 decimals) as nano-credits, exactly.

    Raises:
        BadField: it is negative, too long, or no plain decimal (`1e3`, `NaN`, `+1`).
    """
    match = _DECIMAL.fullmatch(decimal)
    if match is None:
        raise BadField(field, f"must be a plain decimal with at most {_NANO_DIGITS} decimals")
    whole, fraction = match.group(1), match.group(2) or ""
    return int(whole + fraction.ljust(_NANO_DIGITS, "0"))


def nano_per_million(decimal: str, *, field: str) -> int:
    """Read credits per million units as nano-credits per million.

    Raises:
        BadField: as `nano`, or it is above the ceiling of one credit a unit.
    """
    price = nano(decimal, field=field)
    if price > PRICE_CEILING_NANO_PER_MILLION:
        raise BadField(field, "is above the ceiling of one credit per unit")
    return price


def decimal_text(amount_nano: int) -> str:
    """The decimal that `nano` reads back as the same integer."""
    whole, fraction = divmod(amount_nano, _WHOLE_NANO)
    return f"{whole}.{fraction:09d}".rstrip("0") if fraction else str(whole)
