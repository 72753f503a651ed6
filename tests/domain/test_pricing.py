"""P12: the charge formula against exact fractions, in every dimension of a price."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.decimals import PRICE_CEILING_NANO_PER_MILLION
from domain.ledger.events import Units
from domain.pricing import Bounds, Price, Tier, Window, charge_nano, combined_ppm, hold_nano, terms

TOKENS = {
    "input": "input",
    "cached_input": "cached_input",
    "cache_write": "cache_write",
    "cache_write_long": "cache_write_long",
    "output": "output",
}
OTHERS = {
    "requests": "request",
    "images": "image",
    "audio_ms": "audio_ms",
    "characters": "character",
    "searches": "search",
}
FIELDS = (*TOKENS, *OTHERS)
NEEDED = ("input", "cached_input", "cache_write", "output")
FLAT: dict[str, Any] = {**{f"{name}_nano_per_million": 0 for name in NEEDED}, "request_nano_per_million": 0}

nanos = st.one_of(st.integers(0, 20), st.integers(0, PRICE_CEILING_NANO_PER_MILLION))


def token_prices(extra: dict[str, st.SearchStrategy[Any]]) -> dict[str, st.SearchStrategy[Any]]:
    return {
        **{f"{name}_nano_per_million": nanos for name in NEEDED},
        "cache_write_long_nano_per_million": st.none() | nanos,
        **extra,
    }


tiers = st.lists(
    st.builds(Tier, **token_prices({"above_input_tokens": st.integers(1, 100)})),
    max_size=3,
    unique_by=lambda tier: tier.above_input_tokens,
).map(lambda some: tuple(sorted(some, key=lambda tier: tier.above_input_tokens)))
prices = st.builds(
    Price,
    **token_prices(
        {
            "request_nano_per_million": nanos,
            **{
                f"{name}_nano_per_million": st.none() | nanos for name in OTHERS.values() if name != "request"
            },
            "tiers": tiers,
        }
    ),
)
counts = st.one_of(st.integers(0, 10), st.integers(0, 10**8))
factors = st.one_of(st.just(1_000_000), st.integers(1, 100_000_000))
units = st.builds(Units, **dict.fromkeys(FIELDS, counts))


def exact(used: Units, price: Price, markup_ppm: int, factor_ppm: int) -> Fraction:
    """The oracle: the formula as it is written, without rounding."""
    prompt = used.input + used.cached_input + used.cache_write + used.cache_write_long
    tokens: Any = price
    for tier in price.tiers:
        if prompt > tier.above_input_tokens:
            tokens = tier
    nano = Fraction(0)
    for field, name in TOKENS.items():
        each = getattr(tokens, f"{name}_nano_per_million")
        if each is None:
            each = tokens.cache_write_nano_per_million
        nano += Fraction(getattr(used, field) * each, 10**6)
    for field, name in OTHERS.items():
        nano += Fraction(getattr(used, field) * (getattr(price, f"{name}_nano_per_million") or 0), 10**6)
    return nano * Fraction(markup_ppm, 10**6) * Fraction(factor_ppm, 10**6)


@given(used=units, price=prices, markup_ppm=factors, factor_ppm=factors)
def test_a_charge_is_the_exact_cost_rounded_half_even_once(
    used: Units, price: Price, markup_ppm: int, factor_ppm: int
) -> None:
    """`round` of a fraction rounds half to even."""
    charge = charge_nano(used, price, markup_ppm, factor_ppm=factor_ppm)
    assert charge == round(exact(used, price, markup_ppm, factor_ppm))


@given(used=units, price=prices)
def test_the_lines_of_a_rating_add_up_to_what_is_charged(used: Units, price: Price) -> None:
    """What a receipt writes out is what was done, in every dimension."""
    whole = sum(line.quantity * line.nano_per_million for line in terms(used, price))
    assert Fraction(whole, 10**6) == exact(used, price, 10**6, 10**6)


@pytest.mark.parametrize(("tokens_used", "charge"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)])
def test_halves_go_to_the_even_neighbour(tokens_used: int, charge: int) -> None:
    """0.5 is 0, 1.5 is 2, 2.5 is 2, 3.5 is 4."""
    price = Price(**(FLAT | {"input_nano_per_million": 500_000}))
    assert charge_nano(Units(input=tokens_used, requests=0), price, 1_000_000) == charge


@given(used=units, price=prices, markup_ppm=factors, factor_ppm=factors, extra=st.integers(0, 1000))
@example(
    used=Units(cached_input=5, requests=1),
    price=Price(**(FLAT | {"cached_input_nano_per_million": 9})),
    markup_ppm=1_000_000,
    factor_ppm=1_000_000,
    extra=0,
)
@example(
    used=Units(input=100, requests=1),
    price=Price(
        **(FLAT | {"input_nano_per_million": 10**9}),
        tiers=(Tier(above_input_tokens=100, **{f"{name}_nano_per_million": 1 for name in NEEDED}),),
    ),
    markup_ppm=1_000_000,
    factor_ppm=1_000_000,
    extra=1,
)
def test_no_usage_within_the_bounds_costs_more_than_the_hold(
    used: Units, price: Price, markup_ppm: int, factor_ppm: int, extra: int
) -> None:
    """However the provider divides the prompt into kinds of tokens, and whichever tier it ends in."""
    bounds = Bounds(
        prompt_tokens=used.input + used.cached_input + used.cache_write + used.cache_write_long + extra,
        output_tokens=used.output + extra,
        **{field: getattr(used, field) for field in OTHERS},
    )
    charge = charge_nano(used, price, markup_ppm, factor_ppm=factor_ppm)
    assert charge <= hold_nano(bounds, price, markup_ppm, factor_ppm=factor_ppm)


@given(bounds=st.builds(Bounds, prompt_tokens=counts, output_tokens=counts), price=prices, markup_ppm=factors)
def test_a_hold_is_a_whole_cost_rounded_up(bounds: Bounds, price: Price, markup_ppm: int) -> None:
    """It is less than one nano-credit above what some usage within the bounds costs, where no tier is cheaper."""
    assume(not price.tiers)
    names = ("input", "cached_input", "cache_write", "cache_write_long")
    costs = [
        exact(
            Units(**{name: bounds.prompt_tokens}, output=bounds.output_tokens), price, markup_ppm, 1_000_000
        )
        for name in names
    ]
    assert max(costs) <= hold_nano(bounds, price, markup_ppm) < max(costs) + 1


@given(used=units, price=prices, markup_ppm=factors, field=st.sampled_from(FIELDS))
def test_more_units_never_cost_less(used: Units, price: Price, markup_ppm: int, field: str) -> None:
    """Monotone in each unit within one tier, and nothing costs nothing."""
    assume(not price.tiers or field in OTHERS or field == "output")
    more = Units(**{name: getattr(used, name) + (name == field) for name in FIELDS})
    assert charge_nano(more, price, markup_ppm) >= charge_nano(used, price, markup_ppm)
    assert charge_nano(Units(requests=0), price, markup_ppm) == 0


def test_a_long_prompt_reprices_the_whole_request() -> None:
    """The answer too, from the first token over the bound; at the bound nothing changes."""
    cheap: dict[str, Any] = {f"{name}_nano_per_million": 1_000_000 for name in NEEDED}
    dear: dict[str, Any] = {f"{name}_nano_per_million": 2_000_000 for name in NEEDED}
    price = Price(**cheap, request_nano_per_million=0, tiers=(Tier(above_input_tokens=10, **dear),))
    assert charge_nano(Units(input=4, cached_input=6, output=5), price, 1_000_000) == 15
    assert charge_nano(Units(input=4, cached_input=7, output=5), price, 1_000_000) == 32


def test_what_is_kept_longer_has_its_own_price_or_that_of_writing() -> None:
    """No price of its own does not make it free."""
    base = FLAT | {"cache_write_nano_per_million": 3_000_000}
    used = Units(cache_write_long=2)
    assert charge_nano(used, Price(**base), 1_000_000) == 6
    assert charge_nano(used, Price(**base, cache_write_long_nano_per_million=5_000_000), 1_000_000) == 10


MONDAY_US = 1_795_392_000_000_000  # 2026-11-23 00:00 UTC


@pytest.mark.parametrize(
    ("minute", "holds"), [(59, False), (60, True), (239, True), (240, False), (60 + 5 * 1440, False)]
)
def test_a_window_holds_on_its_days_from_its_first_minute_to_before_its_last(
    minute: int, *, holds: bool
) -> None:
    """From 01:00 to 04:00 UTC, Monday to Friday; the last case is a Saturday."""
    window = Window(weekdays=(0, 1, 2, 3, 4), from_minute=60, to_minute=240, factor_ppm=2_000_000)
    price = Price(**FLAT, windows=(window,))
    assert price.window_ppm(MONDAY_US + minute * 60_000_000) == (2_000_000 if holds else 1_000_000)


def test_factors_combine_into_one_that_is_rounded_up() -> None:
    """It is agreed before anything is counted."""
    assert combined_ppm() == 1_000_000
    assert combined_ppm(2_000_000, 500_000) == 1_000_000
    assert combined_ppm(333_333, 333_333) == 111_111
    assert combined_ppm(1, 1) == 1
