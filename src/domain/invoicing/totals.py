"""What lines come to, and what a part of an invoice is: once for each rate, and never a minor unit lost."""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from domain.invoicing.document import Document, Line, RateTotal
from domain.invoicing.treatment import TaxCategory
from domain.recharge.currencies import MINOR_MAX
from domain.refusal import BadField, Refusal
from domain.rounding import PPM, divide_half_even, split, tax_in, tax_on
from domain.text import printable

LINES_MAX: Final = 500


class CreditAboveInvoice(Refusal):
    """More would be credited than the invoice has left; nothing was issued."""

    code: ClassVar[str] = "credit_above_invoice"

    def __init__(self, *, left_minor: int) -> None:
        super().__init__(f"the invoice has {left_minor} minor units left to credit")
        self.left_minor = left_minor


class Sold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line before tax is worked out: its amount has the tax in it or not, as is said for all of them."""

    description: str
    amount_minor: int
    rate_ppm: int


def totals_of(
    sold: Sequence[Sold], categories: Sequence[TaxCategory], *, tax_included: bool
) -> tuple[tuple[Line, ...], tuple[RateTotal, ...]]:
    """Lines with their net amounts, and the totals of each rate; the lines of a rate add to its net.

    Raises:
        BadField: there are none or too many, or one cannot be used.
    """
    _check(sold)
    groups: dict[tuple[TaxCategory, int], list[int]] = {}
    for place, (one, category) in enumerate(zip(sold, categories, strict=True)):
        groups.setdefault((category, one.rate_ppm), []).append(place)
    nets: dict[int, int] = {}
    rates = []
    for (category, rate_ppm), places in sorted(groups.items(), key=lambda group: (-group[0][1], group[0][0])):
        amounts = [sold[place].amount_minor for place in places]
        whole = sum(amounts)
        tax = tax_in(whole, rate_ppm) if tax_included else tax_on(whole, rate_ppm)
        net = whole - tax if tax_included else whole
        nets.update(zip(places, split(net, amounts), strict=True))
        rates.append(RateTotal(category=category, rate_ppm=rate_ppm, net_minor=net, tax_minor=tax))
    lines = tuple(
        Line(
            description=printable(one.description, field="lines", chars_max=500),
            net_minor=nets[place],
            category=categories[place],
            rate_ppm=one.rate_ppm,
        )
        for place, one in enumerate(sold)
    )
    return lines, tuple(rates)


def _check(sold: Sequence[Sold]) -> None:
    if not 1 <= len(sold) <= LINES_MAX:
        raise BadField("lines", f"must be one to {LINES_MAX}")
    if any(not 0 < one.amount_minor <= MINOR_MAX for one in sold):
        raise BadField("lines", "must have positive amounts, at most 10^13 minor units")
    if any(not 0 <= one.rate_ppm <= PPM for one in sold):
        raise BadField("lines", "must have rates of 0 to 1000000 millionths")


def left_of(invoice: Document) -> tuple[RateTotal, ...]:
    """What no credit note has taken back yet, for each rate."""
    left = []
    for rate in invoice.issued.rates:
        taken = [one for credited in invoice.credited for one in credited.rates if one.key == rate.key]
        left.append(
            msgspec.structs.replace(
                rate,
                net_minor=rate.net_minor - sum(one.net_minor for one in taken),
                tax_minor=rate.tax_minor - sum(one.tax_minor for one in taken),
            )
        )
    return tuple(left)


def part_of(invoice: Document, amount_minor: int | None) -> tuple[RateTotal, ...]:
    """`amount_minor` of what is left, tax included, over the rates in proportion; all of it if none is given.

    Parts of an invoice that add to the whole of it add to the whole of its tax.

    Raises:
        BadField: the amount is not positive.
        CreditAboveInvoice: more than is left, or nothing is.
    """
    left = left_of(invoice)
    grosses = [one.net_minor + one.tax_minor for one in left]
    wanted = sum(grosses) if amount_minor is None else amount_minor
    if amount_minor is not None and amount_minor <= 0:
        raise BadField("amount_minor", "must be positive")
    if not 0 < wanted <= sum(grosses):
        raise CreditAboveInvoice(left_minor=sum(grosses))
    parts = []
    for one, gross, of_gross in zip(left, split(wanted, grosses), grosses, strict=True):
        if gross:
            tax = divide_half_even(one.tax_minor * gross, of_gross)
            parts.append(msgspec.structs.replace(one, net_minor=gross - tax, tax_minor=tax))
    return tuple(parts)


def require_left(invoice: Document, rates: Sequence[RateTotal]) -> None:
    """Refuse to take back what is not left.

    Raises:
        CreditAboveInvoice: see there.
    """
    left = {one.key: one for one in left_of(invoice)}
    for one in rates:
        have = left.get(one.key)
        if have is None or one.net_minor > have.net_minor or one.tax_minor > have.tax_minor:
            raise CreditAboveInvoice(
                left_minor=sum(rate.net_minor + rate.tax_minor for rate in left.values())
            )
