"""Orders in another currency than the tax office's: their invoices note the kept rate, or wait for one."""

from typing import Any

import pytest

from application.invoicing import set_exchange_rate
from application.invoicing.hindrance import hindrance_of
from application.invoicing.list_rates import RateRow, list_rates
from application.invoicing.streams import load_seller, series_head
from domain.fact import SYSTEM
from domain.invoicing.document import Fx, InvoiceIssued
from domain.invoicing.rates import ExchangeRateMissing
from domain.refusal import BadField, NotFound
from tests.application.invoicing.test_clerk import Office
from tests.application.invoicing.world import SELLER, credit, document, issue, take_back
from tests.application.recharge.world import dollars_offered
from tests.fakes import NOON_US


def keep(office: Office, **changes: Any) -> None:
    given = {"seller_id": SELLER, "currency": "USD", "rate": "0.9213", "published_by": "ECB"}
    command = set_exchange_rate.SetExchangeRate(**(given | {"published_on": "2025-11-24"} | changes))
    set_exchange_rate.handle(command, actor=SYSTEM, ports=office.ports)


def fx_of(office: Office, document_id: Any) -> Fx | None:
    return document(office.ports, document_id).issued.fx


def test_an_invoice_without_its_rate_waits_and_takes_no_number() -> None:
    """Once the rate is kept it is issued with it; the next rate changes nothing of it, and its credit note is at its rate."""
    office = Office(currency="USD")
    office.switch_on()
    (due,) = office.tray.items
    assert office.clerk.issue_due() == 0
    why = hindrance_of(due, ports=office.ports)
    assert isinstance(why, ExchangeRateMissing)
    assert (why.currency, why.into, why.on) == ("USD", "EUR", "2025-11-24")
    series = load_seller(office.ports.store, SELLER).newest("invoice")
    assert series_head(office.ports.store, series.series_id).number == 0
    keep(office)
    office.rested()
    assert [office.clerk.issue_due() for _ in range(2)] == [1, 0]
    noted = Fx(currency="EUR", rate="0.9213", source="ECB", on="2025-11-24", tax_minor=1_750)
    assert fx_of(office, due.document_id) == noted
    keep(office, rate="0.5")
    assert fx_of(office, due.document_id) == noted
    note_id = credit(office.ports, due.document_id)
    again = take_back(office.ports, note_id)
    assert fx_of(office, note_id) == fx_of(office, again) == noted
    assert isinstance(document(office.ports, again).issued, InvoiceIssued)


def test_the_rate_is_that_of_the_day_of_the_supply() -> None:
    """However late the invoice goes out: tax is due by the day on which the credit was given."""
    office = Office(currency="USD")
    office.switch_on()
    office.rested(days=3)
    keep(office, published_on="2025-11-27", rate="0.8")
    assert office.clerk.issue_due() == 0
    keep(office, published_on="2025-11-21", rate="0.9")
    office.rested()
    assert office.clerk.issue_due() == 1
    fx = fx_of(office, office.tray.items[0].document_id)
    assert fx is not None
    assert (fx.rate, fx.on) == ("0.9", "2025-11-21")


def test_an_invoice_by_hand_notes_the_kept_rate_too() -> None:
    """Without one it is refused with what is missing."""
    office = Office()
    with pytest.raises(ExchangeRateMissing):
        issue(office.ports, currency="USD")
    keep(office)
    fx = fx_of(office, issue(office.ports, currency="USD"))
    assert fx is not None
    assert (fx.rate, fx.tax_minor) == ("0.9213", 1_750)


def test_the_list_says_what_is_missing() -> None:
    """For each currency that is offered and that the tax office does not read; until when a rate is good."""
    office = Office()
    dollars_offered(office.ports)

    def listed() -> tuple[RateRow, ...]:
        book = load_seller(office.ports.store, SELLER)
        return list_rates(office.ports.store, book, now_us=NOON_US)

    assert listed() == (RateRow(currency="USD", into="EUR"),)
    keep(office, days=2)
    (row,) = listed()
    assert (row.rate, row.published_by, row.good_until) == ("0.9213", "ECB", "2025-11-25")


def test_a_rate_is_for_a_seller_that_may_need_it() -> None:
    """Another seller, or the tax office's own currency, is refused."""
    office = Office()
    with pytest.raises(NotFound):
        keep(office, seller_id=office.tray.items[0].order_id)
    with pytest.raises(BadField):
        keep(office, currency="EUR")
