"""The clerk, who issues what facts call for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from application.command import Ports
from application.invoicing import erase_billing, set_billing, set_invoicing
from application.invoicing.clerk import Clerk
from application.invoicing.queries import (
    DocumentFilter,
    DocumentPage,
    DueDocument,
    DuePage,
    credit_note_of,
    invoice_of,
    taking_back,
)
from application.recharge.change_order import load_order
from domain.fact import SYSTEM
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.recharge.offers import TaxQuote
from domain.refusal import NotFound
from tests.application.invoicing.world import SELLER, document, furnish
from tests.application.recharge.test_orders import settled
from tests.application.recharge.world import dollars_offered, ordered
from tests.application.recharge.world import furnish as furnish_orders
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER
from tests.fakes import ManualClock, memory_ports


class Tray:
    """What is due, as a read model would say that never learns of anything."""

    def __init__(self) -> None:
        self.items: list[DueDocument] = []

    def documents(
        self, wanted: DocumentFilter, *, before_position: int | None = None, limit: int = 100
    ) -> DocumentPage:
        return DocumentPage(items=(), next_before=None)

    def due(
        self, *, from_us: int = 0, ready: bool = False, after_position: int = 0, limit: int = 100
    ) -> DuePage:
        assert ready
        found = [one for one in self.items if one.position > after_position]
        return DuePage(items=tuple(found[:1]), next_after=found[0].position if len(found) > 1 else None)


class Nobody:
    def locale_of(self, person_id: UUID) -> str | None:
        return None


class Office:
    def __init__(self, *, currency: str = "EUR") -> None:
        self.ports: Ports = furnish_orders(furnish(memory_ports()))
        dollars_offered(self.ports)
        command = set_billing.SetBilling(account_id=ACCOUNT, buyer_name="Acme", address=("x",), country="DE")
        set_billing.handle(command, actor=SYSTEM, ports=self.ports)
        ordered(self.ports, currency=currency)
        settled(self.ports, currency=currency)
        self.tray = Tray()
        self.clerk = Clerk(documents=self.tray, languages=Nobody(), ports=self.ports)
        self.called_for()

    def switch_on(self, **changes: Any) -> None:
        command = set_invoicing.SetInvoicing(**({"seller_id": SELLER} | changes))
        set_invoicing.handle(command, actor=SYSTEM, ports=self.ports)

    def rested(self, *, days: int = 1) -> None:
        """So much later: what could not be issued is tried again."""
        clock = self.ports.clock
        assert isinstance(clock, ManualClock)
        clock.us += days * 86_400_000_000

    def called_for(self, what: str = "", *, gross: int = 11_900, tax: int = 1_900, **changes: Any) -> UUID:
        """Another due document: the order's invoice, or a credit note for a refund of it."""
        document_id = credit_note_of(ORDER, what) if what else invoice_of(ORDER)
        given: dict[str, Any] = {
            "document_id": document_id,
            "kind": "credit_note" if what else "invoice",
            "cause": what.partition(":")[0] or "order",
            "order_id": ORDER,
            "account_id": ACCOUNT,
            "invoice_id": invoice_of(ORDER),
            "amount_minor": gross,
            "currency": "EUR",
            "tax": TaxQuote(country="DE", rate_ppm=190_000, net_minor=gross - tax, tax_minor=tax),
            "occurred_us": 1,
            "position": len(self.tray.items) + 1,
            "state": "due",
        }
        self.tray.items.append(DueDocument(**(given | changes)))
        return document_id


@pytest.fixture
def office() -> Office:
    return Office()


def test_nothing_is_issued_until_somebody_says_by_whom(office: Office) -> None:
    """And no more once it is switched off."""
    assert office.clerk.issue_due() == 0
    office.switch_on()
    office.switch_on(seller_id=None)
    assert office.clerk.issue_due() == 0


def test_a_credited_order_gets_its_invoice_once(office: Office) -> None:
    """However long the read model still calls it due; in the language that was set."""
    office.switch_on(locale="ja")
    assert [office.clerk.issue_due() for _ in range(3)] == [1, 0, 0]
    issued = document(office.ports, invoice_of(ORDER)).issued
    assert (issued.number_text, issued.total_minor, issued.locale) == ("INV-000001", 11_900, "ja")


