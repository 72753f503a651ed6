"""The documents of one series, newest number first. Numbers have no gap, so they are what pages go by."""

from typing import Final

import msgspec

from application.eventlog import EventStore
from application.invoicing.streams import load_document, series_head
from domain.invoicing.document import Document, InvoiceIssued
from domain.invoicing.sellers import NumberTaken, Series
from domain.invoicing.totals import left_of
from domain.topics import REGISTRY

PAGE_ROWS_MAX: Final = 100


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice or credit note. `left_minor` is what no credit note has taken back of an invoice."""

    number: int
    document: Document
    left_minor: int | None


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next_before` is the number before which the next page begins; none on the last."""

    items: tuple[DocumentRow, ...]
    last: int  #: the last number of the series; 0 before the first
    next_before: int | None


def list_documents(
    store: EventStore, series: Series, *, before: int | None = None, limit: int = 25
) -> DocumentPage:
    """One page. Blocking: a document is one read."""
    last = series_head(store, series.series_id).number
    top = last if before is None else min(last, before - 1)
    first = max(0, top - max(1, min(limit, PAGE_ROWS_MAX)))
    taken = store.read_stream(series.series_id, after_version=first)[: max(0, top - first)]
    rows = [_row(store, REGISTRY.decode(one.topic, one.state)) for one in reversed(taken)]
    return DocumentPage(
        items=tuple(one for one in rows if one is not None),
        last=last,
        next_before=first + 1 if first else None,
    )


def _row(store: EventStore, taken: object) -> DocumentRow | None:
    assert isinstance(taken, NumberTaken), "a series has nothing else"
    document = load_document(store, taken.document_id)
    if document is None:
        return None
    left_minor = None
    if isinstance(document.issued, InvoiceIssued):
        left_minor = sum(one.net_minor + one.tax_minor for one in left_of(document))
    return DocumentRow(number=taken.number, document=document, left_minor=left_minor)
