"""Currencies that credit can be bought with, and how many decimals their minor unit has (ISO 4217)."""

from typing import Final

from domain.refusal import BadField

EXPONENTS: Final[dict[str, int]] = {
    "AED": 2,
    "AUD": 2,
    "BRL": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "CZK": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "HUF": 2,
    "IDR": 2,
    "ILS": 2,
    "INR": 2,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "MXN": 2,
    "MYR": 2,
    "NOK": 2,
    "NZD": 2,
    "PHP": 2,
    "PLN": 2,
    "RON": 2,
    "SAR": 2,
    "SEK": 2,
    "SGD": 2,
    "THB": 2,
    "TRY": 2,
    "USD": 2,
    "VND": 0,
    "ZAR": 2,
}
MINOR_MAX: Final = 10**13
"""Above every sum that anybody pays at once, far below 64 bits."""


def exponent_of(currency: str, *, field: str = "currency") -> int:
    """Decimals of the minor unit: 2 for EUR, 0 for JPY.

    Raises:
        BadField: the currency is not known here.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise BadField(field, "must be a known ISO 4217 code in upper case") from None


def require_minor(amount_minor: int, *, field: str) -> int:
    """An amount of money that somebody may pay.

    Raises:
        BadField: it is not positive, or beyond all reason.
    """
    if not 0 < amount_minor <= MINOR_MAX:
        raise BadField(field, "must be a positive number of minor units, at most 10^13")
    return amount_minor
