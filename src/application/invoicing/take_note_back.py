"""Take back a credit note whose refund came to nothing: an invoice of its own, as what was issued never changes."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Created, Ports, fold, stamp
from application.documents.wording import Wording
from application.i18n.locales import best_locale
from application.invoicing.buyers import buyer_of
from application.invoicing.streams import Decided, load_document, load_seller, take_number
from domain.fact import Actor
from domain.invoicing import document
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued, existing
from domain.invoicing.issuing import SeriesHead, take_note_back
from domain.operators import Permission
from domain.privacy import SubjectErased
from domain.refusal import WrongState


class TakeNoteBack(Command, frozen=True, kw_only=True):
    """All of a credit note. The same invoice id is issued once."""

    permission: ClassVar[Permission] = "credit"

    credit_note_id: UUID
    reason: str
    invoice_id: UUID | None = None


def handle(command: TakeNoteBack, *, actor: Actor, ports: Ports) -> Created:
    """Issue the invoice, to the buyer of the credit note.

    Raises:
        NotFound: there is no such credit note, or no series for invoices.
        WrongState: it is an invoice, or was taken back.
        SubjectErased, VaultError: the buyer cannot be read.
        Others as `issuing.take_note_back` and `take_number`; no number was taken.
    """
    note = existing(load_document(ports.store, command.credit_note_id)).issued
    if not isinstance(note, CreditNoteIssued):
        raise WrongState("document", "an invoice")
    series = load_seller(ports.store, note.seller_id).newest("invoice")
    buyer = buyer_of(ports.personal, note)
    if buyer is None:
        raise SubjectErased("the buyer was erased")
    document_id = command.invoice_id or ports.ids.new()
    pii = ports.personal.seal(note.subject_id, msgspec.json.encode(buyer), place=InvoiceIssued.TOPIC)
    words = Wording(best_locale(note.locale))
    _ = words.gettext
    description = _("Credit note %(number)s of %(day)s taken back") % {
        "number": note.number_text,
        "day": words.day(note.issued_on),
    }
    at, first_id = stamp(ports, actor), note.refers_to.document_id

    def decide(head: SeriesHead) -> Decided:
        recorded = ports.store.read_stream(first_id)
        taken, issued, reinstated = take_note_back(
            head,
            note=note,
            invoice=existing(fold(recorded, None, document.evolve)),
            series=series,
            pii=pii,
            document_id=document_id,
            reason=command.reason,
            description=description,
            stamp=at,
        )
        return taken, issued, ((first_id, recorded[-1].version + 1, reinstated),)

    return Created(id=document_id, done=take_number(ports.store, series, document_id, decide))
