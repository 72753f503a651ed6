"""The e-invoice against the standard's own schema and rules, locally; and inside a PDF."""

import io
from pathlib import Path

import facturx
import pytest
from facturx import get_xml_from_pdf, xml_check_xsd
from saxonche import PySaxonProcessor

from adapters.documents.attaching import attach
from adapters.documents.printing import ChildPrinter
from application.documents.invoice_page import LogEntry, invoice_page
from application.invoicing.buyers import buyer_of
from application.invoicing.einvoice import einvoice
from domain.invoicing.document import Fx, InvoiceIssued
from domain.invoicing.parties import TaxId, VatEvidence
from tests.adapters.documents.pages import Printed
from tests.application.invoicing.world import BUYER, credit, document, furnish, issue, take_back
from tests.fakes import memory_ports

VALID = VatEvidence(valid=True, checked_us=1, reference="WAPI1")
RULES = next((Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931").rglob("*.xslt"))
CASES = {
    "taxed": ({}, 190_000, True),
    "unpaid": ({}, 190_000, False),
    "two decimals of a rate": ({}, 77_000, True),
    "reverse charge": ({"buyer_country": "PL", "vat": VALID}, 0, True),
    "export": ({"buyer_country": "US"}, 0, True),
    "zero": ({}, 0, True),
}


def broken_rules(xml: bytes) -> list[str]:
    """What the standard's schematron says, run here and not by a service."""
    with PySaxonProcessor(license=False) as saxon:
        compiled = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))
        said = compiled.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
        report = saxon.parse_xml(xml_text=said)
        path = saxon.new_xpath_processor()
        path.set_context(xdm_item=report)
        fired = path.evaluate("count(//*:fired-rule)")
        assert int(str(fired)) > 50
        found = path.evaluate("//*:failed-assert/string(.)")
        return [] if found is None else [str(found.item_at(place)) for place in range(found.size)]


@pytest.mark.parametrize("case", CASES)
def test_the_standards_rules_hold_for_invoices_and_credit_notes(case: str) -> None:
    """Schema and business rules of EN 16931, for what is sold within a country and across borders."""
    parties, rate_ppm, paid = CASES[case]
    ports = furnish(memory_ports(), **parties)  # type: ignore[arg-type]  # as written above
    invoice = issue(ports, 10000, 333, rate_ppm=rate_ppm, paid=paid)
    note = credit(ports, invoice, 5000)
    for one in (invoice, note, take_back(ports, note)):
        issued = document(ports, one).issued
        buyer = buyer_of(ports.personal, issued)
        assert buyer is not None
        xml = einvoice(issued, buyer)
        assert xml is not None
        assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
        assert broken_rules(xml) == []
        assert einvoice(issued, buyer) == xml


def test_tax_in_another_currency_is_told_as_the_standard_has_it() -> None:
    """Of an invoice and of its credit note, at the same rate (BT-6, BT-111)."""
    ports = furnish(memory_ports())
    fx = Fx(currency="EUR", rate="0.9213", source="ECB", on="2025-11-24", tax_minor=1_750)
    invoice = issue(ports, currency="USD", fx=fx)
    for one, told in ((invoice, b"17.50"), (credit(ports, invoice, 5_950), b"8.75")):
        issued = document(ports, one).issued
        buyer = buyer_of(ports.personal, issued)
        assert buyer is not None
        xml = einvoice(issued, buyer)
        assert xml is not None
        assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
        assert broken_rules(xml) == []
        assert b"<ram:TaxCurrencyCode>EUR</ram:TaxCurrencyCode>" in xml
        assert b'<ram:TaxTotalAmount currencyID="EUR">' + told in xml


def test_a_sum_that_does_not_add_up_breaks_a_rule() -> None:
    """So that the test above can fail."""
    ports = furnish(memory_ports())
    issued = document(ports, issue(ports)).issued
    buyer = buyer_of(ports.personal, issued)
    assert buyer is not None
    xml = einvoice(issued, buyer)
    assert xml is not None
    assert broken_rules(xml.replace(b"<ram:GrandTotalAmount>119.00", b"<ram:GrandTotalAmount>118.00"))


def test_the_e_invoice_is_inside_the_pdf_and_the_bytes_are_the_same() -> None:
    """As those find it who look for it; and the document's fonts are all embedded."""
    ports = furnish(memory_ports(), country="JP", tax_ids=(TaxId(kind="jp_invoice", value="T1234567890123"),))
    issued = document(ports, issue(ports, currency="JPY", locale="ja", rate_ppm=100_000)).issued
    assert isinstance(issued, InvoiceIssued)
    buyer = buyer_of(ports.personal, issued)
    assert buyer is not None
    xml = einvoice(issued, buyer)
    assert xml is not None
    pdf = ChildPrinter().print_pdf(invoice_page(issued, buyer, LogEntry(position=1, leaf_sha256="e9" * 32)))
    made = attach(pdf, xml)
    assert attach(pdf, xml) == made
    assert get_xml_from_pdf(io.BytesIO(made), check_xsd=True) == ("factur-x.xml", xml)
    printed = Printed(made)
    assert all(printed.fonts().values())
    for word in ("適格請求書", "登録番号 T1234567890123", BUYER, "e9" * 32):
        assert word in printed.text
