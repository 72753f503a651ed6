"""Credit notes whose refund came to nothing are taken back, by an invoice of its own."""

from uuid import UUID

import pytest

from application.documents.invoice_page import LogEntry, invoice_page
from application.invoicing import erase_billing
from application.invoicing.buyers import buyer_of
from application.invoicing.show_document import show_document
from domain.fact import SYSTEM
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.invoicing.totals import CreditAboveInvoice, left_of
from domain.privacy import SubjectErased
from domain.refusal import NotFound, WrongState
from tests.application.invoicing.world import ACCOUNT, credit, document, furnish, issue, take_back
from tests.fakes import memory_ports


def test_it_is_an_invoice_over_the_same_with_its_own_number_and_the_notes() -> None:
    """Same rates and parties, paid as the first one was; so all three together are the first invoice."""
    ports = furnish(memory_ports())
    first = issue(ports, 10_000, 1_900)
    note_id = credit(ports, first, 5_001)
    again = document(ports, take_back(ports, note_id)).issued
    note, invoice = document(ports, note_id).issued, document(ports, first).issued
    assert isinstance(again, InvoiceIssued)
    assert isinstance(note, CreditNoteIssued)
    assert isinstance(invoice, InvoiceIssued)
    assert again.number_text == "INV-000002"
    assert (again.rates, again.total_minor, again.payment) == (note.rates, note.total_minor, invoice.payment)
    assert (again.supplied_on, again.seller, again.notices) == (
        invoice.supplied_on,
        note.seller,
        note.notices,
    )
    assert again.reinstates
    assert (again.reinstates.number_text, again.reinstates.invoice_id) == ("CN-000001", first)
    assert buyer_of(ports.personal, again) == buyer_of(ports.personal, invoice)
    page = invoice_page(again, buyer_of(ports.personal, again), LogEntry(position=1, leaf_sha256="0"))
    assert ("Takes back credit note", "CN-000001 of November 24, 2025") in [
        (one.label, one.value) for one in page.facts
    ]


def test_what_it_gives_back_can_be_credited_again_and_no_more() -> None:
    """The refund is tried again, and gets a credit note of its own. Taking a note back is done once."""
    ports = furnish(memory_ports())
    first = issue(ports, 11_900)
    note_id = credit(ports, first)
    with pytest.raises(CreditAboveInvoice):
        credit(ports, first, 1)
    invoice_id = UUID(int=70)
    for _ in range(2):
        assert take_back(ports, note_id, invoice_id=invoice_id) == invoice_id
    with pytest.raises(WrongState, match="taken back"):
        take_back(ports, note_id)
    assert left_of(document(ports, first)) == document(ports, first).issued.rates
    second = credit(ports, first)
    with pytest.raises(CreditAboveInvoice):
        credit(ports, first, 1)
    shown = show_document(ports.store, ports.personal, first)
    assert (set(shown.credit_note_ids), shown.left_minor) == ({note_id, second}, 0)


def test_only_a_credit_note_is_taken_back_and_only_from_somebody() -> None:
    """Neither an invoice nor nothing; nor one whose buyer was erased."""
    ports = furnish(memory_ports())
    first = issue(ports)
    with pytest.raises(WrongState, match="an invoice"):
        take_back(ports, first)
    with pytest.raises(NotFound):
        take_back(ports, UUID(int=3))
    note_id = credit(ports, first)
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="asked for")
    erase_billing.handle(command, actor=SYSTEM, ports=ports)
    with pytest.raises(SubjectErased):
        take_back(ports, note_id)
