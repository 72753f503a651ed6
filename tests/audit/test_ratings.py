"""P12: the auditor rates as the product does, and as fractions say."""

from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.ledger.events import Units
from domain.pictures import Picture
from domain.pricing import NO_MARKUP_PPM, Price, Tier, Window, charge_nano, combined_ppm
from tokenok_audit import Findings, Ratings, Recorded, half_even

nanos = st.integers(0, 10**13)
counts = st.integers(0, 10**7)
factors = st.integers(1, 5_000_000)
tokens = {
    "input_nano_per_million": nanos,
    "cached_input_nano_per_million": nanos,
    "cache_write_nano_per_million": nanos,
    "output_nano_per_million": nanos,
    "cache_write_long_nano_per_million": st.none() | nanos,
}
others = {
    name: st.none() | nanos
    for name in (
        "image_nano_per_million",
        "audio_ms_nano_per_million",
        "character_nano_per_million",
        "search_nano_per_million",
    )
}
looks = st.sampled_from(["", "1024x1024", "high"])
prices = st.builds(
    Price,
    **tokens,
    **others,
    request_nano_per_million=nanos,
    tiers=st.lists(
        st.builds(Tier, above_input_tokens=counts, **tokens),
        max_size=3,
        unique_by=lambda tier: tier.above_input_tokens,
    ).map(lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above_input_tokens))),
    windows=st.just(()),
    service_tiers=st.just({}),
    pictures=st.lists(
        st.builds(Picture, size=looks, quality=looks, nano_per_million=nanos),
        max_size=3,
        unique_by=lambda row: (row.size, row.quality),
    ).map(tuple),
)
units = st.builds(
    Units,
    input=counts,
    cached_input=counts,
    cache_write=counts,
    cache_write_long=counts,
    output=counts,
    requests=st.integers(0, 3),
    images=st.integers(0, 10),
    image_size=looks,
    image_quality=looks,
    audio_ms=counts,
    characters=counts,
    searches=st.integers(0, 10),
)


def _recorded(stream_id: str, topic: str, event: Any) -> Recorded:
    return Recorded(1, stream_id, 1, topic, msgspec.json.decode(msgspec.json.encode(event)), 1)


def _published(price: Price, markup_ppm: int) -> Recorded:
    event = PriceListPublished(
        entries={"demo": price},
        markup_ppm=markup_ppm,
        effective_from_us=0,
        approved_by="test",
        note="",
        occurred_us=0,
        actor="test",
    )
    return _recorded(str(PRICE_LIST_STREAM), event.TOPIC, event)


def _charged(used: Units, rated_nano: int, factor_ppm: int) -> Recorded:
    hold_nano = rated_nano // 2
    event = {
        "request_id": "x",
        "alias": "demo",
        "price_version": 1,
        "units": used,
        "hold_nano": hold_nano,
        "charge_nano": min(rated_nano, hold_nano),
        "shortfall_nano": rated_nano - min(rated_nano, hold_nano),
    } | ({} if factor_ppm == NO_MARKUP_PPM else {"factor_ppm": factor_ppm})
    return _recorded("y", "lease.usage-charged.v1", event)


@given(
    price=prices,
    used=units,
    markup_ppm=st.integers(1, 10**8),
    factors_ppm=st.tuples(factors, factors),
    off=st.integers(-1, 1),
)
def test_the_auditor_and_the_product_rate_alike(
    price: Price, used: Units, markup_ppm: int, factors_ppm: tuple[int, int], off: int
) -> None:
    """Any price list and any use of it; and a charge that is off by one nano-credit is found."""
    hour, tier = factors_ppm
    window = Window(weekdays=(0,), from_minute=0, to_minute=1, factor_ppm=hour)
    price = msgspec.structs.replace(price, windows=(window,), service_tiers={"flex": tier})
    factor_ppm = combined_ppm(hour, tier)
    rated_nano = charge_nano(used, price, markup_ppm, factor_ppm=factor_ppm)
    told_nano = max(rated_nano + off, 0)
    findings = Findings()
    ratings = Ratings(findings)
    ratings.publish(_published(price, markup_ppm))
    ratings.check(_charged(used, told_nano, factor_ppm))
    assert bool(findings.counts) == (told_nano != rated_nano)


@given(numerator=st.integers(0, 10**40), denominator=st.integers(1, 10**20))
def test_rounding_is_half_even(numerator: int, denominator: int) -> None:
    """Against the language's own fractions; a tie goes to the even one."""
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))
    assert half_even(2 * numerator + 1, 2) == round(Fraction(2 * numerator + 1, 2))
