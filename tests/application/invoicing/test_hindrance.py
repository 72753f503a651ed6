"""What is in the way of a document that is due."""

from application.invoicing import erase_billing
from application.invoicing.hindrance import hindrance_of
from application.invoicing.queries import DueDocument, invoice_of
from application.invoicing.streams import load_document
from domain.fact import SYSTEM
from tests.application.invoicing.test_clerk import Office
from tests.application.recharge.test_orders import store_of
from tests.domain.recharge.orders import ACCOUNT, ORDER


def code_of(due: DueDocument, office: Office) -> str | None:
    refusal = hindrance_of(due, ports=office.ports)
    return None if refusal is None else refusal.code


def test_it_is_told_by_the_code_of_the_refusal_and_nothing_is_stored() -> None:
    """Neither a document nor a number; what the clerk then meets is the same."""
    office = Office()
    invoice = office.tray.items[0]
    assert hindrance_of(invoice, ports=office.ports) is None  # nobody issues any
    office.switch_on()
    before = len(store_of(office.ports).log)
    assert hindrance_of(invoice, ports=office.ports) is None
    assert len(store_of(office.ports).log) == before
    assert load_document(office.ports.store, invoice_of(ORDER)) is None
    assert office.clerk.issue_due() == 1
    assert hindrance_of(invoice, ports=office.ports) is None  # it is there
    office.called_for("refund:re_1")
    office.called_for("refund:re_2")
    first, second = office.tray.items[1:]
    assert office.clerk.issue_due() == 1
    assert hindrance_of(first, ports=office.ports) is None
    assert code_of(second, office) == "credit_above_invoice"
    command = erase_billing.EraseBilling(account_id=ACCOUNT, reason="asked for")
    erase_billing.handle(command, actor=SYSTEM, ports=office.ports)
    assert code_of(second, office) == "subject_erased"
