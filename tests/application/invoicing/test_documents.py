"""Issuing invoices and credit notes."""

from uuid import UUID

import msgspec
import pytest

from application.command import Ports
from application.invoicing import erase_billing, issue_invoice, set_billing
from application.invoicing.buyers import buyer_of
from application.invoicing.show_document import show_document
from application.invoicing.streams import load_seller, series_head
from domain.fact import SYSTEM
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.invoicing.issuing import ClockBehindSeries
from domain.invoicing.parties import VatEvidence
from domain.invoicing.totals import CreditAboveInvoice
from domain.privacy import SubjectErased
from domain.refusal import BadField, NotFound, WrongState
from domain.sealing.leaf import leaf
from domain.sealing.tree import leaf_hash
from tests.application.invoicing.world import ACCOUNT, BUYER, SELLER, credit, document, furnish, issue, series
from tests.fakes import ManualClock, MemoryEventStore, memory_ports

ONE, TWO = UUID(int=0x101), UUID(int=0x102)


@pytest.fixture
def ports() -> Ports:
    return furnish(memory_ports())


def test_an_invoice_says_all_that_is_printed(ports: Ports) -> None:
    """Seller and buyer as they were, lines, tax once for the rate, the day in the seller's time zone."""
    issued = document(ports, issue(ports, 10000, 1900)).issued
    assert isinstance(issued, InvoiceIssued)
    assert (issued.number, issued.number_text) == (1, "INV-000001")
    assert [(one.net_minor, one.tax_minor) for one in issued.rates] == [(10000, 1900)]
    assert [line.net_minor for line in issued.lines] == [8403, 1597]
    assert (issued.net_minor, issued.tax_minor, issued.total_minor) == (10000, 1900, 11900)
    assert issued.issued_on == "2025-11-24"
    assert issued.seller == load_seller(ports.store, SELLER).seller
    buyer = buyer_of(ports.personal, issued)
    assert buyer is not None
    assert buyer.name == BUYER


def test_no_person_stands_in_the_log_in_the_clear(ports: Ports) -> None:
    """Neither in the profile nor on documents; nor do commands and buyers show them when they are printed."""
    credit(ports, issue(ports))
    store = ports.store
    assert isinstance(store, MemoryEventStore)
    said = b"".join(one.state for one in store.log)
    for word in (BUYER, "Sample Road", "ada@example.com"):
        assert word.encode() not in said
    command = set_billing.SetBilling(account_id=ACCOUNT, buyer_name=BUYER, address=("x",), country="DE")
    assert BUYER not in repr(command)


def test_numbers_go_on_by_one_in_each_series(ports: Ports) -> None:
    """Credit notes have their own; a new series of a kind begins at 1."""
    invoices = [issue(ports) for _ in range(3)]
    credit(ports, invoices[0])
    assert document(ports, credit(ports, invoices[1])).issued.number_text == "CN-000002"
    series(ports, prefix="INV27-")
    assert document(ports, issue(ports)).issued.number_text == "INV27-000001"
    assert [document(ports, one).issued.number for one in invoices] == [1, 2, 3]


def test_the_same_invoice_is_issued_once(ports: Ports) -> None:
    """Repeating a command takes no number, and what was issued stays."""
    assert issue(ports, invoice_id=ONE) == issue(ports, 500, invoice_id=ONE) == ONE
    assert document(ports, ONE).issued.total_minor == 11900
    assert document(ports, issue(ports, invoice_id=TWO)).issued.number == 2


def test_a_refused_invoice_takes_no_number(ports: Ports) -> None:
    """Whatever it is refused for."""
    with pytest.raises(BadField):
        issue(ports, rate_ppm=-1)
    with pytest.raises(BadField):
        issue(ports, currency="XXX")
    with pytest.raises(BadField):
        issue(ports, 0)
    assert document(ports, issue(ports)).issued.number == 1


def test_another_process_in_between_takes_the_number_first(ports: Ports) -> None:
    """Then the next one is taken."""
    store = ports.store
    assert isinstance(store, MemoryEventStore)
    store.before_append = lambda: issue(ports, invoice_id=ONE)
    issue(ports, invoice_id=TWO)
    assert [document(ports, one).issued.number for one in (ONE, TWO)] == [1, 2]


def test_the_end_of_a_series_is_found_whatever_was_kept_of_it(ports: Ports) -> None:
    """What was kept is a hint: too early, too late or no number at all, the stream decides."""
    for _ in range(3):
        issue(ports)
    series_id = load_seller(ports.store, SELLER).newest("invoice").series_id
    for kept in (b"1", b"3", b"9", b"-4", b'"x"', b"\x00"):
        ports.store.keep_snapshot(series_id, 1, kept)
        assert series_head(ports.store, series_id).number == 3


