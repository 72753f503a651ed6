"""Which row of a price a picture is charged by, and that what is held covers it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.events import Units
from domain.pictures import Picture, picture_of
from domain.pricing import NO_MARKUP_PPM, Bounds, Price, charge_nano, hold_nano

LOW = Picture(size="1024x1024", quality="low", nano_per_million=1)
HIGH = Picture(size="1024x1024", quality="high", nano_per_million=9)
WIDE = Picture(size="1536x1024", nano_per_million=5)
ROWS = (LOW, HIGH, WIDE)
OTHER = Picture(nano_per_million=7)


@pytest.mark.parametrize(
    ("size", "quality", "row"),
    [
        ("1024x1024", "low", LOW),
        ("1024x1024", "", HIGH),
        ("1024x1024", "auto", HIGH),
        ("", "low", WIDE),
        ("auto", "auto", HIGH),
        ("1536x1024", "medium", WIDE),
        ("512x512", "low", None),
        ("1024x1024", "medium", None),
    ],
)
def test_the_dearest_row_that_can_be_meant_counts(size: str, quality: str, row: Picture | None) -> None:
    """A name that is left out of a row fits any; what is not known may be any."""
    assert picture_of(ROWS, None, size=size, quality=quality) == row


@pytest.mark.parametrize(
    ("size", "quality", "row"),
    [("512x512", "low", OTHER), ("1024x1024", "low", LOW), ("", "low", OTHER), ("", "", HIGH)],
)
def test_the_price_of_every_other_picture_stands_in(size: str, quality: str, row: Picture) -> None:
    """Also where it could be one of those, and is dearer than the rows that fit."""
    assert picture_of(ROWS, 7, size=size, quality=quality) == row


names = st.sampled_from(("", "a", "b"))
rows = st.lists(
    st.builds(Picture, size=names, quality=names, nano_per_million=st.integers(0, 9)),
    max_size=5,
    unique_by=lambda row: (row.size, row.quality),
).map(tuple)


def price_of(rows: tuple[Picture, ...], image: int | None) -> Price:
    tokens: dict[str, Any] = dict.fromkeys(("input", "cached_input", "cache_write", "output", "request"), 0)
    free = {f"{name}_nano_per_million": each for name, each in tokens.items()}
    return Price(**free, image_nano_per_million=image, pictures=rows)


looks = st.tuples(names, names)


@given(rows, st.none() | st.integers(0, 9), looks, looks)
def test_a_picture_that_is_as_was_asked_never_costs_more_than_what_is_held(
    rows: tuple[Picture, ...], image: int | None, asked: tuple[str, str], made: tuple[str, str]
) -> None:
    """Whatever the provider chose where the client left it open."""
    price = price_of(rows, image)
    held = price.picture_of(*asked)
    charged = price.picture_of(asked[0] or made[0], asked[1] or made[1])
    if held is None or charged is None:
        return
    bounds = Bounds(requests=0, images=2, image_size=held.size, image_quality=held.quality)
    units = Units(requests=0, images=2, image_size=charged.size, image_quality=charged.quality)
    assert charge_nano(units, price, NO_MARKUP_PPM) <= hold_nano(bounds, price, NO_MARKUP_PPM)


def test_a_price_without_rows_charges_every_picture_alike() -> None:
    """Events that were stored before there were rows are rated as they were."""
    assert price_of((), 5_000_000).picture_of("512x512", "low") == Picture(nano_per_million=5_000_000)
    assert charge_nano(Units(requests=0, images=3), price_of((), 5_000_000), NO_MARKUP_PPM) == 15
    assert price_of(ROWS, 7).dearest_image_nano_per_million == 9
