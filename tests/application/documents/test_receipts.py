"""Receipts for orders, as pages."""

from uuid import UUID

import pytest

from application.documents.page import Page
from application.documents.receipt_page import receipt_page
from application.i18n.locales import LOCALES, Locale
from application.invoicing import set_billing, set_invoicing
from application.invoicing.order_receipts import OrderReceipts
from domain.fact import SYSTEM
from domain.recharge.reference import reference_of
from domain.refusal import NotFound, WrongState
from tests.application.invoicing.test_files import Office
from tests.application.invoicing.test_orders import invoiced
from tests.application.invoicing.world import SELLER
from tests.application.recharge.test_orders import settled
from tests.application.recharge.world import furnish, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, folded, placed


@pytest.fixture
def office() -> Office:
    """With an order that is placed, of an account that is called `Acme`."""
    made = Office()
    furnish(made.ports)
    ordered(made.ports)
    return made


def receipts(office: Office) -> OrderReceipts:
    return OrderReceipts(
        store=office.ports.store, names=office.ports.names, printer=office.press, files=office.files
    )


def printed(office: Office, locale: Locale = "en") -> Page:
    receipts(office).pdf(ORDER, locale=locale)
    return office.press.pages[-1]


def test_a_payment_has_a_receipt_before_it_has_an_invoice(office: Office) -> None:
    """It names who sells, the account and no buyer, with the tax of the order; and says that it is no invoice."""
    settled(office.ports)
    command = set_invoicing.SetInvoicing(seller_id=SELLER)
    set_invoicing.handle(command, actor=SYSTEM, ports=office.ports)
    page = printed(office)
    assert (page.title, page.number, page.sender) == ("Receipt", reference_of(ORDER), "Example GmbH")
    assert [one.name for one in page.parties] == ["Example GmbH", "Acme"]
    assert [one.value for one in page.totals] == ["€100.00", "€19.00", "€119.00"]
    assert page.facts[2].value == "Bank transfer · B-1"
    assert page.notes == ("This is the receipt for a payment, and no invoice.",)
    assert printed(office) == page


@pytest.mark.parametrize("locale", LOCALES)
def test_a_receipt_speaks_its_readers_language(office: Office, locale: Locale) -> None:
    """Without a seller it is the installation's."""
    settled(office.ports)
    page = printed(office, locale)
    assert page.locale == locale
    assert page.sender == "Tokenok"
    assert len(page.parties) == 1
    assert (page.title == "Receipt") == (locale == "en")


def test_with_an_invoice_it_is_the_invoices_receipt() -> None:
    """One payment has no two receipts that say different things."""
    office = Office()
    furnish(office.ports)
    command = set_billing.SetBilling(account_id=ACCOUNT, buyer_name="Ada", address=("x",), country="DE")
    set_billing.handle(command, actor=SYSTEM, ports=office.ports)
    ordered(office.ports)
    settled(office.ports)
    issued = invoiced(office.ports)
    assert printed(office).number == issued.number_text


def test_what_was_not_paid_has_no_receipt(office: Office) -> None:
    """Nor has what is not there, or was a test."""
    with pytest.raises(WrongState):
        receipts(office).pdf(ORDER, locale="en")
    with pytest.raises(NotFound):
        receipts(office).pdf(UUID(int=5), locale="en")
    with pytest.raises(WrongState):
        receipt_page(folded(*placed()), seller=None, holder="x", locale="en")
