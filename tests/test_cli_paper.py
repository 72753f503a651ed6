"""Mails and documents on the command line, within this process."""

import base64
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest

from application.invoicing.queries import invoice_of
from application.invoicing.set_billing import SetBilling
from application.invoicing.set_billing import handle as set_billing
from application.invoicing.set_exchange_rate import SetExchangeRate
from application.invoicing.set_exchange_rate import handle as set_rate
from application.invoicing.set_invoicing import SetInvoicing
from application.invoicing.set_invoicing import handle as set_invoicing
from application.mail.check_mail import CheckMail
from application.mail.check_mail import handle as check_mail
from bootstrap import ports_of
from cli import make_parser
from commandline.document_texts import rates_text, retry_text
from commandline.outcome import Outcome
from domain.fact import SYSTEM
from domain.invoicing.issuing import day_of
from domain.privacy import SubjectErased
from domain.refusal import NotFound
from settings import Settings
from tests.application.invoicing.world import SELLER, credit, document, issue
from tests.application.invoicing.world import furnish as furnish_seller
from tests.application.recharge.test_orders import settled
from tests.application.recharge.world import dollars_offered, furnish, ordered
from tests.cli_runner import project
from tests.databases import migrated_template
from tests.domain.recharge.orders import ACCOUNT as BUYER
from tests.domain.recharge.orders import ORDER


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def settings(database_url: str) -> Settings:
    """An order that is paid and waits for a billing profile, two documents, and a mail."""
    key = f"k1:{base64.b64encode(bytes(range(32))).decode()}"
    made = Settings(database_url=database_url, tokenok_master_key=key, mail_dir="unused")
    with ports_of(made) as ports:
        furnish(ports)
        furnish_seller(ports)
        set_invoicing(SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=ports)
        credit(ports, issue(ports), 1_900)
        ordered(ports)
        settled(ports)
        check_mail(CheckMail(email="ada@example.com", mail_id=UUID(int=5)), actor=SYSTEM, ports=ports)
    project(database_url)
    return made


def ran(settings: Settings, *arguments: str) -> Outcome:
    values = make_parser().parse_args(arguments)
    outcome: Outcome = values.tool(settings, values)
    return outcome


def test_lists_say_what_is_there(settings: Settings, database_url: str) -> None:
    """Of mails nothing but what became of them; of documents what is issued, and what is not."""
    mails = str(ran(settings, "mail", "list").text)
    assert "waiting" in mails
    assert "ada" not in mails
    assert ran(settings, "mail", "list", "--state", "sent").text == "No mails.\n"
    documents = str(ran(settings, "document", "list", "--limit", "1").text)
    assert "CN-000001" in documents
    assert "More with --before-position" in documents
    assert ran(settings, "document", "list", "--number", "X").text == "No documents.\n"
    due = str(ran(settings, "document", "due").text)
    assert str(ORDER) in due
    assert "waits_for_billing" in due
    with ports_of(settings) as ports:
        account_id = ran(settings, "document", "due").value.items[0].account_id  # type: ignore[attr-defined]  # a page
        command = SetBilling(account_id=account_id, buyer_name="Acme", address=("x",), country="DE")
        set_billing(command, actor=SYSTEM, ports=ports)
    project(database_url)
    assert "waits_for_billing" not in str(ran(settings, "document", "due").text)
    retried = ran(settings, "document", "retry")
    assert (retried.value, retried.status, retried.text) == ({"issued": 1, "hindered": {}}, 0, "Issued: 1.\n")
    again = ran(settings, "document", "retry")
    assert again.value == {"issued": 0, "hindered": {}}
    assert "subject_erased" in retry_text(0, {"a document": SubjectErased("x")})


def test_an_invoice_waits_for_its_exchange_rate(settings: Settings, database_url: str) -> None:
    """The command that issues what is due says which is missing; once it is set, it issues the invoice with it."""
    order_id = UUID(int=0xD0)
    with ports_of(settings) as ports:
        dollars_offered(ports)
        ordered(ports, currency="USD", order_id=order_id)
        settled(ports, currency="USD", order_id=order_id, ref="B-2")
        command = SetBilling(account_id=BUYER, buyer_name="Acme", address=("x",), country="DE")
        set_billing(command, actor=SYSTEM, ports=ports)
        today = day_of(ports.clock.now_us(), "Europe/Berlin")
    project(database_url)
    missing = str(ran(settings, "exchange-rate", "list", "--seller-id", str(SELLER)).text)
    assert "missing" in missing
    retried = ran(settings, "document", "retry")
    invoice_id = invoice_of(order_id)
    assert retried.value == {"issued": 1, "hindered": {str(invoice_id): "exchange_rate_missing"}}
    assert f"from USD to EUR is kept for {today}" in str(retried.text)
    rate = SetExchangeRate(
        seller_id=SELLER, currency="USD", rate="0.9213", published_on=today, published_by="ECB"
    )
    with ports_of(settings) as ports:
        set_rate(rate, actor=SYSTEM, ports=ports)
        assert ran(settings, "document", "retry").value == {"issued": 1, "hindered": {}}
        fx = document(ports, invoice_id).issued.fx
    assert fx is not None
    assert (fx.currency, fx.rate, fx.on, fx.tax_minor) == ("EUR", "0.9213", today, 1_750)
    assert "0.9213" in str(ran(settings, "exchange-rate", "list", "--seller-id", str(SELLER)).text)
    xml = make_xml(settings, invoice_id)
    assert '<ram:TaxTotalAmount currencyID="EUR">17.50</ram:TaxTotalAmount>' in xml
    assert rates_text(()) == "No invoices of this seller need an exchange rate.\n"


def make_xml(settings: Settings, document_id: UUID) -> str:
    with TemporaryDirectory() as folder:
        place = Path(folder) / "invoice.xml"
        ran(settings, "document", "xml", "--document-id", str(document_id), "--out", str(place))
        return place.read_text()


def test_a_receipt_is_a_file(settings: Settings, tmp_path: Path) -> None:
    """For what was paid; an order that is not there has none."""
    place = tmp_path / "receipt.pdf"
    asked: Any = ("order", "receipt", "--locale", "ja", "--out")
    ran(settings, *asked, str(place), "--order-id", str(ORDER))
    assert place.read_bytes().startswith(b"%PDF-")
    with pytest.raises(NotFound):
        ran(settings, *asked, str(tmp_path / "none.pdf"), "--order-id", str(UUID(int=5)))
    assert not (tmp_path / "none.pdf").exists()
