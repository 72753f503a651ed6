"""Documents and mails of what is bought on account."""

import hashlib

import pytest
from facturx import xml_check_xsd
from msgspec.structs import replace

from application.accounts import set_contact
from application.command import Ports
from application.documents.invoice_page import LogEntry, invoice_page
from application.invoicing import issue_invoice, issue_order_invoice
from application.invoicing.buyers import buyer_of
from application.invoicing.einvoice import einvoice
from application.invoicing.files import DocumentFiles
from application.invoicing.order_receipts import OrderReceipts
from application.mail.letters import InvoiceSent, PaymentDue, ReceiptSent, RefundAccepted
from application.postpaid.remind import remind_due
from application.refunds import accept_request, file_request
from domain.fact import SYSTEM
from domain.invoicing.document import Due, InvoiceIssued, Payment
from domain.invoicing.totals import Sold
from domain.postpaid.owing import DAY_US
from domain.refusal import BadField, WrongState
from tests.adapters.documents.test_einvoice import broken_rules
from tests.application.invoicing.test_files import Press, Shelf
from tests.application.invoicing.world import ACCOUNT as BUYER
from tests.application.invoicing.world import document, furnish
from tests.application.mail.test_follow import Desk
from tests.application.recharge.on_account import SELLER, on_account, trusted
from tests.application.recharge.test_on_account import settle, take_back
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import memory_ports


class Owing:
    """Where to look: at the one account, always."""

    def to_remind(self, *, now_us: int, limit: int) -> list[object]:
        return [(ACCOUNT, ORDER)]


def bought() -> Ports:
    ports = trusted(limit_minor=100_000)
    contact = set_contact.SetContact(account_id=ACCOUNT, contact_name="Bo", email="bo@example.com")
    set_contact.handle(contact, actor=SYSTEM, ports=ports)
    return ports


def invoiced(ports: Ports) -> InvoiceIssued:
    command = issue_order_invoice.IssueOrderInvoice(order_id=ORDER, seller_id=SELLER)
    made = issue_order_invoice.handle(command, actor=SYSTEM, ports=ports).id
    issued = document(ports, made).issued
    assert isinstance(issued, InvoiceIssued)
    return issued


def receipts(ports: Ports, press: Press) -> OrderReceipts:
    files = DocumentFiles(
        store=ports.store,
        personal=ports.personal,
        printer=press,
        attach=lambda pdf, xml: pdf + hashlib.sha256(xml).digest(),
        kept=Shelf(),
        clock=ports.clock,
    )
    return OrderReceipts(store=ports.store, names=ports.names, printer=press, files=files)


def test_its_invoice_says_until_when_it_is_to_be_paid() -> None:
    """At once, with the day of the seller's zone and the reference; and so does the e-invoice, by the standard's rules."""
    ports = bought()
    placed = on_account(ports)
    issued = invoiced(ports)
    assert (issued.payment, issued.lines[0].description) == (None, "Credit: 100.00 credits")
    assert issued.due == Due(on="2025-12-24", reference=placed.reference)
    buyer = buyer_of(ports.personal, issued)
    assert buyer is not None
    page = invoice_page(issued, buyer, LogEntry(position=1, leaf_sha256="0" * 64))
    said = {label.label: label.value for label in page.facts}
    assert (said["Due date"], said["Payment reference"]) == ("December 24, 2025", placed.reference)
    assert page.notes[0].startswith("Not paid yet. Please transfer the total by December 24, 2025")
    xml = einvoice(issued, buyer)
    assert xml is not None
    assert b"<ram:PaymentReference>" in xml
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert broken_rules(xml) == []


def test_an_invoice_that_is_made_after_the_payment_says_that_it_is_paid() -> None:
    """Nothing is due by then."""
    ports = bought()
    on_account(ports)
    settle(ports)
    issued = invoiced(ports)
    assert issued.payment is not None
    assert issued.payment.reference == f"B-{ORDER.int}"
    assert not isinstance(issued.due, Due)


def test_there_is_a_receipt_once_it_is_paid_and_not_before() -> None:
    """Over what was paid, which is less where some was taken back."""
    ports, press = bought(), Press()
    on_account(ports)
    told = receipts(ports, press)
    with pytest.raises(WrongState):
        told.pdf(ORDER, locale="en")
    invoiced(ports)
    with pytest.raises(WrongState):
        told.pdf(ORDER, locale="en")
    take_back(ports, amount_minor=1_190)
    settle(ports)
    told.pdf(ORDER, locale="en")
    page = press.pages[-1]
    assert page.title == "Receipt"
    totals = [one.value for one in page.totals]
    assert totals == ["€100.00", "€19.00", "-€11.90", "€107.10"]


def test_mails_tell_of_the_invoice_the_days_and_the_payment() -> None:
    """No receipt when it is credited; each reminder once."""
    ports = bought()
    desk = Desk(ports)
    due_us = on_account(ports).expires_us
    assert desk.mails() == []
    invoiced(ports)
    for now_us in (due_us - 3 * DAY_US, due_us - 1, due_us, due_us + DAY_US):
        ports.clock.us = now_us  # type: ignore[attr-defined]  # the clock of tests
        remind_due(Owing(), store=ports.store, clock=ports.clock)  # type: ignore[arg-type]  # says always the same
    settle(ports)
    invoice, soon, overdue, receipt = (one.letter for one in desk.mails())
    assert isinstance(invoice, InvoiceSent)
    assert (invoice.is_paid, invoice.due_on) == (False, "2025-12-24")
    assert isinstance(soon, PaymentDue)
    assert isinstance(overdue, PaymentDue)
    assert (soon.is_overdue, overdue.is_overdue, overdue.due_on) == (False, True, "2025-12-24")
    assert overdue.order_link.endswith(f"/orders/{ORDER}")
    assert isinstance(receipt, ReceiptSent)
    assert (receipt.on_account, receipt.gross_minor) == (True, 11_900)


def test_who_asked_for_a_refund_of_what_is_not_paid_pays_less() -> None:
    """The mail says so, and no money is on its way."""
    ports = replace(bought(), approval_nano=10**15)
    desk = Desk(ports)
    on_account(ports)
    wish = file_request.FileRefundRequest(order_id=ORDER, reason="other")
    refund_id = file_request.handle(wish, actor=SYSTEM, ports=ports).id
    yes = accept_request.AcceptRefundRequest(order_id=ORDER, refund_id=refund_id, amount_minor=1_190)
    assert accept_request.handle(yes, actor=SYSTEM, ports=ports).state == "succeeded"
    (letter,) = (one.letter for one in desk.mails())
    assert isinstance(letter, RefundAccepted)
    assert (letter.set_off, letter.amount_minor) == (True, 1_190)


def test_a_due_day_that_cannot_be_meant_is_refused() -> None:
    """Nor is what is paid due."""
    ports = furnish(memory_ports())
    payment = Payment(paid_on="2025-11-24", method="x", reference="y")
    for due, paid in ((Due(on="soon", reference="x"), None), (Due(on="2025-12-24", reference="x"), payment)):
        command = issue_invoice.IssueInvoice(
            seller_id=SELLER,
            account_id=BUYER,
            currency="EUR",
            lines=(Sold(description="x", amount_minor=100, rate_ppm=0),),
            due=due,
            payment=paid,
        )
        with pytest.raises(BadField):
            issue_invoice.handle(command, actor=SYSTEM, ports=ports)
