"""One invoice or credit note as its stream has it. For showing; nothing is decided from the answer."""

from typing import Any
from uuid import UUID

import msgspec

from application.documents.invoice_page import LogEntry
from application.eventlog import EventStore
from application.invoicing.buyers import buyer_of
from application.invoicing.streams import load_document
from application.privacy import PersonalData
from domain.invoicing.document import Document, DocumentPrinted, InvoiceIssued, existing
from domain.invoicing.parties import Buyer
from domain.invoicing.totals import left_of
from domain.sealing.leaf import leaf
from domain.sealing.tree import leaf_hash


class DocumentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A document with its buyer, who is not there once erased. Amounts are minor units of the currency."""

    document_id: UUID
    kind: str
    number: str
    issued: dict[str, Any]  #: the event, without the envelope
    buyer: Buyer | None
    left_minor: int | None  #: of an invoice: what no credit note has taken back
    credit_note_ids: tuple[UUID, ...]
    pdf_sha256: str | None
    entry: LogEntry


def show_document(store: EventStore, personal: PersonalData, document_id: UUID) -> DocumentDetail:
    """The document.

    Raises:
        NotFound: there is none.
        VaultError: the buyer cannot be read now.
    """
    document = existing(load_document(store, document_id))
    said: dict[str, Any] = msgspec.to_builtins(document.issued)
    del said["pii"]
    return DocumentDetail(
        document_id=document_id,
        kind=document.issued.TOPIC.partition(".")[0],
        number=document.issued.number_text,
        issued=said,
        buyer=buyer_of(personal, document.issued),
        left_minor=_left(document),
        credit_note_ids=_notes(document),
        pdf_sha256=_hash(document.printed),
        entry=entry_of(store, document_id),
    )


def entry_of(store: EventStore, document_id: UUID) -> LogEntry:
    """Where in the log the document was issued; the hash is that of its leaf in the sealed log."""
    first = store.read_stream(document_id)[0]
    return LogEntry(position=first.position, leaf_sha256=leaf_hash(leaf(first)).hex())


def _notes(document: Document) -> tuple[UUID, ...]:
    """All of an invoice, also those that were taken back."""
    counting = tuple(one.credit_note_id for one in document.credited)
    return counting + tuple(one.credit_note_id for one in document.reinstated)


def _left(document: Document) -> int | None:
    if not isinstance(document.issued, InvoiceIssued):
        return None
    return sum(one.net_minor + one.tax_minor for one in left_of(document))


def _hash(printed: DocumentPrinted | None) -> str | None:
    return None if printed is None else printed.pdf_sha256
