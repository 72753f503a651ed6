"""A seller with series, an account and its buyer, for tests of documents."""

from typing import Final
from uuid import UUID

from application.accounts import open_account
from application.command import Ports
from application.invoicing import (
    issue_credit_note,
    issue_invoice,
    open_series,
    set_billing,
    set_seller,
    take_note_back,
)
from application.invoicing.streams import load_document
from domain.fact import SYSTEM
from domain.invoicing.document import Document, Fx, Payment, existing
from domain.invoicing.parties import TaxId, VatEvidence
from domain.invoicing.totals import Sold

SELLER: Final = UUID(int=0x5E11E4)
ACCOUNT: Final = UUID(int=0xACC)
RATE: Final = 190_000
BUYER: Final = "Zażółć 株式会社東京 北京公司 서울"


def furnish(
    ports: Ports,
    *,
    country: str = "DE",
    buyer_country: str = "DE",
    tax_ids: tuple[TaxId, ...] = (TaxId(kind="vat", value="DE123456789"),),
    vat: VatEvidence | None = None,
) -> Ports:
    """All that an invoice needs."""
    open_account.handle(open_account.OpenAccount(name="Blue", account_id=ACCOUNT), actor=SYSTEM, ports=ports)
    seller = set_seller.SetSeller(
        seller_id=SELLER,
        legal_name="Example GmbH",
        address=("1 Example Street", "10115 Berlin"),
        country=country,
        zone="Europe/Berlin",
        tax_ids=tax_ids,
        email="billing@example.com",
    )
    set_seller.handle(seller, actor=SYSTEM, ports=ports)
    series(ports)
    series(ports, kind="credit_note", prefix="CN-")
    billing = set_billing.SetBilling(
        account_id=ACCOUNT,
        buyer_name=BUYER,
        address=("2 Sample Road", "Town"),
        country=buyer_country,
        tax_id=None if vat is None else TaxId(kind="vat", value="PL1234567890"),
        email="ada@example.com",
        is_business=vat is not None,
        vat=vat,
    )
    set_billing.handle(billing, actor=SYSTEM, ports=ports)
    return ports


def series(ports: Ports, *, kind: str = "invoice", prefix: str = "INV-") -> None:
    command = open_series.OpenSeries(seller_id=SELLER, kind=kind, prefix=prefix)  # type: ignore[arg-type]  # literals
    open_series.handle(command, actor=SYSTEM, ports=ports)


def issue(
    ports: Ports,
    *amounts: int,
    rate_ppm: int = RATE,
    invoice_id: UUID | None = None,
    currency: str = "EUR",
    locale: str = "en",
    paid: bool = True,
    fx: Fx | None = None,
) -> UUID:
    """An invoice over these amounts, tax included."""
    command = issue_invoice.IssueInvoice(
        seller_id=SELLER,
        account_id=ACCOUNT,
        currency=currency,
        lines=tuple(
            Sold(description="Prepaid credit", amount_minor=one, rate_ppm=rate_ppm)
            for one in amounts or (11900,)
        ),
        locale=locale,  # type: ignore[arg-type]  # literals
        tax_included=True,
        payment=Payment(paid_on="2025-11-24", method="bank transfer", reference="B-1") if paid else None,
        fx=fx,
        invoice_id=invoice_id,
    )
    return issue_invoice.handle(command, actor=SYSTEM, ports=ports).id


def credit(
    ports: Ports, invoice_id: UUID, amount_minor: int | None = None, *, note_id: UUID | None = None
) -> UUID:
    """A credit note over a part of it, tax included, or over what is left."""
    command = issue_credit_note.IssueCreditNote(
        invoice_id=invoice_id, reason="asked for", amount_minor=amount_minor, credit_note_id=note_id
    )
    return issue_credit_note.handle(command, actor=SYSTEM, ports=ports).id


def take_back(ports: Ports, note_id: UUID, *, invoice_id: UUID | None = None) -> UUID:
    """An invoice that takes a credit note back."""
    command = take_note_back.TakeNoteBack(
        credit_note_id=note_id, reason="it came back", invoice_id=invoice_id
    )
    return take_note_back.handle(command, actor=SYSTEM, ports=ports).id


def document(ports: Ports, document_id: UUID) -> Document:
    return existing(load_document(ports.store, document_id))
