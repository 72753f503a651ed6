"""What one recharge by a rule costs at the present offer."""

from uuid import UUID

import msgspec

from application.eventlog import EventStore
from application.recharge.list_offers import load_offers
from application.recharge.taxing import Taxed, require_told, taxed
from domain.auto_recharge.events import Rule
from domain.recharge.offers import Offers, Quote, quote


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The offers, where the buyer is, and what follows."""

    offers: Offers
    buyer: Taxed
    quote: Quote


def terms_of(store: EventStore, account_id: UUID, rule: Rule) -> Terms:
    """At this moment. The account's documents say where the buyer is, else the rule does.

    Raises:
        NotFound, AmountNotOffered, BadField: as `offers.quote`; or as `require_told`.
    """
    offers, buyer = load_offers(store), taxed(store, account_id, otherwise=rule.country)
    require_told(buyer, offers.by_currency.get(rule.currency))
    return Terms(
        offers=offers,
        buyer=buyer,
        quote=quote(
            offers,
            currency=rule.currency,
            amount_minor=rule.amount_minor,
            country=buyer.country,
            reverse_charge=buyer.reverse_charge,
        ),
    )
