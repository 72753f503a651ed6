"""Operators' pages of what leaves the house: mails, and documents with what is called for and not issued."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from application.mail.letters import MailCheck
from application.mail.outbox import Mail
from application.mail.send import send
from domain.invoicing.billing import buyer_subject
from domain.recharge.reference import reference_of
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.api.console.recharging import OFFER, credited
from tests.cli_runner import project

SELLER = {
    "legal_name": "Example GmbH",
    "address": "1 Example Street",
    "country": "DE",
    "zone": "Europe/Berlin",
    "tax_kind.0": "vat",
    "tax_value.0": "DE123456789",
}
BUYER = {
    "account_id": str(ACCOUNT),
    "buyer_name": "Ada AG",
    "address": "2 Example Street",
    "country": "DE",
    "is_business": "false",
}


def test_exchange_rates_are_set_by_a_form(world: World) -> None:
    """The page says which are missing and until when one is good; a wrong one, or somebody who may not, changes nothing."""
    token = sign_in(world, "finance")
    assert do(world, "sellers/set", token, **SELLER) == ""
    assert do(world, "offers/set", token, **OFFER | {"currency": "USD"}) == ""
    (book,) = world.process.directory.sellers.values()
    page = world.get("/console/invoices").text
    assert "Invoices with tax wait for it." in page
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    rate = {
        "seller_id": str(book.seller_id),
        "currency": "USD",
        "rate": "0.9213",
        "published_on": today,
        "published_by": "ECB <b>",
        "days": "9",
    }
    assert do(world, "exchange-rates/set", token, **rate | {"rate": "0,9213"})
    assert do(world, "exchange-rates/set", token, **rate) == ""
    page = world.get("/console/invoices").text
    assert "1 USD = 0.9213 EUR" in page
    assert "ECB &lt;b&gt;" in page
    (row,) = world.get("/console/invoices?table=rates&as=json").json()
    assert (row["currency"], row["into"], row["rate"], row["published_on"]) == (
        "USD",
        "EUR",
        "0.9213",
        today,
    )
    token = sign_in(world, "support")
    assert world.post("/console/do/exchange-rates/set", token=token, **rate).status_code == 403
    assert "/console/do/exchange-rates/" not in world.get("/console/invoices").text


def test_a_parked_mail_is_sent_again_or_never(world: World) -> None:
    """The list says why it is parked, and nothing of what it says or to whom; files of it neither."""
    token = sign_in(world, "admin")
    assert do(world, "mails/check", token, email="ada@example.com", locale="en", _once="one") == ""
    outbox, now_us = world.process.ports.outbox, world.process.ports.clock.now_us()
    claimed = outbox.claim(now_us=now_us, rest_us=1)
    assert claimed is not None
    outbox.settle(claimed, "parked", now_us=now_us, reason="550 no such user")
    page = world.get("/console/mails?state=parked").text
    assert "Mails are not sent: they are written to the folder" in page
    assert "550 no such user" in page
    assert "Trial mail" in page
    assert "ada@example.com" not in page
    (row,) = world.get("/console/mails?as=json").json()
    assert row["mail_id"] == str(claimed.mail_id)
    assert "to" not in row
    assert do(world, "mails/retry", token, mail_id=str(claimed.mail_id)) == ""
    assert do(world, "mails/discard", token, mail_id=str(claimed.mail_id), reason="typing error") == ""
    assert "typing error" in world.get("/console/mails?state=discarded").text
    sign_in(world, "auditor")
    assert "/console/do/mails/" not in world.get("/console/mails").text


def test_a_mail_is_for_an_account_or_an_operator_by_name(world: World) -> None:
    """And for nobody by an id: somebody of an account, its buyer, an operator; who only wants to sign up is nobody yet."""
    ports, personal = world.process.ports, [ACCOUNT, buyer_subject(ACCOUNT), world.members["billing"]]
    sign_in(world, "auditor")
    for number, subject in enumerate((*personal, world.staff["finance"], UUID(int=0xE5)), 1):
        mail = Mail(
            mail_id=UUID(int=number), subject_id=subject, to="x@example.com", locale="en", letter=MailCheck()
        )
        send(mail, outbox=ports.outbox, clock=ports.clock)
    page = world.get("/console/mails").text
    assert page.count(f'<a class="clip" href="/console/customers/{ACCOUNT}" title="{ACCOUNT}">Acme</a>') == 3
    assert page.count("somebody of this account") == 2
    assert 'finance<span class="sub">Operator</span>' in page
    assert page.count("nobody known here") == 1
    assert not re.search(r">[0-9a-f]{8}-[0-9a-f-]{27}<", page)


def test_what_is_called_for_waits_until_it_can_be_issued(world: World, database_url: str) -> None:
    """An order's invoice waits for the billing profile; then it is issued, found by account and order, and printed."""
    order_id = credited(world, "40")
    token = sign_in(world, "finance")
    project(database_url)
    due = world.get("/console/documents/due").text
    assert f"/console/orders/{order_id}" in due
    assert reference_of(order_id) in due
    assert "billing profile" in due
    (row,) = world.get("/console/documents/due?as=json").json()
    assert (row["state"], row["order_id"]) == ("waits_for_billing", str(order_id))
    differs = month_of_money(world)
    assert {one["name"] for one in differs if one["difference"]} >= {"deferred"}
    assert do(world, "sellers/set", token, **SELLER) == ""
    (book,) = world.process.directory.sellers.values()
    for kind in ("invoice", "credit_note"):
        series = {
            "seller_id": str(book.seller_id),
            "kind": kind,
            "prefix": f"{kind[0].upper()}-",
            "digits": "4",
        }
        assert do(world, "series/open", token, **series) == ""
    assert do(world, "billing/set", token, **BUYER) == ""
    project(database_url)
    assert "somebody who issues it: no seller does by itself" in world.get("/console/documents/due").text
    assert do(world, "invoicing/set", token, seller_id=str(book.seller_id), locale="en") == ""
    assert "no seller does by itself" not in world.get("/console/documents/due").text
    issue = {"order_id": str(order_id), "seller_id": str(book.seller_id)}
    assert do(world, "invoices/order", token, **issue) == ""
    project(database_url)
    assert "Everything is issued" in world.get("/console/documents/due").text
    listed = world.get(f"/console/documents?order={order_id}&account={ACCOUNT}&kind=invoice").text
    assert "I-0001" in listed
    assert not [one for one in month_of_money(world) if one["difference"]]
    for shown in (f'value="{reference_of(order_id)}"', f">{reference_of(order_id)}</a>"):
        assert shown in listed, "in the filter, and in the row"
    for order, found in ((reference_of(order_id).lower(), True), (reference_of(ACCOUNT), False)):
        assert ("I-0001" in world.get(f"/console/documents?order={order}").text) == found
    assert "Nothing matches" in world.get("/console/documents?number=other").text
    (pdf,) = set(re.findall(r"/console/invoices/[0-9a-f-]{36}/pdf(?=\")", listed))
    assert world.get(pdf).content.startswith(b"%PDF")
    assert world.get(f"{pdf}?receipt=true").content.startswith(b"%PDF")
    assert do(world, "credit-notes/issue", token, invoice_id=pdf.split("/")[3], reason="wrong") == ""
    page = world.get(pdf.removesuffix("/pdf")).text
    assert reference_of(order_id) in page
    assert ">C-0001</a>" in page
    the_log_is_asked_by_what_people_write(world, order_id)


