"""What stands on invoices and credit notes."""

import msgspec
import pytest

from application.documents.invoice_page import LogEntry, invoice_page
from application.documents.page import Page
from application.invoicing.buyers import buyer_of
from domain.invoicing.document import Fx
from tests.application.invoicing.world import credit, document, furnish, issue
from tests.fakes import memory_ports

ENTRY = LogEntry(position=1, leaf_sha256="e9" * 32)


def page_across(
    *, buyer_country: str = "FR", locale: str = "en", layout: int | None = None, fx: Fx | None = None
) -> tuple[Page, Page]:
    """A German seller's invoice, and the credit note for half of it."""
    ports = furnish(memory_ports(), buyer_country=buyer_country)
    invoice = issue(ports, locale=locale, currency="EUR" if fx is None else "USD", fx=fx)
    pages = []
    for one in (invoice, credit(ports, invoice, 5_950)):
        issued = document(ports, one).issued
        if layout is not None:
            issued = msgspec.structs.replace(issued, layout=layout)
        pages.append(invoice_page(issued, buyer_of(ports.personal, issued), ENTRY))
    return pages[0], pages[1]


@pytest.mark.parametrize(
    ("locale", "ours", "theirs"), [("en", "Germany", "France"), ("ja", "ドイツ", "フランス")]
)
def test_addresses_abroad_have_their_country(locale: str, ours: str, theirs: str) -> None:
    """In the document's language, on both sides."""
    for page in page_across(locale=locale):
        assert ours in page.parties[0].lines
        assert theirs in page.parties[1].lines


def test_addresses_at_home_have_none_nor_those_of_before() -> None:
    """A document that was issued before stays as it was, also where it is printed for the first time today."""
    for page in (*page_across(buyer_country="DE"), *page_across(layout=1)):
        assert "Germany" not in page.parties[0].lines


def test_a_credit_note_tells_the_tax_office_its_part() -> None:
    """At the rate of the invoice."""
    fx = Fx(currency="EUR", rate="0.9213", source="ECB", on="2025-11-24", tax_minor=1_750)
    for page, tax in zip(page_across(fx=fx), ("€17.50", "€8.75"), strict=True):
        told = f"Tax in EUR: {tax}, at 0.9213 EUR for 1 USD (ECB, November 24, 2025)."
        assert told in page.notes
