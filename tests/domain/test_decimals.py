"""Prices as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decimals import PRICE_CEILING_NANO_PER_MILLION, decimal_text, nano_per_million
from domain.refusal import BadField


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
