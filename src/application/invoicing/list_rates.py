"""Which exchange rates a seller's invoices would note today, for each currency that credit is offered in. From streams, not a read model."""

from datetime import date, timedelta

import msgspec

from application.eventlog import EventStore
from application.invoicing.streams import load_rates
from application.recharge.list_offers import load_offers
from domain.invoicing.issuing import day_of
from domain.invoicing.sellers import SellerBook
from domain.invoicing.tax_currencies import tax_currency_of


class RateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One pair. Without a rate, invoices with tax in this currency wait for one."""

    currency: str
    into: str
    rate: str | None = None  #: so many of `into` for one of `currency`
    published_on: str | None = None
    published_by: str | None = None
    good_until: str | None = None  #: the last day that may note it


def list_rates(store: EventStore, book: SellerBook, *, now_us: int) -> tuple[RateRow, ...]:
    """By currency; nothing where the seller's tax office wants no other currency than the invoice's.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    into = tax_currency_of(book.seller.country)
    if into is None:
        return ()
    today = day_of(now_us, book.seller.zone)
    offered = sorted(load_offers(store).by_currency)
    return tuple(_row(store, book, one, into, today) for one in offered if one != into)


def _row(store: EventStore, book: SellerBook, currency: str, into: str, today: str) -> RateRow:
    kept = load_rates(store, book, currency=currency, on=today).on(today)
    if kept is None:
        return RateRow(currency=currency, into=into)
    last = date.fromisoformat(kept.published_on) + timedelta(days=kept.days - 1)
    return RateRow(
        currency=currency,
        into=into,
        rate=kept.rate,
        published_on=kept.published_on,
        published_by=kept.published_by,
        good_until=last.isoformat(),
    )
