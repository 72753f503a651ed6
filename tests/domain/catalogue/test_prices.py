"""Publishing prices."""

import msgspec
import pytest

from domain.catalogue import prices as rules
from domain.catalogue.alias import AliasRemoved
from domain.catalogue.prices import (
    PictureText,
    PriceList,
    PriceListEvent,
    PriceListPublished,
    PriceText,
    TierText,
    WindowText,
)
from domain.fact import Stamp
from domain.pictures import Picture
from domain.pricing import Price, Tier, Window
from domain.refusal import BadField
from tests.spec import Spec

NOW_US = 1_000_000
AT = Stamp(now_us=NOW_US, actor="operator:1")
TEXT = PriceText(input="0.15", cached_input="0.015", cache_write="0.2", output="0.6", request="0")
PRICE = Price(
    input_nano_per_million=150_000_000,
    cached_input_nano_per_million=15_000_000,
    cache_write_nano_per_million=200_000_000,
    output_nano_per_million=600_000_000,
    request_nano_per_million=0,
)
SPEC: Spec[PriceList] = Spec(rules.evolve, initial=PriceList())


def publish(
    _prices: PriceList,
    *,
    entries: dict[str, PriceText] | None = None,
    markup_ppm: int = 1_000_000,
    effective_from_us: int | None = None,
    note: str = "launch",
) -> list[PriceListEvent]:
    return rules.publish(
        entries={"acme/big": TEXT} if entries is None else entries,
        markup_ppm=markup_ppm,
        effective_from_us=effective_from_us,
        approved_by="operator:1",
        note=note,
        stamp=AT,
    )


def published(effective_from_us: int) -> PriceListPublished:
    return PriceListPublished(
        entries={"acme/big": PRICE},
        markup_ppm=1_000_000,
        effective_from_us=effective_from_us,
        approved_by="operator:1",
        note="launch",
        occurred_us=NOW_US,
        actor="operator:1",
    )


def test_a_price_starts_now_or_later() -> None:
    """Never in the past: a request that was admitted at a price keeps it."""
    SPEC.given().when(publish).then(published(NOW_US))
    SPEC.given().when(lambda one: publish(one, effective_from_us=NOW_US + 9)).then(published(NOW_US + 9))
    for start_us in (NOW_US - 1, 0, -1, 2**62):
        with pytest.raises(BadField):
            publish(PriceList(), effective_from_us=start_us)


def test_the_version_counts_publications() -> None:
    """The version of the fold is the version of the stream."""
    assert SPEC.fold(published(1), published(2)).version == 2


@pytest.mark.parametrize("component", ["input", "cached_input", "cache_write", "output", "request"])
@pytest.mark.parametrize("text", ["-1", "NaN", "1e400000", "1000001", "0.0000000001"])
def test_a_price_is_neither_negative_nor_absurd(component: str, text: str) -> None:
    """The refusal names the alias and the component."""
    entries = {"acme/big": msgspec.structs.replace(TEXT, **{component: text})}
    SPEC.given().when(lambda one: publish(one, entries=entries)).then_refused(
        BadField, field=f"entries.acme/big.{component}"
    )


@pytest.mark.parametrize("missing", ["input", "cached_input", "cache_write", "output", "request"])
def test_a_missing_price_is_refused(missing: str) -> None:
    """It never means free: every component must be written, if only as 0."""
    needed = ("input", "cached_input", "cache_write", "output", "request")
    body = {name: "0" for name in needed if name != missing}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, PriceText)


