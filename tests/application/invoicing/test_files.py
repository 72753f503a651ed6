"""The files of documents: the e-invoice, and that what was printed stays."""

import hashlib
from uuid import UUID

import pytest

from application.command import Ports
from application.documents.page import Page
from application.invoicing import erase_billing
from application.invoicing.files import DocumentFiles, PrintedDifferently
from domain.fact import SYSTEM
from domain.privacy import Sealed, SubjectErased
from domain.refusal import WrongState
from tests.application.invoicing.world import ACCOUNT, BUYER, credit, document, furnish, issue
from tests.fakes import memory_ports


class Press:
    """A printer that prints what the page says, and can change its ways."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.version = 1

    def print_pdf(self, page: Page) -> bytes:
        self.pages.append(page)
        return f"{self.version} {page.title} {page.number} {page.parties[-1].name}".encode()


class Shelf:
    def __init__(self) -> None:
        self.files: dict[tuple[UUID, str], Sealed] = {}

    def get(self, document_id: UUID, name: str) -> Sealed | None:
        return self.files.get((document_id, name))

    def put(self, document_id: UUID, name: str, sealed: Sealed) -> None:
        self.files.setdefault((document_id, name), sealed)


class Office:
    def __init__(self) -> None:
        self.ports = furnish(memory_ports())
        self.press, self.shelf = Press(), Shelf()
        self.files = DocumentFiles(
            store=self.ports.store,
            personal=self.ports.personal,
            printer=self.press,
            attach=lambda pdf, xml: pdf + b" " + hashlib.sha256(xml).hexdigest().encode(),
            kept=self.shelf,
            clock=self.ports.clock,
        )


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_document_is_printed_once_and_told_in_the_log(office: Office) -> None:
    """Who asks again gets what was kept, whatever the printer would make of it by now."""
    invoice = issue(office.ports)
    first = office.files.pdf(invoice)
    office.press.version = 2
    assert office.files.pdf(invoice) == first
    assert len(office.press.pages) == 1
    printed = document(office.ports, invoice).printed
    assert printed is not None
    assert printed.pdf_sha256 == hashlib.sha256(first).hexdigest()
    xml = office.files.xml(invoice)
    assert xml is not None
    assert printed.xml_sha256 == hashlib.sha256(xml).hexdigest()


def test_a_lost_file_is_printed_again_to_the_same_bytes_or_not_at_all(office: Office) -> None:
    """A printer that makes something else of it is told by the hash in the log."""
    invoice = issue(office.ports)
    first = office.files.pdf(invoice)
    office.shelf.files.clear()
    assert office.files.pdf(invoice) == first
    office.shelf.files.clear()
    office.press.version = 2
    with pytest.raises(PrintedDifferently):
        office.files.pdf(invoice)
    assert not office.shelf.files


def test_a_crash_between_keeping_and_telling_is_mended_by_the_next(office: Office) -> None:
    """The log tells of a file only when it is there; one that it does not tell of is made again."""
    invoice = issue(office.ports)
    other = Office()
    other.files.pdf(issue(other.ports))
    office.shelf.put(invoice, "document.pdf", Sealed(key_id=UUID(int=1), ciphertext=b"half"))
    pdf = office.files.pdf(invoice)
    assert pdf.startswith(b"1 Invoice INV-000001 " + BUYER.encode())
    assert document(office.ports, invoice).printed is not None


def test_what_is_kept_is_sealed_and_goes_with_the_buyer(office: Office) -> None:
    """After an erasure there is neither a file nor a new one."""
    invoice = issue(office.ports)
    office.files.pdf(invoice)
    assert all(BUYER.encode() not in one.ciphertext for one in office.shelf.files.values())
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="over")
    erase_billing.handle(command, actor=SYSTEM, ports=office.ports)
    for ask in (office.files.pdf, office.files.receipt, office.files.xml):
        with pytest.raises(SubjectErased):
            ask(invoice)


def test_a_receipt_is_for_what_was_paid(office: Office) -> None:
    """An invoice that waits for its payment has none, and a credit note neither."""
    assert office.files.receipt(issue(office.ports)).startswith(b"1 Receipt INV-000001")
    unpaid = issue(office.ports, paid=False)
    for one in (unpaid, credit(office.ports, unpaid)):
        with pytest.raises(WrongState):
            office.files.receipt(one)


def test_no_e_invoice_where_its_standard_does_not_fit(office: Office) -> None:
    """Of a currency with three decimals; the PDF is made all the same."""
    invoice = issue(office.ports, currency="KWD", rate_ppm=0)
    assert office.files.xml(invoice) is None
    assert office.files.pdf(invoice)


def test_ports_are_those_of_the_world(office: Office) -> None:
    """The buyer's name is on the page as it was typed."""
    assert isinstance(office.ports, Ports)
    office.files.pdf(issue(office.ports))
    assert office.press.pages[0].parties[1].name == BUYER
