"""One document: an invoice or a credit note, as issued, and what happened with it. The stream's id is the document's.

Amounts are positive integers of the currency's minor unit (`_minor`), on credit notes too. Tax is rounded once for each rate.
"""

from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact
from domain.invoicing.parties import Seller, VatEvidence
from domain.invoicing.treatment import Notice, TaxCategory
from domain.privacy import Sealed
from domain.refusal import NotFound


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was sold. Names no person."""

    description: str
    net_minor: int
    category: TaxCategory
    rate_ppm: int


class RateTotal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All lines with one rate of tax."""

    category: TaxCategory
    rate_ppm: int
    net_minor: int
    tax_minor: int

    @property
    def key(self) -> tuple[TaxCategory, int]:
        return self.category, self.rate_ppm


class Fx(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tax in the currency of the seller's tax office, where the document's is another."""

    currency: str
    rate: str  #: so many of it for one of the document's, as published
    source: str
    on: str  #: the day of the rate
    tax_minor: int


class Payment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it was paid already."""

    paid_on: str
    method: str
    reference: str


class Due(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when it is to be paid, and what is to be written on the transfer."""

    on: str  #: the last day
    reference: str


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The invoice that a credit note is about."""

    document_id: UUID
    number_text: str
    issued_on: str


class Reinstated(msgspec.Struct, frozen=True, kw_only=True):
    """The credit note that an invoice takes back, and why."""

    document_id: UUID
    number_text: str
    issued_on: str
    invoice_id: UUID  #: which the credit note was about
    reason: str


class Issued(Fact, frozen=True, kw_only=True):
    """What invoices and credit notes have in common. All that is printed is in it, the buyer sealed."""

    document_id: UUID
    series_id: UUID
    number: int
    number_text: str
    seller_id: UUID
    seller: Seller
    account_id: UUID
    subject_id: UUID
    pii: Sealed  #: the buyer
    buyer_country: str
    vat: VatEvidence | None
    locale: str
    issued_on: str  #: the day in the seller's time zone
    supplied_on: str
    currency: str
    exponent: int
    lines: tuple[Line, ...]
    rates: tuple[RateTotal, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    fx: Fx | None
    notices: tuple[Notice, ...]
    layout: int  #: the version of the words and their arrangement
    order_id: UUID | None


class InvoiceIssued(Issued, frozen=True, kw_only=True):
    """An invoice went out with its number; stored in one append with `NumberTaken`. It never changes."""

    TOPIC: ClassVar[str] = "invoice.issued.v1"

    payment: Payment | None
    due: Due | msgspec.UnsetType = msgspec.UNSET  #: of one that was not paid when it was issued
    reinstates: Reinstated | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: the credit note that this one takes back, if it does


class CreditNoteIssued(Issued, frozen=True, kw_only=True):
    """A part of an invoice, or all of it, is taken back; stored in one append with `InvoiceCredited`."""

    TOPIC: ClassVar[str] = "credit-note.issued.v1"

    refers_to: Reference
    reason: str


class InvoiceCredited(Fact, frozen=True, kw_only=True):
    """A credit note takes these amounts of the invoice back; all of them together are never more than it."""

    TOPIC: ClassVar[str] = "invoice.credited.v1"

    document_id: UUID
    credit_note_id: UUID
    rates: tuple[RateTotal, ...]


class InvoiceReinstated(Fact, frozen=True, kw_only=True):
    """What a credit note took of the invoice counts again: its refund came to nothing. Stored in one append with the invoice that says so."""

    TOPIC: ClassVar[str] = "invoice.reinstated.v1"

    document_id: UUID  #: the invoice that the credit note was about
    credit_note_id: UUID
    reinstated_by: UUID  #: the invoice that takes the credit note back
    rates: tuple[RateTotal, ...]


class DocumentPrinted(Fact, frozen=True, kw_only=True):
    """Its files were made, for the first time: whoever makes them again can tell that they are the same."""

    TOPIC: ClassVar[str] = "document.printed.v1"

    document_id: UUID
    pdf_sha256: str
    xml_sha256: str | None  #: the e-invoice inside the PDF


DocumentEvent = InvoiceIssued | CreditNoteIssued | InvoiceCredited | InvoiceReinstated | DocumentPrinted
DOCUMENT_EVENTS: tuple[type[Fact], ...] = (
    InvoiceIssued,
    CreditNoteIssued,
    InvoiceCredited,
    InvoiceReinstated,
    DocumentPrinted,
)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a document's stream."""

    issued: InvoiceIssued | CreditNoteIssued
    credited: tuple[InvoiceCredited, ...] = ()  #: by credit notes that count
    reinstated: tuple[InvoiceReinstated, ...] = ()  #: after credit notes that do not count any more
    printed: DocumentPrinted | None = None


def evolve(document: Document | None, event: DocumentEvent) -> Document:
    """The document after one more fact."""
    if isinstance(event, InvoiceIssued | CreditNoteIssued):
        return Document(issued=event)
    assert document is not None, "a document's stream starts with its issue"
    match event:
        case InvoiceCredited():
            return msgspec.structs.replace(document, credited=(*document.credited, event))
        case InvoiceReinstated():
            kept = tuple(one for one in document.credited if one.credit_note_id != event.credit_note_id)
            return msgspec.structs.replace(document, credited=kept, reinstated=(*document.reinstated, event))
        case DocumentPrinted():
            return msgspec.structs.replace(document, printed=event)
        case _:
            assert_never(event)


def existing(document: Document | None) -> Document:
    """The document, or `NotFound`."""
    if document is None:
        raise NotFound("document")
    return document
