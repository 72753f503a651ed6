"""Units that a provider tells are charged where the price covers them; nothing is served for nothing."""

from uuid import UUID

import msgspec
import pytest

from application.dialects.openai.units import Used
from application.gateway.rating import Terms, metered_in_units, rated_nano
from application.wire.bounds import Bound
from domain.pictures import Picture
from domain.pricing import NO_MARKUP_PPM, PriceInForce
from tests.application.gateway.exchange_world import PRICE

BOUND = Bound(
    prompt_tokens=100, answer_tokens=0, output_tokens=50, images=2, audio_ms=9_000, characters=30, searches=3
)
FREE = msgspec.structs.replace(
    PRICE,
    input_nano_per_million=0,
    cached_input_nano_per_million=0,
    cache_write_nano_per_million=0,
    output_nano_per_million=0,
)


def terms(**named: int) -> Terms:
    """Nothing costs anything but what is named, at a nano-credit each."""
    figures = {f"{name}_nano_per_million": 1_000_000 * each for name, each in named.items()}
    return Terms(
        key_id=UUID(int=1),
        alias="m",
        bound=BOUND,
        price=PriceInForce(
            version=1,
            effective_from_us=0,
            markup_ppm=NO_MARKUP_PPM,
            price=msgspec.structs.replace(FREE, **figures),
        ),
    )


@pytest.mark.parametrize(
    ("named", "used", "nano", "source"),
    [
        ({"image": 5}, Used(images=1, source="answer"), 5, "provider"),
        ({"audio_ms": 1}, Used(audio_ms=700), 700, "provider"),
        ({"search": 4}, Used(searches=2, input=80), 8, "provider"),
        ({"character": 2}, Used(characters=30, source="request"), 60, "none"),
        ({"input": 1, "output": 2}, Used(input=10, output=3), 16, "provider"),
        ({"input": 1, "image": 3}, Used(input=10, images=1), 13, "provider"),
    ],
)
def test_what_is_told_and_priced_is_charged(
    named: dict[str, int], used: Used, nano: int, source: str
) -> None:
    """In the units of the price."""
    usage = metered_in_units(used, None, terms(**named))
    assert (rated_nano(usage, terms(**named)), usage.source) == (nano, source)


@pytest.mark.parametrize(
    ("named", "used", "nano"),
    [
        ({"audio_ms": 1}, Used(source="request"), 9_000),
        ({"audio_ms": 1}, Used(input=40, output=7), 9_000),
        ({"input": 1, "output": 1}, Used(audio_ms=700), 150),
        ({"image": 0, "output": 1}, Used(images=1, source="answer"), 50),
    ],
)
def test_what_the_price_does_not_cover_is_charged_by_its_bound(
    named: dict[str, int], used: Used, nano: int
) -> None:
    """Nothing told, or another unit than the price names: marked as an estimate."""
    usage = metered_in_units(used, None, terms(**named))
    assert (rated_nano(usage, terms(**named)), usage.source) == (nano, "estimated")


LOOKS = (
    Picture(size="1024x1024", quality="low", nano_per_million=1_000_000),
    Picture(size="1024x1024", quality="high", nano_per_million=9_000_000),
)


@pytest.mark.parametrize(
    ("size", "quality", "nano", "named"),
    [
        ("1024x1024", "low", 2, ("1024x1024", "low")),
        ("1024x1024", "", 18, ("1024x1024", "high")),
        ("512x512", "ultra", 18, ("1024x1024", "high")),
    ],
)
def test_pictures_are_charged_by_the_row_of_their_look(
    size: str, quality: str, nano: int, named: tuple[str, str]
) -> None:
    """What the event keeps are the row's own words; a look without a price costs what was agreed."""
    agreed = terms()
    price = msgspec.structs.replace(agreed.price.price, pictures=LOOKS)
    agreed = msgspec.structs.replace(
        agreed,
        price=msgspec.structs.replace(agreed.price, price=price),
        bound=msgspec.structs.replace(BOUND, image_size="1024x1024", image_quality="high"),
    )
    used = Used(images=2, image_size=size, image_quality=quality, source="answer")
    usage = metered_in_units(used, None, agreed)
    assert (rated_nano(usage, agreed), usage.image_size, usage.image_quality) == (nano, *named)


def test_an_explicit_zero_is_a_zero() -> None:
    """The provider says that it heard nothing."""
    usage = metered_in_units(Used(audio_ms=0), b'{"seconds":0}', terms(audio_ms=1))
    assert (rated_nano(usage, terms(audio_ms=1)), usage.source) == (0, "provider")


def test_an_absurd_figure_is_cut_to_its_bound() -> None:
    """A year of sound in a file of nine seconds; a figure that is only somewhat above stays for the hold to cap."""
    agreed = terms(audio_ms=1)
    usage = metered_in_units(Used(audio_ms=31_536_000_000), None, agreed)
    assert (usage.audio_ms, usage.flags) == (9_000, ("absurd", "clamped"))
    assert metered_in_units(Used(audio_ms=10_000), None, agreed).audio_ms == 10_000


def test_where_nothing_costs_anything_the_bound_does_not_stand_in() -> None:
    """A moderation: its fee is per request."""
    agreed = terms(request=7)
    usage = metered_in_units(Used(source="answer"), None, agreed)
    assert rated_nano(usage, agreed) == 7
    assert usage.audio_ms == 0


def test_a_part_is_never_more_than_what_it_is_part_of() -> None:
    """Cut or not: otherwise the rest would be negative, and be paid back."""
    agreed = terms(cache_write=1, cache_write_long=2)
    for used in (Used(cache_write=500, cache_write_long=400), Used(cache_write=3, cache_write_long=90)):
        usage = metered_in_units(used, None, agreed)
        assert usage.units().cache_write >= 0
        assert rated_nano(usage, agreed) == 2 * usage.cache_write
