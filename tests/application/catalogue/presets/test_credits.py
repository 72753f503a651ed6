"""USD into credits."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.catalogue.presets.credits import in_credits, price_at, rate_of, starts_us
from application.catalogue.presets.preset import DatedPrice
from domain.catalogue.prices import PictureText, PriceText, TierText, WindowText
from domain.refusal import BadField

DAY_US = 86_400_000_000


def text(amount: str) -> PriceText:
    return PriceText(input=amount, cached_input="0", cache_write="0", output="0", request="0")


def test_amounts_change_and_factors_stay() -> None:
    """In every dimension, in tiers too; what has no price gets none."""
    tier = TierText(above_input_tokens=5, input="2", cached_input="2", cache_write="2", output="2")
    window = WindowText(weekdays=(0,), from_minute=0, to_minute=9, factor="0.5")
    usd = PriceText(
        input="1.5",
        cached_input="0.000000001",
        cache_write="1",
        output="10",
        request="0",
        search="0.01",
        tiers=(tier,),
        windows=(window,),
        service_tiers={"flex": "0.5"},
        pictures=(PictureText(size="9x9", image="0.02"),),
    )
    price = in_credits(usd, Decimal(2))
    assert (price.input, price.cached_input, price.output, price.search) == ("3", "0.000000002", "20", "0.02")
    assert price.tiers[0].output == "4"
    assert price.pictures == (PictureText(size="9x9", image="0.04"),)
    assert (price.windows, price.service_tiers, price.image) == ((window,), {"flex": "0.5"}, None)


@given(
    amount=st.decimals(min_value=0, max_value=999, places=9),
    rate=st.decimals(min_value=Decimal("0.001"), max_value=1000, places=3),
)
def test_rounding_is_up_to_the_next_nano(amount: Decimal, rate: Decimal) -> None:
    """So a price is never below what the provider takes, and never a whole nano above it."""
    got = Decimal(in_credits(text(f"{amount:f}"), rate).input)
    assert 0 <= got - amount * rate < Decimal("1e-9")


@pytest.mark.parametrize("rate", ["0", "0.0", "-1", "1e3", "NaN", "", "7,2"])
def test_rates_that_are_none(rate: str) -> None:
    """Refused by the field's name."""
    with pytest.raises(BadField) as caught:
        rate_of(rate)
    assert caught.value.field == "credits_per_usd"


def test_the_last_price_that_has_begun() -> None:
    """A day begins at midnight UTC."""
    first, second = (
        DatedPrice(usd=text("1"), from_day=day, via="v", read=date(2026, 1, 1), verified=False)
        for day in (None, date(1970, 1, 2))
    )
    assert starts_us(second) == DAY_US
    assert price_at((first, second), DAY_US - 1) == first
    assert price_at((first, second), DAY_US) == second
    assert price_at((), DAY_US) is None
    assert price_at((second,), 0) is None
