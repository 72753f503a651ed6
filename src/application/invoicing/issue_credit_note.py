"""Take back an invoice, or a part of it: what was issued never changes."""

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
from domain.invoicing.document import CreditNoteIssued, RateTotal, existing
from domain.invoicing.issuing import SeriesHead, issue_credit_note
from domain.operators import Permission
from domain.privacy import SubjectErased


class IssueCreditNote(Command, frozen=True, kw_only=True):
    """So much of an invoice, tax included, or all that is left of it. The same credit note id is issued once."""

    permission: ClassVar[Permission] = "credit"

    invoice_id: UUID
    reason: str
    amount_minor: int | None = None
    rates: tuple[RateTotal, ...] | None = None
    credit_note_id: UUID | None = None


def handle(command: IssueCreditNote, *, actor: Actor, ports: Ports) -> Created:
    """Issue it, to the buyer of the invoice.

    Raises:
        NotFound: there is no such invoice, or no series for credit notes.
        SubjectErased, VaultError: the buyer cannot be read.
        Others as `issuing.issue_credit_note` and `take_number`; no number was taken.
    """
    first = existing(load_document(ports.store, command.invoice_id)).issued
    series = load_seller(ports.store, first.seller_id).newest("credit_note")
    buyer = buyer_of(ports.personal, first)
    if buyer is None:
        raise SubjectErased("the buyer was erased")
    document_id = command.credit_note_id or ports.ids.new()
    pii = ports.personal.seal(first.subject_id, msgspec.json.encode(buyer), place=CreditNoteIssued.TOPIC)
    words = Wording(best_locale(first.locale))
    _ = words.gettext
    description = _("Credit for invoice %(number)s of %(day)s") % {
        "number": first.number_text,
        "day": words.day(first.issued_on),
    }
    at = stamp(ports, actor)

    def decide(head: SeriesHead) -> Decided:
        recorded = ports.store.read_stream(command.invoice_id)
        taken, note, credited = issue_credit_note(
            head,
            invoice=existing(fold(recorded, None, document.evolve)),
            series=series,
            pii=pii,
            document_id=document_id,
            amount_minor=command.amount_minor,
            rates=command.rates,
            reason=command.reason,
            description=description,
            stamp=at,
        )
        return taken, note, ((command.invoice_id, recorded[-1].version + 1, credited),)

    return Created(id=document_id, done=take_number(ports.store, series, document_id, decide))
