"""What charges of the past would have cost by another version of the prices. Reads the log once, and writes nothing."""

from collections.abc import Iterator
from typing import Final

from application.eventlog import EventStore
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.ledger.events import UsageCharged
from domain.refusal import BadField, NotFound
from domain.repricing import Repricing, RepricingPlan, RepricingQuestion
from domain.topics import REGISTRY

BATCH_EVENTS: Final = 5_000


def plan_repricing(store: EventStore, question: RepricingQuestion) -> RepricingPlan:
    """The plan as of now. Blocking, for as long as reading the log takes.

    Raises:
        BadField: the time is none, or the charges are of too many accounts.
        NotFound: the alias has no price in the new version.
        LogUnavailable: the log cannot be read.
    """
    if not 0 <= question.from_us < question.until_us:
        raise BadField("until_us", "must be after from_us")
    published = _published(store, question.new_price_version)
    price = published.entries.get(question.alias)
    if price is None:
        raise NotFound(f"price of {question.alias} in version", question.new_price_version)
    repricing = Repricing(question, price=price, markup_ppm=published.markup_ppm)
    for charge in _charges(store):
        repricing.take(charge)
    return repricing.plan()


def _published(store: EventStore, version: int) -> PriceListPublished:
    stored = store.read_stream(PRICE_LIST_STREAM, after_version=version - 1) if version > 0 else []
    if not stored:
        raise NotFound("price version", version)
    published = REGISTRY.decode(stored[0].topic, stored[0].state)
    assert isinstance(published, PriceListPublished)
    return published


def _charges(store: EventStore) -> Iterator[UsageCharged]:
    """All of them, in the order of the log, up to where it ends now."""
    position, head = 0, store.head_position()
    while position < head:
        events = store.read_log(after_position=position, limit=BATCH_EVENTS)
        if not events:
            return
        for recorded in events:
            if recorded.position <= head and recorded.topic == UsageCharged.TOPIC:
                event = REGISTRY.decode(recorded.topic, recorded.state)
                assert isinstance(event, UsageCharged)
                yield event
        position = events[-1].position
