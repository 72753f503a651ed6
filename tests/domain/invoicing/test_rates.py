"""Exchange rates that a seller keeps, and which of them an invoice notes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fact import Stamp
from domain.invoicing.document import Fx
from domain.invoicing.rates import (
    DAYS_MAX,
    ExchangeRateMissing,
    ExchangeRates,
    ExchangeRateSet,
    evolve,
    fx_of_invoice,
    pair_of,
    rate_stream,
    set_rate,
    streams_for,
)
from domain.invoicing.tax_currencies import tax_currency_of
from domain.invoicing.treatment import EU
from domain.recharge.currencies import EXPONENTS
from domain.refusal import BadField
from tests.spec import Spec

SELLER_ID = UUID(int=1)
AT = Stamp(now_us=5, actor="system")
spec = Spec(evolve, initial=ExchangeRates())


def told(**changes: Any) -> dict[str, Any]:
    given_rate = {
        "currency": "USD",
        "into": "EUR",
        "rate": "0.9213",
        "published_on": "2025-11-24",
        "published_by": "ECB",
        "days": 7,
    }
    return {"seller_id": SELLER_ID, **given_rate, **changes}


def kept(**changes: Any) -> ExchangeRateSet:
    return ExchangeRateSet(**told(**changes), occurred_us=5, actor="system")


def noted(rates: ExchangeRates, on: str, **changes: Any) -> Fx | None:
    asked: dict[str, Any] = {"country": "DE", "currency": "USD", "tax_minor": 1_900}
    return fx_of_invoice(changes.pop("given", None), rates, **(asked | changes), on=on)


def decide(**changes: Any) -> Any:
    return lambda rates: set_rate(rates, **told(**changes), today="2025-11-24", stamp=AT)


def test_a_rate_is_kept_once_and_put_right_by_another_of_its_day() -> None:
    """Of each day the last counts."""
    spec.given().when(decide()).then(kept())
    spec.given(kept()).when(decide()).then_nothing()
    spec.given(kept()).when(decide(rate="0.9231")).then(kept(rate="0.9231"))
    found = spec.fold(kept(), kept(rate="0.9231")).on("2025-11-24")
    assert found is not None
    assert found.rate == "0.9231"


@pytest.mark.parametrize(
    "change",
    [
        {"rate": "0"},
        {"rate": "0,92"},
        {"rate": "1e3"},
        {"published_on": "24.11.2025"},
        {"published_on": "20251124"},
        {"published_on": "0001-01-01"},
        {"published_on": "2026-11-24"},
        {"published_by": " "},
        {"published_by": "E\u202eCB"},
        {"days": 0},
        {"days": DAYS_MAX + 1},
    ],
)
def test_what_no_document_could_say_is_refused(change: dict[str, Any]) -> None:
    """Nothing is kept of it."""
    spec.given().when(decide(**change)).then_refused(BadField)


@given(st.dictionaries(st.integers(0, 90), st.integers(1, DAYS_MAX)), st.integers(0, 140))
def test_the_newest_rate_that_is_good_is_noted(published: dict[int, int], asked: int) -> None:
    """Never one of a later day, nor one that is too old; and it is found in the streams that are read for the day."""
    first = date(2025, 11, 1)
    days = {n: (first + timedelta(days=n)).isoformat() for n in {*published, asked}}
    events = [kept(published_on=days[n], days=good) for n, good in published.items()]
    found = spec.fold(*events).on(days[asked])
    fitting = [n for n, good in published.items() if n <= asked < n + good]
    assert (None if found is None else found.published_on) == (days[max(fitting)] if fitting else None)
    if found is not None:
        read = streams_for(SELLER_ID, currency="USD", into="EUR", on=days[asked])
        assert rate_stream(SELLER_ID, currency="USD", into="EUR", day=found.published_on) in read


def test_an_invoice_in_another_currency_notes_its_tax_at_the_kept_rate() -> None:
    """With the source and the day; without a rate of its day it is refused, and says which is missing."""
    rates = spec.fold(kept())
    said = Fx(currency="EUR", rate="0.9213", source="ECB", on="2025-11-24", tax_minor=1_750)
    assert noted(rates, "2025-11-30") == said
    with pytest.raises(ExchangeRateMissing, match="from USD to EUR is kept for 2025-12-01") as caught:
        noted(rates, "2025-12-01")
    assert (caught.value.currency, caught.value.into, caught.value.on) == ("USD", "EUR", "2025-12-01")


def test_what_is_given_by_hand_comes_first() -> None:
    """Whatever is kept."""
    by_hand = Fx(currency="EUR", rate="0.9", source="Contract", on="2025-11-20", tax_minor=1_710)
    assert noted(spec.fold(kept()), "2025-11-24", given=by_hand) == by_hand


@pytest.mark.parametrize(
    "change", [{"currency": "EUR"}, {"tax_minor": 0}, {"country": "US"}, {"country": "CH"}]
)
def test_where_no_rate_is_wanted_none_is_needed(change: dict[str, Any]) -> None:
    """In the tax office's own currency, without tax, and where the law wants nothing of the kind."""
    assert noted(ExchangeRates(), "2025-11-24", **change) is None


def test_every_country_of_the_eu_has_a_currency_that_is_known() -> None:
    """And Japan, Korea and the others too; who needs no rate is told so."""
    assert {tax_currency_of(one) for one in EU} <= set(EXPONENTS)
    assert [tax_currency_of(one) for one in ("JP", "KR", "HU", "US")] == ["JPY", "KRW", "HUF", None]
    assert pair_of(country="JP", currency="USD") == "JPY"
    for country, currency in (("US", "EUR"), ("DE", "EUR"), ("DE", "XXX")):
        with pytest.raises(BadField):
            pair_of(country=country, currency=currency)