def test_credit_notes_together_are_never_more_than_their_invoice(ports: Ports) -> None:
    """Parts that add to the whole add to the whole of its tax; then nothing is left."""
    invoice = issue(ports, 10000)
    notes = [document(ports, credit(ports, invoice, amount)).issued for amount in (3333, 3333)]
    with pytest.raises(CreditAboveInvoice) as refused:
        credit(ports, invoice, 3335)
    assert refused.value.left_minor == 3334
    notes.append(document(ports, credit(ports, invoice)).issued)
    first = document(ports, invoice).issued
    assert sum(note.tax_minor for note in notes) == first.tax_minor
    assert sum(note.net_minor for note in notes) == first.net_minor
    with pytest.raises(CreditAboveInvoice):
        credit(ports, invoice)


def test_a_credit_note_names_its_invoice_and_its_day(ports: Ports) -> None:
    """And goes to the invoice's buyer, even when another one buys now; the same note is issued once."""
    invoice = issue(ports, locale="ja")
    other = set_billing.SetBilling(account_id=ACCOUNT, buyer_name="Other", address=("x",), country="FR")
    set_billing.handle(other, actor=SYSTEM, ports=ports)
    assert credit(ports, invoice, 100, note_id=ONE) == credit(ports, invoice, 100, note_id=ONE)
    note = document(ports, ONE).issued
    assert isinstance(note, CreditNoteIssued)
    assert (note.refers_to.number_text, note.refers_to.issued_on) == ("INV-000001", "2025-11-24")
    assert note.lines[0].description == "請求書 INV-000001（2025年11月24日）に対する返金"  # noqa: RUF001  # Japanese
    buyer = buyer_of(ports.personal, note)
    assert buyer is not None
    assert buyer.name == BUYER
    assert show_document(ports.store, ports.personal, invoice).left_minor == 11800
    with pytest.raises(WrongState):
        credit(ports, ONE)


def test_days_never_go_back_as_numbers_go_up(ports: Ports) -> None:
    """A clock behind the last document's day is refused."""
    issue(ports)
    clock = ports.clock
    assert isinstance(clock, ManualClock)
    clock.move(-86_400)
    with pytest.raises(ClockBehindSeries):
        issue(ports)


def test_without_a_seller_a_series_or_a_buyer_nothing_is_issued() -> None:
    """Each is told by its name."""
    ports = memory_ports()
    with pytest.raises(NotFound, match="seller"):
        issue(ports)
    furnish(ports)
    nobody = issue_invoice.IssueInvoice(seller_id=SELLER, account_id=ONE, currency="EUR", lines=())
    with pytest.raises(NotFound, match="billing profile"):
        issue_invoice.handle(nobody, actor=SYSTEM, ports=ports)


@pytest.mark.parametrize(
    ("countries", "vat", "rate_ppm", "category", "notices"),
    [
        (("DE", "DE"), None, 190_000, "S", ()),
        (("DE", "PL"), True, 0, "AE", ("reverse_charge",)),
        (("DE", "PL"), False, 0, "E", ("exempt",)),
        (("DE", "US"), None, 0, "G", ("export",)),
        (("DE", "DE"), None, 0, "Z", ()),
        (("JP", "KR"), None, 0, "G", ("export",)),
        (("CN", "CN"), None, 60_000, "S", ("no_fapiao",)),
        (("KR", "US"), None, 0, "G", ("export", "no_kr_tax_invoice")),
    ],
)
def test_a_document_says_why_there_is_no_tax(
    countries: tuple[str, str], vat: bool | None, rate_ppm: int, category: str, notices: tuple[str, ...]
) -> None:
    """By where the parties are and what the register said; what only a tax office issues is never imitated."""
    evidence = None if vat is None else VatEvidence(valid=vat, checked_us=1, reference="WAPI1")
    seller, buyer = countries
    ports = furnish(memory_ports(), country=seller, buyer_country=buyer, tax_ids=(), vat=evidence)
    currency = "CNY" if seller == "CN" else "EUR"
    issued = document(ports, issue(ports, rate_ppm=rate_ppm, currency=currency)).issued
    assert (issued.rates[0].category, issued.notices) == (category, notices)
    assert issued.vat == evidence


def test_erasing_the_buyer_leaves_numbers_and_hashes(ports: Ports) -> None:
    """The documents show nobody; the log is what it was, and nothing new is issued to whom is gone."""
    invoice = issue(ports)
    before = show_document(ports.store, ports.personal, invoice)
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="ten years are over")
    done = erase_billing.handle(command, actor=SYSTEM, ports=ports)
    assert erase_billing.handle(command, actor=SYSTEM, ports=ports).events == ()
    assert len(done.events) == 1
    after = show_document(ports.store, ports.personal, invoice)
    assert (before.buyer is None, after.buyer) == (False, None)
    assert after == msgspec.structs.replace(before, buyer=None)
    with pytest.raises(NotFound):
        issue(ports)
    with pytest.raises(SubjectErased):
        credit(ports, invoice)


def test_the_entry_of_a_document_is_its_leaf_in_the_sealed_log(ports: Ports) -> None:
    """So that a proof of inclusion can be made for what is printed."""
    invoice = issue(ports)
    entry = show_document(ports.store, ports.personal, invoice).entry
    first = ports.store.read_stream(invoice)[0]
    assert entry.position == first.position
    assert entry.leaf_sha256 == leaf_hash(leaf(first)).hex()
