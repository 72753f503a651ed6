"""The invoice of an order."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.command import Ports
from application.invoicing import issue_order_invoice, set_billing
from application.invoicing.issue_order_invoice import invoice_of
from domain.fact import SYSTEM
from domain.invoicing.document import InvoiceIssued
from domain.recharge.offers import FreeAmounts, Offer, Offers, TaxRate, quote
from domain.refusal import NotFound, WrongState
from domain.rounding import tax_in
from tests.application.invoicing.world import SELLER, document, furnish
from tests.application.recharge.test_orders import settled
from tests.application.recharge.world import furnish as furnish_orders
from tests.application.recharge.world import ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import memory_ports


def invoiced(ports: Ports, order_id: UUID = ORDER) -> InvoiceIssued:
    command = issue_order_invoice.IssueOrderInvoice(order_id=order_id, seller_id=SELLER)
    made = issue_order_invoice.handle(command, actor=SYSTEM, ports=ports).id
    issued = document(ports, made).issued
    assert isinstance(issued, InvoiceIssued)
    return issued


@pytest.fixture
def ports() -> Ports:
    made = furnish_orders(furnish(memory_ports()))
    command = set_billing.SetBilling(account_id=ACCOUNT, buyer_name="Acme", address=("x",), country="DE")
    set_billing.handle(command, actor=SYSTEM, ports=made)
    ordered(made)
    return made


def test_an_order_has_one_invoice_over_what_was_paid(ports: Ports) -> None:
    """With the tax of its quote and how it was paid; asked for again, it is the same one."""
    settled(ports)
    issued = invoiced(ports)
    assert issued.document_id == invoice_of(ORDER)
    assert (issued.net_minor, issued.tax_minor, issued.total_minor) == (10_000, 1_900, 11_900)
    assert issued.lines[0].description == "Prepaid credit: 100.00 credits"
    assert issued.payment is not None
    assert (issued.payment.method, issued.payment.reference, issued.order_id) == (
        "Bank transfer",
        "B-1",
        ORDER,
    )
    assert invoiced(ports) == issued


def test_an_order_that_is_not_credited_has_none(ports: Ports) -> None:
    """Nor one that is not there."""
    with pytest.raises(WrongState):
        invoiced(ports)
    with pytest.raises(NotFound):
        invoiced(ports, UUID(int=5))


@given(
    st.integers(1, 10**9),
    st.sampled_from([0, 50_000, 77_000, 80_000, 190_000, 255_000, 1_000_000]),
    st.booleans(),
)
def test_the_tax_in_what_was_paid_is_the_tax_of_the_quote(
    amount_minor: int,
    rate_ppm: int,
    tax_included: bool,  # drawn
) -> None:
    """Whether it was in the price or came on top: order and invoice never differ by a minor unit."""
    offer = Offer(
        currency="EUR",
        rate_num=10_000_000,
        rate_den=1,
        free=FreeAmounts(min_minor=1, max_minor=10**9),
        taxes=(TaxRate(country="DE", rate_ppm=rate_ppm),),
        tax_included=tax_included,
    )
    tax = quote(Offers({"EUR": offer}), currency="EUR", amount_minor=amount_minor, country="DE").tax
    assert tax_in(tax.gross_minor, rate_ppm) == tax.tax_minor
