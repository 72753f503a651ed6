"""What one recharge by a rule costs at the present offer."""

from uuid import UUID

import msgspec

from application.eventlog import EventStore
from application.invoicing.streams import load_billing
from application.recharge.list_offers import load_offers
from domain.auto_recharge.events import Rule
from domain.recharge.offers import Offers, Quote, quote


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The offers, where the buyer is, and what follows."""

    offers: Offers
    country: str | None
    quote: Quote


def terms_of(store: EventStore, account_id: UUID, rule: Rule) -> Terms:
    """At this moment. The account's documents say where the buyer is, else the rule does.

    Raises:
        NotFound, AmountNotOffered, BadField: as `offers.quote`.
    """
    offers, profile = load_offers(store), load_billing(store, account_id).profile
    country = rule.country if profile is None else profile.country
    return Terms(
        offers=offers,
        country=country,
        quote=quote(offers, currency=rule.currency, amount_minor=rule.amount_minor, country=country),
    )
