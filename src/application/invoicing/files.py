"""The files of a document: printed once, kept sealed with the buyer's key, and told in the log by their hashes.

Who asks again gets the same bytes. If what was kept is gone, it is printed again, and must come out the same.
"""

import hashlib
from typing import ClassVar, Final, Protocol
from uuid import UUID

from application.clock import Clock
from application.command import execute
from application.documents.invoice_page import Received, invoice_page, received_of
from application.documents.page import Printer
from application.documents.wording import Wording
from application.eventlog import EventStore
from application.i18n.locales import best_locale
from application.invoicing.buyers import buyer_of
from application.invoicing.einvoice import einvoice
from application.invoicing.issue_order_invoice import payment_of
from application.invoicing.show_document import entry_of
from application.invoicing.streams import load_document
from application.privacy import PersonalData
from application.recharge.change_order import load_order
from domain.fact import SYSTEM
from domain.invoicing import document as rules
from domain.invoicing.document import (
    CreditNoteIssued,
    Document,
    DocumentEvent,
    DocumentPrinted,
    InvoiceIssued,
    existing,
)
from domain.invoicing.parties import Buyer
from domain.privacy import Sealed, SubjectErased
from domain.refusal import Refusal, WrongState

_PDF: Final = "document.pdf"


class KeptFiles(Protocol):
    """Where printed files are. Blocking; raises `VaultUnavailable` when the database is away."""

    def get(self, document_id: UUID, name: str) -> Sealed | None:
        """What was kept; none if nothing was, or no more."""
        ...

    def put(self, document_id: UUID, name: str, sealed: Sealed) -> None:
        """Keep it; what is there already stays."""
        ...


class Attach(Protocol):
    """Puts an e-invoice into a PDF."""

    def __call__(self, pdf: bytes, xml: bytes) -> bytes: ...


class PrintedDifferently(Refusal):
    """What was printed first is lost, and the printer of today makes something else of it; nothing was given out."""

    code: ClassVar[str] = "printed_differently"


class DocumentFiles:
    """Blocking, for seconds when something is printed; safe to use from threads."""

    def __init__(
        self,
        *,
        store: EventStore,
        personal: PersonalData,
        printer: Printer,
        attach: Attach,
        kept: KeptFiles,
        clock: Clock,
    ) -> None:
        self._store, self._personal, self._clock = store, personal, clock
        self._printer, self._attach, self._kept = printer, attach, kept

    def pdf(self, document_id: UUID) -> bytes:
        """An invoice or a credit note with its e-invoice inside.

        Raises:
            NotFound: there is none.
            SubjectErased: its buyer was erased, and the file with them.
            PrintingFailed, PrintedDifferently: see there.
            VaultError, LogUnavailable: it cannot be read or recorded now.
        """
        document, buyer = self._load(document_id)
        pdf = self._opened(document)
        if pdf is None:
            pdf, xml = self._print(document, buyer)
            self._keep(document, pdf, xml)
        return pdf

    def receipt(self, document_id: UUID) -> bytes:
        """The receipt for an invoice that was paid, then or later; it is printed each time, to the same bytes by the same printer.

        Raises:
            WrongState: the invoice was not paid.
            Others as `pdf`.
        """
        document, buyer = self._load(document_id)
        received = received_of(document.issued) or self._received_later(document.issued)
        if received is None:
            raise WrongState("document", "not paid")
        entry = entry_of(self._store, document_id)
        return self._printer.print_pdf(invoice_page(document.issued, buyer, entry, received=received))

    def xml(self, document_id: UUID) -> bytes | None:
        """The e-invoice by itself; none where its standard does not fit. Raises as `pdf`."""
        document, buyer = self._load(document_id)
        return einvoice(document.issued, buyer)

    def _received_later(self, issued: InvoiceIssued | CreditNoteIssued) -> Received | None:
        """Of an order on account."""
        if isinstance(issued, CreditNoteIssued) or issued.order_id is None:
            return None
        order = load_order(self._store, issued.order_id)
        words = Wording(best_locale(issued.locale))
        payment = payment_of(order, words, zone=issued.seller.zone)
        if order.paid is None or payment is None:
            return None
        return Received(payment=payment, amount_minor=order.paid.gross_minor)

    def _load(self, document_id: UUID) -> tuple[Document, Buyer]:
        document = existing(load_document(self._store, document_id))
        buyer = buyer_of(self._personal, document.issued)
        if buyer is None:
            raise SubjectErased("the buyer was erased")
        return document, buyer

    def _opened(self, document: Document) -> bytes | None:
        """What was kept, if it is what the log says."""
        issued = document.issued
        sealed = self._kept.get(issued.document_id, _PDF)
        if sealed is None or document.printed is None:
            return None
        pdf = self._personal.open(issued.subject_id, sealed, place=_place(issued.document_id))
        return pdf if pdf is not None and _hash(pdf) == document.printed.pdf_sha256 else None

    def _print(self, document: Document, buyer: Buyer) -> tuple[bytes, bytes | None]:
        entry = entry_of(self._store, document.issued.document_id)
        pdf, xml = (
            self._printer.print_pdf(invoice_page(document.issued, buyer, entry)),
            einvoice(document.issued, buyer),
        )
        return (pdf if xml is None else self._attach(pdf, xml)), xml

    def _keep(self, document: Document, pdf: bytes, xml: bytes | None) -> None:
        """Keep it first, then say so: what the log tells of is there."""
        issued = document.issued
        sealed = self._personal.seal(issued.subject_id, pdf, place=_place(issued.document_id))
        if document.printed is None or document.printed.pdf_sha256 == _hash(pdf):
            self._kept.put(issued.document_id, _PDF, sealed)
        printed = DocumentPrinted(
            document_id=issued.document_id,
            pdf_sha256=_hash(pdf),
            xml_sha256=None if xml is None else _hash(xml),
            occurred_us=self._clock.now_us(),
            actor=SYSTEM.label,
        )
        execute(
            self._store, issued.document_id, None, rules.evolve, lambda found: _note(existing(found), printed)
        )


def _note(document: Document, printed: DocumentPrinted) -> list[DocumentEvent]:
    if document.printed is None:
        return [printed]
    if document.printed.pdf_sha256 != printed.pdf_sha256:
        raise PrintedDifferently("the document was printed before, and differently")
    return []


def _place(document_id: UUID) -> str:
    return f"document_files.ciphertext|{document_id}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
