"""The price list: one stream for all prices, so that its version is the price version on every charge.

A publication prices some aliases from a time on. For an alias the entry in force at a time is the one that
started last; of two with the same start the later version. So a correction published now ends neither a
price that was announced for a later day, nor is it ended by publishing other aliases.
"""

from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.pricing import MARKUP_PPM_MAX, NO_MARKUP_PPM, Price, nano_per_million
from domain.refusal import BadField
from domain.text import REASON_CHARS_MAX, alias_name, printable

PRICE_LIST_STREAM: Final = UUID("5b2f6f0e-31a4-5d7c-8f0b-9c1d2e3f4a05")
ENTRIES_MAX = 5_000
AHEAD_US_MAX = 5 * 366 * 24 * 3600 * 1_000_000


class PriceText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices as an operator writes them: decimal credits per million units. None of them may be left out."""

    input: str
    cached_input: str
    cache_write: str
    output: str
    request: str  #: a flat fee, per million requests


class PriceListPublished(Fact, frozen=True, kw_only=True):
    """These aliases cost this from then on. The event's version in its stream is the price version."""

    TOPIC: ClassVar[str] = "price-list.published.v1"

    entries: dict[str, Price]  #: by alias
    markup_ppm: int
    effective_from_us: int
    approved_by: str
    note: str


PriceListEvent = PriceListPublished
PRICE_LIST_EVENTS: tuple[type[Fact], ...] = (PriceListPublished,)


class PriceList(msgspec.Struct, frozen=True):
    """The fold of the price list's stream: as much as a decision needs."""

    version: int = 0


def evolve(prices: PriceList, event: PriceListEvent) -> PriceList:
    """The list after one more publication."""
    match event:
        case PriceListPublished():
            return PriceList(prices.version + 1)
        case _:
            assert_never(event)


def publish(
    *,
    entries: dict[str, PriceText],
    markup_ppm: int = NO_MARKUP_PPM,
    effective_from_us: int | None,
    approved_by: str,
    note: str,
    stamp: Stamp,
) -> list[PriceListEvent]:
    """Set prices from a time on; none means now. Requests that were admitted before keep their price.

    Raises:
        BadField: there is no entry, an alias or a price cannot be used, the markup is out of range, or the
            time has passed.
    """
    start_us = stamp.now_us if effective_from_us is None else effective_from_us
    if not stamp.now_us <= start_us <= stamp.now_us + AHEAD_US_MAX:
        raise BadField("effective_from_us", "has passed, or is more than five years ahead")
    if not 1 <= markup_ppm <= MARKUP_PPM_MAX:
        raise BadField("markup_ppm", f"must be between 1 and {MARKUP_PPM_MAX}")
    if not 1 <= len(entries) <= ENTRIES_MAX:
        raise BadField("entries", f"must have 1 to {ENTRIES_MAX} aliases")
    return [
        PriceListPublished(
            entries={alias_name(alias): _price(alias, text) for alias, text in sorted(entries.items())},
            markup_ppm=markup_ppm,
            effective_from_us=start_us,
            approved_by=printable(approved_by, field="approved_by"),
            note=printable(note, field="note", chars_max=REASON_CHARS_MAX),
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _price(alias: str, text: PriceText) -> Price:
    def read(component: str, decimal: str) -> int:
        return nano_per_million(decimal, field=f"entries.{alias}.{component}")

    return Price(
        input_nano_per_million=read("input", text.input),
        cached_input_nano_per_million=read("cached_input", text.cached_input),
        cache_write_nano_per_million=read("cache_write", text.cache_write),
        output_nano_per_million=read("output", text.output),
        request_nano_per_million=read("request", text.request),
    )
