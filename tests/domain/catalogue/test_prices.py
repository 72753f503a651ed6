"""Publishing prices."""

import msgspec
import pytest

from domain.catalogue import prices as rules
from domain.catalogue.alias import AliasRemoved
from domain.catalogue.prices import PriceList, PriceListEvent, PriceListPublished, PriceText
from domain.fact import Stamp
from domain.pricing import Price
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
    body = {name: "0" for name in PriceText.__struct_fields__ if name != missing}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, PriceText)


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
