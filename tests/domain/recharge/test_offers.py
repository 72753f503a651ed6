"""What credit costs."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.recharge.currencies import EXPONENTS, exponent_of
from domain.recharge.offers import (
    AmountNotOffered,
    BonusTier,
    FreeAmounts,
    Offer,
    Offers,
    Package,
    RechargeOfferSet,
    TaxRate,
    evolve,
    quote,
    set_offer,
)
from domain.refusal import BadField, NotFound
from domain.rounding import divide_half_even
from tests.domain.recharge.orders import AT, NOW_US, OFFER, OFFERS
from tests.spec import Spec

SPEC = Spec(evolve, initial=Offers())
SET = RechargeOfferSet(currency="EUR", exponent=2, offer=OFFER, occurred_us=NOW_US, actor="system")


def test_an_offer_is_set_with_the_exponent_of_its_currency() -> None:
    """Readers of the log need no table of currencies."""
    SPEC.given().when(lambda offers: set_offer(offers, offer=OFFER, stamp=AT)).then(SET)


def test_the_same_offer_again_does_nothing() -> None:
    """Another one replaces it."""
    given_one = SPEC.given(SET)
    given_one.when(lambda offers: set_offer(offers, offer=OFFER, stamp=AT)).then_nothing()
    other = replace(OFFER, rate_num=11_000_000)
    given_one.when(lambda offers: set_offer(offers, offer=other, stamp=AT)).then(replace(SET, offer=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "eur"},
        {"currency": "XTS"},
        {"rate_num": 0},
        {"rate_num": -1},
        {"rate_den": 0},
        {"rate_num": 10**19},
        {"packages": (Package(amount_minor=0),)},
        {"packages": (Package(amount_minor=5, bonus_nano=-1),)},
        {"packages": tuple(Package(amount_minor=one) for one in range(1, 60))},
        {"packages": (), "free": None},
        {"free": FreeAmounts(min_minor=0, max_minor=5)},
        {"free": FreeAmounts(min_minor=6, max_minor=5)},
        {"free": FreeAmounts(min_minor=6, max_minor=10**14)},
        {"bonus": (BonusTier(from_minor=0, bonus_ppm=-1),)},
        {"bonus": (BonusTier(from_minor=-1, bonus_ppm=1),)},
        {"bonus": (BonusTier(from_minor=1, bonus_ppm=1), BonusTier(from_minor=1, bonus_ppm=2))},
        {"taxes": (TaxRate(country="DE", rate_ppm=-1),)},
        {"taxes": (TaxRate(country="DE", rate_ppm=1_000_001),)},
        {"taxes": (TaxRate(country="Germany", rate_ppm=1),)},
        {"taxes": (TaxRate(country="DE", rate_ppm=1), TaxRate(country="DE", rate_ppm=2))},
        {"approval_minor": -1},
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(changes: dict[str, Any]) -> None:
    """Nothing is offered then."""
    SPEC.given().when(
        lambda offers: set_offer(offers, offer=replace(OFFER, **changes), stamp=AT)
    ).then_refused(BadField)


def _quote(amount_minor: int, *, country: str | None = None, **changes: Any) -> tuple[int, int, int, int]:
    found = quote(
        Offers({"EUR": replace(OFFER, **changes)}), currency="EUR", amount_minor=amount_minor, country=country
    )
    return found.amount_minor, found.tax.tax_minor, found.credits_nano, found.bonus_nano


def test_a_package_has_its_own_bonus() -> None:
    """100 euros: 100 credits and 5 on top."""
    assert _quote(10_000) == (10_000, 0, 105_000_000_000, 5_000_000_000)


@pytest.mark.parametrize(
    ("amount_minor", "bonus_nano"),
    [(500, 0), (19_999, 0), (20_000, 4_000_000_000), (49_999, 9_999_800_000), (50_000, 50_000_000_000)],
)
def test_free_amounts_have_the_bonus_of_the_highest_tier_they_reach(
    amount_minor: int, bonus_nano: int
) -> None:
    """Tiers do not add up."""
    assert _quote(amount_minor)[3] == bonus_nano


@pytest.mark.parametrize("amount_minor", [499, 1_000_001, 0, -10_000])
def test_what_is_not_offered_is_not_sold(amount_minor: int) -> None:
    """The refusal has the amount."""
    with pytest.raises(AmountNotOffered):
        _quote(amount_minor)


def test_without_free_amounts_only_packages_are_sold() -> None:
    """The package's neighbour is refused."""
    assert _quote(10_000, free=None)[0] == 10_000
    with pytest.raises(AmountNotOffered):
        _quote(10_001, free=None)


