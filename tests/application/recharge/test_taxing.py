"""Where a buyer is for tax is what the billing details say, whoever asks."""

from typing import Any
from uuid import UUID

import pytest

from application.command import Ports
from application.invoicing import issue_order_invoice, open_series, set_billing, set_invoicing, set_seller
from application.invoicing.streams import load_billing, load_document
from application.recharge import settle_order
from application.recharge.change_order import load_order
from application.recharge.place_order import Placed
from domain.fact import SYSTEM
from domain.invoicing.parties import TaxId, VatEvidence
from domain.refusal import BadField
from tests.application.recharge.world import ANNA, furnished, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER

SELLER = UUID(int=951)
VALID = VatEvidence(valid=True, checked_us=1, reference="WAPI-1")
FR_NUMBER = TaxId(kind="vat", value="FR12345678901")


def billed(ports: Ports, **changes: Any) -> None:
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "buyer_name": "Acme",
        "address": ("x",),
        "country": "DE",
        "is_business": True,
    }
    set_billing.handle(set_billing.SetBilling(**(given | changes)), actor=SYSTEM, ports=ports)


def selling(ports: Ports, country: str) -> None:
    """A seller from there, whose documents are issued by themselves."""
    seller = set_seller.SetSeller(legal_name="Seller", address=("y",), country=country, seller_id=SELLER)
    set_seller.handle(seller, actor=SYSTEM, ports=ports)
    for kind, prefix in (("invoice", "R-"), ("credit_note", "G-")):
        opened = open_series.OpenSeries(seller_id=SELLER, kind=kind, prefix=prefix)  # type: ignore[arg-type]  # one of two words
        open_series.handle(opened, actor=SYSTEM, ports=ports)
    set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=ports)


def tax_of(placed: Placed, ports: Ports) -> tuple[str | None, int]:
    return load_order(ports.store, placed.order_id).placed.tax.country, placed.tax_minor


def test_who_does_not_say_where_they_are_pays_the_tax_of_their_billing_details() -> None:
    """Leaving the country out is no way around tax."""
    ports = furnished()
    billed(ports)
    assert tax_of(ordered(ports, country=None), ports) == ("DE", 1_900)


def test_another_country_than_that_of_the_billing_details_is_refused() -> None:
    """Nothing was ordered."""
    ports = furnished()
    billed(ports)
    with pytest.raises(BadField, match="billing details"):
        ordered(ports, country="US")
    assert tax_of(ordered(ports, country="DE"), ports) == ("DE", 1_900)


def test_where_tax_depends_on_it_the_country_must_be_told() -> None:
    """Without billing details nobody but the buyer knows; any country will do, also one without a rate."""
    ports = furnished()
    with pytest.raises(BadField, match="decides on the tax"):
        ordered(ports, country=None)
    assert tax_of(ordered(ports, country="CH"), ports) == ("CH", 0)


def test_an_order_keeps_its_terms_when_the_billing_details_change() -> None:
    """The repeated command finds it, with and without the country that it named."""
    ports = furnished()
    first = ordered(ports, country="DE")
    billed(ports, country="FR")
    for told in ("DE", None):
        again = ordered(ports, country=told)
        assert (again.tax_minor, again.done.events) == (first.tax_minor, ())


@pytest.mark.parametrize(
    ("seller", "vat", "tax_minor", "category"),
    [
        ("FR", VALID, 0, "AE"),
        ("FR", None, 1_900, "S"),
        ("FR", VatEvidence(valid=False, checked_us=1, reference="x"), 1_900, "S"),
        ("DE", VALID, 1_900, "S"),
        ("US", VALID, 1_900, "S"),
    ],
)
def test_a_business_of_another_eu_country_owes_the_tax_itself(
    seller: str, vat: VatEvidence | None, tax_minor: int, category: str
) -> None:
    """If the register found its number valid; the quote, the order and the invoice say the same."""
    ports = furnished()
    selling(ports, seller)
    billed(ports, vat=vat, tax_id=TaxId(kind="vat", value="DE123456789"))
    placed = ordered(ports, country=None)
    assert placed.tax_minor == tax_minor
    paid = settle_order.SettleOrder(
        order_id=ORDER, payment_ref="B-1", amount_minor=placed.amount_minor, currency="EUR", evidence="s 1"
    )
    settle_order.handle(paid, actor=ANNA, ports=ports)
    command = issue_order_invoice.IssueOrderInvoice(order_id=ORDER, seller_id=SELLER)
    created = issue_order_invoice.handle(command, actor=SYSTEM, ports=ports)
    document = load_document(ports.store, created.id)
    assert document is not None
    assert (document.issued.lines[0].category, document.issued.tax_minor) == (category, tax_minor)


def test_evidence_is_of_a_vat_number() -> None:
    """A reverse charge without the buyer's number would be no invoice."""
    ports = furnished()
    for tax_id in (None, TaxId(kind="other", value="12 345")):
        with pytest.raises(BadField, match="VAT number"):
            billed(ports, country="FR", vat=VALID, tax_id=tax_id)
    assert load_billing(ports.store, ACCOUNT).profile is None


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"address": ("a new street",), "buyer_name": "Acme SAS"}, VALID),
        ({"tax_id": TaxId(kind="vat", value="FR99999999999")}, None),
        ({"tax_id": None}, None),
        ({"country": "BE"}, None),
    ],
)
def test_what_the_register_said_stays_with_the_number(
    changes: dict[str, Any], kept: VatEvidence | None
) -> None:
    """A customer who moves to another street still owes the tax themselves; with another number they must be looked up."""
    ports = furnished()
    billed(ports, country="FR", tax_id=FR_NUMBER, vat=VALID)
    billed(ports, **({"country": "FR", "tax_id": FR_NUMBER} | changes))
    profile = load_billing(ports.store, ACCOUNT).profile
    assert profile is not None
    assert profile.vat == kept
