"""Where a buyer is for tax, and who pays it. It follows from whom the account's documents are for, not from who asks (ADR 104)."""

from typing import Final
from uuid import UUID

import msgspec

from application.eventlog import EventStore
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_billing, load_seller
from domain.invoicing.billing import BillingProfileSet
from domain.invoicing.treatment import is_reverse_charge
from domain.recharge.offers import Offer
from domain.refusal import BadField

ELSEWHERE: Final = "ZZ"
"""A country that the offer has no rate for, in the words of ISO 3166 and CLDR for a place that is not told."""


class Taxed(msgspec.Struct, frozen=True, kw_only=True):
    """As an offer's rates are looked up."""

    country: str | None
    reverse_charge: bool = False  #: the buyer owes the tax, so none is charged


def taxed(store: EventStore, account_id: UUID, *, otherwise: str | None) -> Taxed:
    """By the account's billing profile; `otherwise` where there is none. Raises LogUnavailable."""
    profile = load_billing(store, account_id).profile
    if profile is None:
        return Taxed(country=otherwise)
    return Taxed(country=profile.country, reverse_charge=_is_reversed(store, profile))


def require_taxed(store: EventStore, account_id: UUID, *, told: str | None, offer: Offer | None) -> Taxed:
    """The same, for a caller who may tell a country and not choose one.

    Raises:
        BadField: it is not that of the billing profile; or the offer's tax depends on it, and nobody has told.
    """
    found = taxed(store, account_id, otherwise=told)
    if told not in {None, found.country}:
        raise BadField("country", "is not that of the account's billing details, which decides on the tax")
    require_told(found, offer)
    return found


def require_told(buyer: Taxed, offer: Offer | None) -> None:
    """Raises BadField: the offer's tax depends on the country, and nobody has told it."""
    if buyer.country is None and offer is not None and offer.taxes:
        raise BadField("country", "decides on the tax: say where the buyer is, or set the billing details")


def _is_reversed(store: EventStore, profile: BillingProfileSet) -> bool:
    terms = load_invoicing(store).current
    if terms is None or terms.seller_id is None:
        return False
    seller = load_seller(store, terms.seller_id).seller
    return is_reverse_charge(seller_country=seller.country, buyer_country=profile.country, vat=profile.vat)
