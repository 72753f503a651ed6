"""Where decisions about documents are made, and how a number is taken: with its document, in one append.

The stream of a series grows without end, so where it ends is kept as a snapshot: a hint, which the stream itself confirms.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from application.command import ATTEMPTS_MAX, Contended, Done, load, new_event
from application.eventlog import EventStore, VersionConflict
from domain.event import Event
from domain.invoicing import billing, document, rates, sellers
from domain.invoicing.billing import Billing, billing_stream
from domain.invoicing.document import Document
from domain.invoicing.issuing import SeriesHead
from domain.invoicing.rates import ExchangeRates, streams_for
from domain.invoicing.sellers import NumberTaken, SellerBook, Series
from domain.invoicing.tax_currencies import tax_currency_of
from domain.refusal import NotFound
from domain.topics import REGISTRY

Decided = tuple[NumberTaken, Event, Sequence[tuple[UUID, int, Event]]]


def load_seller(store: EventStore, seller_id: UUID) -> SellerBook:
    """The seller as it is now.

    Raises:
        NotFound: there is none.
    """
    book: SellerBook | None = load(store, seller_id, None, sellers.evolve)
    if book is None:
        raise NotFound("seller")
    return book


def load_billing(store: EventStore, account_id: UUID) -> Billing:
    """An account's billing profile as it is now."""
    return load(store, billing_stream(account_id), Billing(), billing.evolve)


def load_document(store: EventStore, document_id: UUID) -> Document | None:
    """A document as it is now; none if it was not issued."""
    loaded: Document | None = load(store, document_id, None, document.evolve)
    return loaded


def load_rates(store: EventStore, book: SellerBook, *, currency: str, on: str) -> ExchangeRates:
    """The rates that an invoice of this currency and day may note; none where it need not note any."""
    into = tax_currency_of(book.seller.country)
    found = ExchangeRates()
    if into is not None and into != currency:
        for stream_id in streams_for(book.seller_id, currency=currency, into=into, on=on):
            found = load(store, stream_id, found, rates.evolve)
    return found


def series_head(store: EventStore, series_id: UUID) -> SeriesHead:
    """The last number of a series."""
    hint = _hint(store.read_snapshot(series_id))
    newer = store.read_stream(series_id, after_version=max(hint - 1, 0))
    if hint and (not newer or newer[0].version != hint):
        newer = store.read_stream(series_id)
    if not newer:
        return SeriesHead()
    last = REGISTRY.decode(newer[-1].topic, newer[-1].state)
    assert isinstance(last, NumberTaken), "a series has nothing else"
    return SeriesHead(number=newer[-1].version, issued_on=last.issued_on)


def _hint(kept: bytes | None) -> int:
    try:
        return 0 if kept is None else max(0, msgspec.json.decode(kept, type=int))
    except msgspec.MsgspecError:
        return 0


def take_number(
    store: EventStore, series: Series, document_id: UUID, decide: Callable[[SeriesHead], Decided]
) -> Done:
    """Issue a document with the next number of a series: all is stored, or nothing and no number is taken.

    `decide` gives the number, the first event of the document and events of other streams at their versions. A document that is
    there already stays as it is.

    Raises:
        Refusal: whatever `decide` raises.
        Contended, LogUnavailable: see there; nothing was stored.
    """
    for _ in range(ATTEMPTS_MAX):
        before = store.read_stream(document_id)
        if before:
            return Done(version=before[-1].version, position=None, events=())
        taken, first, others = decide(series_head(store, series.series_id))
        appends = [
            new_event(series.series_id, taken.number, taken),
            new_event(document_id, 1, first),
            *(new_event(stream_id, version, event) for stream_id, version, event in others),
        ]
        try:
            position = store.append(appends)
        except VersionConflict:
            continue
        store.keep_snapshot(series.series_id, taken.number, msgspec.json.encode(taken.number))
        return Done(version=1, position=position, events=(first,))
    raise Contended(series.series_id)
