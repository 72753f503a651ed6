"""The tax of a document in the currency of the seller's tax office, where the document's is another (Article 230 of Directive 2006/112/EC)."""

import re
from datetime import date
from typing import Final

import msgspec

from domain.invoicing.document import Document, Fx
from domain.recharge.currencies import exponent_of
from domain.refusal import BadField
from domain.rounding import divide_half_even
from domain.text import printable

_RATE: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,12}))?", re.ASCII)
_OFF_MAX: Final = 1  #: minor units; not every tax office rounds a half as we do


def converted(tax_minor: int, *, currency: str, into: str, rate: str) -> int:
    """Minor units of `into` at so many of it for one of `currency`; rounded once, half to even.

    Raises:
        BadField: the rate is no plain decimal above nothing, or a currency is not known.
    """
    digits, of_rate = exact_rate(rate, field="fx")
    decimals = of_rate + exponent_of(currency, field="fx")
    return divide_half_even(tax_minor * digits * 10 ** exponent_of(into, field="fx"), 10**decimals)


def exact_rate(rate: str, *, field: str) -> tuple[int, int]:
    """A rate as its digits and how many of them are decimals.

    Raises:
        BadField: it is no plain decimal above nothing.
    """
    read = _RATE.fullmatch(rate)
    if read is None or not (digits := int(read.group(1) + (read.group(2) or ""))):
        raise BadField(field, "must have a rate that is a plain decimal such as 0.9213")
    return digits, len(read.group(2) or "")


def checked_fx(fx: Fx | None, *, currency: str, tax_minor: int) -> Fx | None:
    """What an invoice may say of its tax in another currency.

    Raises:
        BadField: a part of it cannot be used, or its tax does not follow from its rate.
    """
    if fx is None:
        return None
    source = printable(fx.source, field="fx")
    try:
        date.fromisoformat(fx.on)
    except ValueError:
        raise BadField("fx", "must have a day such as 2026-11-29") from None
    if fx.currency == currency:
        raise BadField("fx", "must be of another currency")
    follows = converted(tax_minor, currency=currency, into=fx.currency, rate=fx.rate)
    if abs(fx.tax_minor - follows) > _OFF_MAX:
        raise BadField("fx", f"must have a tax that follows from its rate: {follows} minor units")
    return msgspec.structs.replace(fx, source=source)


def fx_of_part(invoice: Document, tax_minor: int) -> Fx | None:
    """The same of what a credit note takes back, at the invoice's rate: parts that add to its tax add to it there too."""
    fx, whole_minor = invoice.issued.fx, invoice.issued.tax_minor
    if fx is None or not whole_minor:
        return fx
    gone_minor = sum(rate.tax_minor for credited in invoice.credited for rate in credited.rates)
    before, after = (
        divide_half_even(fx.tax_minor * so_far_minor, whole_minor)
        for so_far_minor in (gone_minor, gone_minor + tax_minor)
    )
    return msgspec.structs.replace(fx, tax_minor=after - before)