def test_a_refund_gets_its_credit_note_with_the_tax_of_the_books(office: Office) -> None:
    """To the minor unit, though in proportion it would round otherwise; with the reason in the language of the invoice."""
    office.switch_on(locale="ko")
    note_id = office.called_for("refund:re_1", gross=1_000, tax=159)
    assert office.clerk.issue_due() == 2
    note = document(office.ports, note_id).issued
    assert isinstance(note, CreditNoteIssued)
    assert (note.net_minor, note.tax_minor, note.total_minor) == (841, 159, 1_000)
    assert note.reason == "결제 환불"
    assert note.refers_to.number_text == "INV-000001"
    assert office.clerk.issue_due() == 0


def test_a_refund_that_came_back_has_its_credit_note_taken_back(office: Office) -> None:
    """Once, in the language of the note; a second refund of the same money gets its own credit note."""
    office.switch_on(locale="ja")
    note_id = office.called_for("refund:re_1")
    assert office.clerk.issue_due() == 2
    invoice_id = taking_back(ORDER, "refund:re_1")
    office.called_for(document_id=invoice_id, cause="came_back", note_id=note_id)
    assert [office.clerk.issue_due() for _ in range(2)] == [1, 0]
    again = document(office.ports, invoice_id).issued
    assert isinstance(again, InvoiceIssued)
    assert again.reinstates
    assert (again.locale, again.total_minor, again.reinstates.reason) == (
        "ja",
        11_900,
        "返金を完了できませんでした",
    )
    office.called_for("refund:re_2")
    assert office.clerk.issue_due() == 1


def test_what_is_left_is_taken_back_in_proportion_where_the_books_do_not_fit(office: Office) -> None:
    """When several roundings have left a little less tax than the last refund has, the sum is right all the same."""
    office.switch_on()
    office.called_for("refund:re_1", gross=5_950, tax=951)
    last = office.called_for("dispute:du_1", gross=5_950, tax=951)
    assert office.clerk.issue_due() == 3
    note = document(office.ports, last).issued
    assert (note.net_minor, note.tax_minor) == (5_001, 949)
    assert isinstance(note, CreditNoteIssued)
    assert note.reason == "Payment taken back by your bank"


def test_what_cannot_be_issued_holds_up_nothing_and_rests(office: Office) -> None:
    """It is said once, not each second; tried again after a minute, and then ever more seldom."""
    office.switch_on()
    office.tray.items.clear()
    unknown = UUID(int=5)
    office.called_for(order_id=OTHER, document_id=unknown)
    office.called_for()
    clock = office.ports.clock
    assert isinstance(clock, ManualClock)
    with capture_logs() as logged:
        assert office.clerk.issue_due() == 1
        office.clerk.issue_due()
        clock.move(60)
        office.clerk.issue_due()
        clock.move(60)
        office.clerk.issue_due()
        clock.move(60)
        office.clerk.issue_due()
    assert [(one["event"], one["document_id"], one["reason"]) for one in logged] == [
        ("document_not_issued", str(unknown), "not_found")
    ] * 3


def test_too_much_is_never_credited(office: Office) -> None:
    """What was credited by hand already is not credited again by itself: somebody must look."""
    office.switch_on()
    office.called_for("refund:re_1")
    office.called_for("refund:re_2")
    with capture_logs() as logged:
        assert office.clerk.issue_due() == 2
    assert [one["reason"] for one in logged] == ["credit_above_invoice"]


def test_an_erased_buyer_gets_no_more_documents(office: Office) -> None:
    """The credit note cannot name them."""
    office.switch_on()
    office.clerk.issue_due()
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="asked for")
    erase_billing.handle(command, actor=SYSTEM, ports=office.ports)
    office.tray.items.clear()
    office.called_for("refund:re_1")
    with capture_logs() as logged:
        assert office.clerk.issue_due() == 0
    assert [one["reason"] for one in logged] == ["subject_erased"]
    assert load_order(office.ports.store, ORDER).status == "credited"


@pytest.mark.parametrize("furnished", [lambda: furnish_orders(memory_ports())], ids=["without a seller"])
def test_a_seller_needs_its_series(furnished: Callable[[], Ports]) -> None:
    """It is refused when it is set, not with the first order."""
    with pytest.raises(NotFound):
        set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=furnished())
