"""The price that a charge names, out of the publication that set it."""

from application.eventlog import EventStore
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.pricing import PriceInForce
from domain.topics import REGISTRY


def published_price(store: EventStore, version: int, alias: str) -> PriceInForce:
    """The price of an alias as the version has it that its admission or charge names.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    stored = store.read_stream(PRICE_LIST_STREAM, after_version=version - 1)[0]
    published = REGISTRY.decode(stored.topic, stored.state)
    assert isinstance(published, PriceListPublished)
    return PriceInForce(
        version=stored.version,
        effective_from_us=published.effective_from_us,
        markup_ppm=published.markup_ppm,
        price=published.entries[alias],
    )
