"""In which currency a seller's tax office reads the tax of an invoice, whatever currency that is in.

Only countries that want it on the invoice itself: in the EU by Article 230 of Directive 2006/112/EC. Sellers of others note a rate where
their counsel says so.
"""

from typing import Final

_EURO: Final = frozenset(
    "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK".split()  # noqa: SIM905  # as people read it
)
_OWN: Final = {
    "AE": "AED",
    "AU": "AUD",
    "CN": "CNY",
    "CZ": "CZK",
    "DK": "DKK",
    "GB": "GBP",
    "HU": "HUF",
    "JP": "JPY",
    "KR": "KRW",
    "NO": "NOK",
    "PL": "PLN",
    "RO": "RON",
    "SA": "SAR",
    "SE": "SEK",
    "SG": "SGD",
}


def tax_currency_of(country: str) -> str | None:
    """ISO 4217; none where an invoice in another currency need not say its tax in the country's own."""
    return "EUR" if country in _EURO else _OWN.get(country)