def test_every_dimension_of_a_price_is_read_exactly() -> None:
    """Per million tokens and characters, per image, second and search, by length, hour and service tier."""
    text = msgspec.structs.replace(
        TEXT,
        cache_write_long="0.4",
        image="0.04",
        audio_second="0.0001",
        characters="15",
        search="0.01",
        tiers=(
            TierText(
                input="1",
                cached_input="1",
                cache_write="1",
                output="1",
                cache_write_long="2",
                above_input_tokens=9,
            ),
        ),
        windows=(WindowText(weekdays=(4, 0, 0), from_minute=60, to_minute=240, factor="2"),),
        service_tiers={"priority": "2.5", "flex": "0.5"},
        pictures=(
            PictureText(size="1024x1024", quality="hd", image="0.08"),
            PictureText(size="9x9", image="1"),
        ),
    )
    [event] = publish(PriceList(), entries={"a": text})
    assert event.entries["a"] == msgspec.structs.replace(
        PRICE,
        cache_write_long_nano_per_million=400_000_000,
        image_nano_per_million=40_000_000 * 10**6,
        audio_ms_nano_per_million=100_000 * 1000,
        character_nano_per_million=15 * 10**9,
        search_nano_per_million=10_000_000 * 10**6,
        tiers=(
            Tier(
                input_nano_per_million=10**9,
                cached_input_nano_per_million=10**9,
                cache_write_nano_per_million=10**9,
                output_nano_per_million=10**9,
                cache_write_long_nano_per_million=2 * 10**9,
                above_input_tokens=9,
            ),
        ),
        windows=(Window(weekdays=(0, 4), from_minute=60, to_minute=240, factor_ppm=2_000_000),),
        service_tiers={"flex": 500_000, "priority": 2_500_000},
        pictures=(
            Picture(size="1024x1024", quality="hd", nano_per_million=80_000_000 * 10**6),
            Picture(size="9x9", nano_per_million=10**9 * 10**6),
        ),
    )


TIER = TierText(input="1", cached_input="1", cache_write="1", output="1", above_input_tokens=9)
PICTURE = PictureText(size="1024x1024", image="0.04")
WINDOW = WindowText(weekdays=(0,), from_minute=0, to_minute=1, factor="2")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"image": "1000.1"}, "image"),
        ({"search": "-1"}, "search"),
        ({"tiers": (msgspec.structs.replace(TIER, above_input_tokens=0),)}, "tiers.0.above_input_tokens"),
        ({"tiers": (msgspec.structs.replace(TIER, output="x"),)}, "tiers.0.output"),
        ({"tiers": (TIER, msgspec.structs.replace(TIER, above_input_tokens=8))}, "tiers"),
        ({"tiers": (TIER, TIER)}, "tiers"),
        ({"windows": (msgspec.structs.replace(WINDOW, weekdays=(7,)),)}, "windows.0.weekdays"),
        ({"windows": (msgspec.structs.replace(WINDOW, to_minute=1441),)}, "windows.0.from_minute"),
        ({"windows": (msgspec.structs.replace(WINDOW, factor="0"),)}, "windows.0.factor"),
        ({"windows": (msgspec.structs.replace(WINDOW, factor="0.0000001"),)}, "windows.0.factor"),
        ({"service_tiers": {"flex": "101"}}, "service_tiers"),
        ({"pictures": (PICTURE, PICTURE)}, "pictures"),
        ({"pictures": (msgspec.structs.replace(PICTURE, size=""),)}, "pictures.0.size"),
        ({"pictures": (msgspec.structs.replace(PICTURE, size="auto"),)}, "pictures.0.size"),
        ({"pictures": (msgspec.structs.replace(PICTURE, quality="h d"),)}, "pictures.0.quality"),
        ({"pictures": (msgspec.structs.replace(PICTURE, image="1001"),)}, "pictures.0.image"),
    ],
)
def test_a_dimension_that_cannot_be_is_refused(change: dict[str, object], field: str) -> None:
    """The refusal names what is wrong with which alias."""
    entries = {"a": msgspec.structs.replace(TEXT, **change)}
    SPEC.given().when(lambda one: publish(one, entries=entries)).then_refused(
        BadField, field=f"entries.a.{field}"
    )


@pytest.mark.parametrize("markup_ppm", [0, -1, 100_000_001])
def test_a_markup_is_a_sensible_factor(markup_ppm: int) -> None:
    """A markup of nothing would make everything free."""
    SPEC.given().when(lambda one: publish(one, markup_ppm=markup_ppm)).then_refused(
        BadField, field="markup_ppm"
    )


def test_a_publication_prices_some_aliases() -> None:
    """Not none, not thousands too many, and only what can be an alias."""
    many = dict.fromkeys((f"m{number}" for number in range(5001)), TEXT)
    for entries in ({}, many, {"a b": TEXT}):
        with pytest.raises(BadField):
            publish(PriceList(), entries=entries)
    SPEC.given().when(lambda one: publish(one, note=" ")).then_refused(BadField, field="note")


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(AliasRemoved(alias="a", occurred_us=1, actor="system"))
