"""A rating written out, so that a person with paper can do it again.

Numbers that can exceed what JSON's readers hold exactly are strings of digits.
"""

from fractions import Fraction
from typing import Final

import msgspec

from domain.ledger.events import Units
from domain.pricing import Price, charge_nano, terms

DIVISOR: Final = 10**18  #: prices are per million, and so are both factors
ROUNDING: Final = "half-even"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many units at so much."""

    unit: str
    quantity: int
    nano_per_million: int
    product: str


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """`cost_nano` is the numerator divided by the divisor, rounded once; the numerator is the sum times both factors."""

    lines: tuple[Line, ...]
    sum: str
    markup_ppm: int
    factor_ppm: int
    numerator: str
    divisor: str
    rounding: str
    cost_nano: int

    @property
    def is_right(self) -> bool:
        """Whether every step leads to the next."""
        products = [line.quantity * line.nano_per_million for line in self.lines]
        whole = sum(products)
        numerator = whole * self.markup_ppm * self.factor_ppm
        return (
            [line.product for line in self.lines] == [str(product) for product in products]
            and (self.sum, self.numerator) == (str(whole), str(numerator))
            and (self.divisor, self.rounding) == (str(DIVISOR), ROUNDING)
            and self.cost_nano == round(Fraction(numerator, DIVISOR))
        )


def formula(units: Units, price: Price, *, markup_ppm: int, factor_ppm: int) -> Formula:
    """How the cost of `units` comes about."""
    lines = tuple(
        Line(
            unit=term.unit,
            quantity=term.quantity,
            nano_per_million=term.nano_per_million,
            product=str(term.quantity * term.nano_per_million),
        )
        for term in terms(units, price)
    )
    whole = sum(line.quantity * line.nano_per_million for line in lines)
    return Formula(
        lines=lines,
        sum=str(whole),
        markup_ppm=markup_ppm,
        factor_ppm=factor_ppm,
        numerator=str(whole * markup_ppm * factor_ppm),
        divisor=str(DIVISOR),
        rounding=ROUNDING,
        cost_nano=charge_nano(units, price, markup_ppm, factor_ppm=factor_ppm),
    )
