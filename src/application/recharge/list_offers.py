"""What credit costs now. From the offers' stream, not from a read model."""

from application.command import load
from application.eventlog import EventStore
from domain.recharge import offers
from domain.recharge.offers import OFFERS_STREAM, Offer, Offers


def load_offers(store: EventStore) -> Offers:
    """All offers as they stand.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    return load(store, OFFERS_STREAM, Offers(), offers.evolve)


def list_offers(store: EventStore) -> tuple[Offer, ...]:
    """By currency; raises as `load_offers`."""
    return tuple(offer for _, offer in sorted(load_offers(store).by_currency.items()))
