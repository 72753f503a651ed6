"""Exchange rates that a seller keeps for its invoices, and which of them an invoice notes.

A stream holds one year of one pair of a seller: whoever issues reads a year, two in its first weeks. A rate is what was published, as it
was published; documents hold a copy, so that one that is put right later changes none of them.
"""

from datetime import date, timedelta
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.invoicing.document import Fx
from domain.invoicing.exchange import checked_fx, converted, exact_rate
from domain.invoicing.tax_currencies import tax_currency_of
from domain.recharge.currencies import exponent_of
from domain.refusal import BadField, Refusal
from domain.text import printable

DAYS_USUAL: Final = 7
"""Longer than any pause of a bank's daily rates; whoever publishes by the month needs more."""
DAYS_MAX: Final = 45
_AHEAD_DAYS_MAX: Final = 31


class ExchangeRateMissing(Refusal):
    """The seller's tax office wants the tax in its own currency, and no rate of that day is kept; nothing was issued."""

    code: ClassVar[str] = "exchange_rate_missing"

    def __init__(self, *, currency: str, into: str, on: str) -> None:
        super().__init__(f"no exchange rate from {currency} to {into} is kept for {on}")
        self.currency, self.into, self.on = currency, into, on


class ExchangeRateSet(Fact, frozen=True, kw_only=True):
    """Invoices of this seller note this rate from its day on; one of the same day replaces it."""

    TOPIC: ClassVar[str] = "exchange-rate.set.v1"

    seller_id: UUID
    currency: str  #: of invoices
    into: str  #: of the seller's tax office
    rate: str  #: so many of `into` for one of `currency`: a plain decimal, as published
    published_on: str  #: the day of the rate
    published_by: str
    days: int  #: for how many days, its own included, it may be noted


RATE_EVENTS: tuple[type[Fact], ...] = (ExchangeRateSet,)


class ExchangeRates(msgspec.Struct, frozen=True):
    """The fold of one stream or several of one pair: of each day what was set last."""

    by_day: dict[str, ExchangeRateSet] = {}

    def on(self, day: str) -> ExchangeRateSet | None:
        """The newest of this day or before that is not too old for it."""
        asked = date.fromisoformat(day)
        fitting = (
            one
            for one in self.by_day.values()
            if timedelta() <= asked - date.fromisoformat(one.published_on) < timedelta(days=one.days)
        )
        return max(fitting, key=lambda one: one.published_on, default=None)


def evolve(rates: ExchangeRates, event: ExchangeRateSet) -> ExchangeRates:
    """The rates after one more fact."""
    return ExchangeRates({**rates.by_day, event.published_on: event})


def rate_stream(seller_id: UUID, *, currency: str, into: str, day: str) -> UUID:
    """Where the rate of this day stands."""
    return stream_of(seller_id, f"exchange-rates:{currency}:{into}:{day[:4]}")


def streams_for(seller_id: UUID, *, currency: str, into: str, on: str) -> tuple[UUID, ...]:
    """Where all rates stand that may be noted on this day, oldest first."""
    earliest = (date.fromisoformat(on) - timedelta(days=DAYS_MAX)).isoformat()
    days = (earliest, on) if earliest[:4] != on[:4] else (on,)
    return tuple(rate_stream(seller_id, currency=currency, into=into, day=day) for day in days)


def pair_of(*, country: str, currency: str) -> str:
    """The currency that a seller of this country needs a rate into.

    Raises:
        BadField: its tax office reads this currency, or wants none of its own on invoices.
    """
    exponent_of(currency)
    into = tax_currency_of(country)
    if into is None:
        raise BadField("seller_id", "is of a country whose invoices need no exchange rate")
    if into == currency:
        raise BadField("currency", "must be another than the tax office's")
    return into


def set_rate(
    rates: ExchangeRates,
    *,
    seller_id: UUID,
    currency: str,
    into: str,
    rate: str,
    published_on: str,
    published_by: str,
    days: int,
    today: str,
    stamp: Stamp,
) -> list[ExchangeRateSet]:
    """Keep a rate; the same again does nothing.

    Raises:
        BadField: the rate, its day, its source or how long it is good cannot be used.
    """
    exact_rate(rate, field="rate")
    _check_day(published_on, today=today)
    if not 1 <= days <= DAYS_MAX:
        raise BadField("days", f"must be 1 to {DAYS_MAX}")
    kept = ExchangeRateSet(
        seller_id=seller_id,
        currency=currency,
        into=into,
        rate=rate,
        published_on=published_on,
        published_by=printable(published_by, field="published_by"),
        days=days,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    before = rates.by_day.get(published_on)
    return [] if before is not None and _told(before) == _told(kept) else [kept]


def fx_of_invoice(
    given: Fx | None, rates: ExchangeRates, *, country: str, currency: str, tax_minor: int, on: str
) -> Fx | None:
    """What an invoice that is supplied `on` a day notes: what it was given, else by the rate that is kept; nothing where none is wanted.

    Raises:
        BadField: what it was given cannot be used.
        ExchangeRateMissing: see there.
    """
    into = tax_currency_of(country)
    if given is not None or into is None or into == currency or not tax_minor:
        return checked_fx(given, currency=currency, tax_minor=tax_minor)
    kept = rates.on(on)
    if kept is None:
        raise ExchangeRateMissing(currency=currency, into=into, on=on)
    return Fx(
        currency=into,
        rate=kept.rate,
        source=kept.published_by,
        on=kept.published_on,
        tax_minor=converted(tax_minor, currency=currency, into=into, rate=kept.rate),
    )


def _told(kept: ExchangeRateSet) -> tuple[str, str, int]:
    return kept.rate, kept.published_by, kept.days


def _check_day(day: str, *, today: str) -> None:
    try:
        read = date.fromisoformat(day)
    except ValueError:
        read = date.min
    if read.isoformat() != day or read == date.min:
        raise BadField("published_on", "must be a day such as 2026-11-29")
    if read > date.fromisoformat(today) + timedelta(days=_AHEAD_DAYS_MAX):
        raise BadField("published_on", f"is more than {_AHEAD_DAYS_MAX} days ahead")