def the_log_is_asked_by_what_people_write(world: World, order_id: UUID) -> None:
    """An order by its reference, an operator by name; a name that two accounts have finds neither."""
    world.project()
    for written, subjects in (
        (reference_of(order_id).lower(), {str(order_id)}),
        (str(order_id), {str(order_id)}),
        ("Finance", {str(world.staff["finance"])}),
        ("Acme", set()),
        ("nobody", set()),
    ):
        acts = world.get(f"/console/audit?subject={written}&as=json").json()
        assert {one["subject"] for one in acts} == subjects, written


def month_of_money(world: World) -> list[dict[str, Any]]:
    """The figures of this month, as the page's file has them; the page shows what differs before what agrees, or says that nothing does."""
    month = f"{datetime.now(UTC):%Y-%m}"
    page = world.get(f"/console/money/month?month={month}").text
    rows: list[dict[str, Any]] = world.get(f"/console/money/month?month={month}&as=json").json()
    assert world.get(f"/console/money/month?month={month}&as=csv").text.count("\n") == len(rows) + 1
    differing = [one for one in rows if one["difference"]]
    assert ("Every figure of this month is the same" in page) == (not differing)
    if differing and len(differing) < len(rows):
        assert page.index("What differs") < page.index("What agrees")
    return rows