def test_tax_comes_on_top_or_is_included() -> None:
    """The credit is the same; a country without a rate pays none."""
    assert _quote(10_000, country="DE")[:2] == (11_900, 1_900)
    assert _quote(10_000, country="DE", tax_included=True)[:2] == (10_000, 1_597)
    assert _quote(10_000, country="FR")[:2] == (10_000, 0)
    assert _quote(10_000, country="DE")[2] == _quote(10_000, tax_included=True, country="DE")[2]


def test_what_would_buy_nothing_is_refused() -> None:
    """Such as a cent at a rate that was set in the wrong unit; nor more than a wallet can hold."""
    with pytest.raises(BadField):
        _quote(500, rate_num=1, rate_den=1_000)
    with pytest.raises(BadField):
        _quote(500, rate_num=10**17)


@pytest.mark.parametrize("offers", [Offers(), Offers({"EUR": replace(OFFER, open=False)})])
def test_a_currency_without_an_open_offer_is_not_sold(offers: Offers) -> None:
    """Closed is as good as none."""
    with pytest.raises(NotFound):
        quote(offers, currency="EUR", amount_minor=10_000, country=None)


@given(
    amount_minor=st.integers(500, 1_000_000),
    rate_ppm=st.integers(0, 1_000_000),
    tax_included=st.booleans(),
    rate_num=st.integers(1, 10**9),
    rate_den=st.integers(1, 1_000),
)
def test_parts_add_up_and_nothing_is_a_float(
    amount_minor: int, rate_ppm: int, tax_included: bool, rate_num: int, rate_den: int
) -> None:
    """Net and tax are the whole; the tax is within half a unit of the exact one; credit is never rounded up."""
    offer = replace(
        OFFER,
        rate_num=rate_num * 1_000,
        rate_den=rate_den,
        packages=(),
        bonus=(),
        tax_included=tax_included,
        taxes=(TaxRate(country="DE", rate_ppm=rate_ppm),),
    )
    found = quote(Offers({"EUR": offer}), currency="EUR", amount_minor=amount_minor, country="DE")
    assert found.tax.net_minor + found.tax.tax_minor == found.amount_minor
    share = Fraction(rate_ppm, 1_000_000)
    exact = amount_minor * share / (1 + share) if tax_included else amount_minor * share
    assert abs(found.tax.tax_minor - exact) <= Fraction(1, 2)
    assert 0 <= Fraction(amount_minor * rate_num * 1_000, rate_den) - found.credits_nano < 1


@given(st.integers(0, 10**30), st.integers(1, 10**15))
def test_division_rounds_as_fractions_do(dividend: int, divisor: int) -> None:
    """Half to even, whatever the size."""
    assert divide_half_even(dividend, divisor) == round(Fraction(dividend, divisor))


def test_exponents_are_those_of_iso_4217() -> None:
    """Yen and won have no cents, the Kuwaiti dinar has thousandths."""
    assert (exponent_of("JPY"), exponent_of("KRW"), exponent_of("EUR"), exponent_of("KWD")) == (0, 0, 2, 3)
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    assert OFFERS.by_currency["EUR"] == Offer(
        **{name: getattr(OFFER, name) for name in OFFER.__struct_fields__}
    )
