"""How a sale is taxed, in the words of EN 16931, and what a document must say about it.

A rate is what an offer says for the buyer's country. Where it is zero, the parties tell why. Counsel decides what applies;
this says it on paper.
"""

from typing import Final, Literal

from domain.invoicing.parties import VatEvidence

#: Standard rated, zero rated, exempt, reverse charge, export, outside the scope.
TaxCategory = Literal["S", "Z", "E", "AE", "G", "O"]
Notice = Literal["reverse_charge", "export", "exempt", "no_fapiao", "no_kr_tax_invoice", "prepayment"]

EU: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)


def category_of(
    *, seller_country: str, buyer_country: str, vat: VatEvidence | None, rate_ppm: int
) -> TaxCategory:
    """Why the rate is what it is."""
    if rate_ppm:
        return "S"
    if is_reverse_charge(seller_country=seller_country, buyer_country=buyer_country, vat=vat):
        return "AE"
    if _is_across_the_eu(seller_country, buyer_country):
        return "E"
    return "Z" if seller_country == buyer_country else "G"


def is_reverse_charge(*, seller_country: str, buyer_country: str, vat: VatEvidence | None) -> bool:
    """Whether the buyer owes the tax: a business of another country of the EU, whose number the register found valid."""
    return _is_across_the_eu(seller_country, buyer_country) and vat is not None and vat.valid


def _is_across_the_eu(seller_country: str, buyer_country: str) -> bool:
    return seller_country in EU and buyer_country in EU and seller_country != buyer_country


def notices_of(*, seller_country: str, categories: frozenset[TaxCategory]) -> tuple[Notice, ...]:
    """What must be said, in a fixed order. What tax offices issue themselves is never imitated."""
    said: dict[Notice, bool] = {
        "reverse_charge": "AE" in categories,
        "export": "G" in categories,
        "exempt": "E" in categories,
        "no_fapiao": seller_country == "CN",
        "no_kr_tax_invoice": seller_country == "KR",
    }
    return tuple(notice for notice, applies in said.items() if applies)
