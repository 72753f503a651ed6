"""P12: the charge formula against exact fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.ledger.events import Units
from domain.pricing import (
    PRICE_CEILING_NANO_PER_MILLION,
    Price,
    charge_nano,
    decimal_text,
    hold_nano,
    nano_per_million,
    worst_case,
)
from domain.refusal import BadField

COMPONENTS = ("input", "cached_input", "cache_write", "output", "request")
FIELDS = ("input", "cached_input", "cache_write", "output", "requests")

prices = st.builds(
    Price,
    **{
        f"{name}_nano_per_million": st.one_of(
            st.integers(0, 20), st.integers(0, PRICE_CEILING_NANO_PER_MILLION)
        )
        for name in COMPONENTS
    },
)
tokens = st.one_of(st.integers(0, 10), st.integers(0, 10**8))
markups = st.one_of(st.just(1_000_000), st.integers(1, 100_000_000))
units = st.builds(
    Units, input=tokens, cached_input=tokens, cache_write=tokens, output=tokens, requests=st.integers(0, 3)
)


def exact(used: Units, price: Price, markup_ppm: int) -> Fraction:
    """The oracle: the formula as it is written, without rounding."""
    total = sum(
        (
            Fraction(getattr(used, field)) * getattr(price, f"{component}_nano_per_million") / 10**6
            for field, component in zip(FIELDS, COMPONENTS, strict=True)
        ),
        Fraction(0),
    )
    return total * Fraction(markup_ppm, 10**6)


@given(used=units, price=prices, markup_ppm=markups)
def test_a_charge_is_the_exact_cost_rounded_half_even_once(
    used: Units, price: Price, markup_ppm: int
) -> None:
    """`round` of a fraction rounds half to even."""
    assert charge_nano(used, price, markup_ppm) == round(exact(used, price, markup_ppm))


@pytest.mark.parametrize(("tokens_used", "charge"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)])
def test_halves_go_to_the_even_neighbour(tokens_used: int, charge: int) -> None:
    """0.5 is 0, 1.5 is 2, 2.5 is 2, 3.5 is 4."""
    price = _flat(500_000)
    assert charge_nano(Units(input=tokens_used, requests=0), price, 1_000_000) == charge


@given(used=units, price=prices, markup_ppm=markups)
def test_a_hold_is_the_exact_cost_rounded_up(used: Units, price: Price, markup_ppm: int) -> None:
    """Never below the cost, and less than one nano-credit above it."""
    cost = exact(used, price, markup_ppm)
    assert cost <= hold_nano(used, price, markup_ppm) < cost + 1


@given(used=units, price=prices, markup_ppm=markups, extra=st.integers(0, 1000))
@example(
    used=Units(cached_input=5, requests=1),
    price=Price(
        input_nano_per_million=0,
        cached_input_nano_per_million=9,
        cache_write_nano_per_million=1,
        output_nano_per_million=0,
        request_nano_per_million=0,
    ),
    markup_ppm=1_000_000,
    extra=0,
)
def test_no_usage_within_the_bounds_costs_more_than_the_hold(
    used: Units, price: Price, markup_ppm: int, extra: int
) -> None:
    """However the provider divides the prompt into fresh, cached and written tokens."""
    bounds = worst_case(
        price,
        prompt_tokens=used.input + used.cached_input + used.cache_write + extra,
        output_tokens=used.output + extra,
        requests=used.requests,
    )
    assert charge_nano(used, price, markup_ppm) <= hold_nano(bounds, price, markup_ppm)


@given(used=units, price=prices, markup_ppm=markups, field=st.sampled_from(FIELDS))
def test_more_units_never_cost_less(used: Units, price: Price, markup_ppm: int, field: str) -> None:
    """Monotone in each unit, and nothing costs nothing."""
    more = Units(**{name: getattr(used, name) + (name == field) for name in FIELDS})
    assert charge_nano(more, price, markup_ppm) >= charge_nano(used, price, markup_ppm)
    assert charge_nano(Units(requests=0), price, markup_ppm) == 0


@pytest.mark.parametrize("dearest", ["input", "cached_input", "cache_write"])
def test_the_worst_case_takes_the_dearest_way_to_report_a_prompt(dearest: str) -> None:
    """Each component can be the dearest."""
    price = Price(
        **{f"{name}_nano_per_million": 2 if name == dearest else 1 for name in COMPONENTS},
    )
    assert getattr(worst_case(price, prompt_tokens=7, output_tokens=3), dearest) == 7


@given(st.integers(0, PRICE_CEILING_NANO_PER_MILLION))
def test_a_price_survives_being_written_and_read(price: int) -> None:
    """The decimal on a console is the integer in the event."""
    text = decimal_text(price)
    assert nano_per_million(text, field="input") == price
    assert Decimal(text) * 10**9 == price


@pytest.mark.parametrize(
    ("text", "price"),
    [("0", 0), ("0.15", 150_000_000), ("10", 10**10), ("0.000000001", 1), ("1000000", 10**15)],
)
def test_prices_are_read_exactly(text: str, price: int) -> None:
    """Credits per million, in nano-credits per million."""
    assert nano_per_million(text, field="input") == price


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1e3",
        "1e400000",
        "NaN",
        "Infinity",
        "0.0000000001",
        "1.",
        ".5",
        " 1",
        "1\n",
        "1,5",
        "12345678",
        "1000000.000000001",
        "٣",
        "0x10",
        "1_000",
    ],
)
def test_what_is_no_plain_decimal_is_no_price(text: str) -> None:
    """Nothing is guessed, rounded or wrapped."""
    with pytest.raises(BadField) as caught:
        nano_per_million(text, field="input")
    assert caught.value.field == "input"


def _flat(nano: int) -> Price:
    return Price(**{f"{name}_nano_per_million": nano for name in COMPONENTS})
