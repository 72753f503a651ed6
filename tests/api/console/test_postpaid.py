"""Buying on account, by the pages of two operators and a customer."""

import re
from uuid import UUID

from application.invoicing import issue_order_invoice
from application.recharge.show_order import show_order
from domain.fact import SYSTEM
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.api.console.recharging import OFFER
from tests.application.recharge.on_account import SELLER, invoiced
from tests.cli_runner import project

HOME = f"/app/{ACCOUNT}"
_PROPOSAL = re.compile(r'name="proposal_id" value="([0-9a-f-]{36})"')


def test_from_the_first_proposal_to_the_receipt(world: World, database_url: str) -> None:
    """Proposed and approved by two, bought by the customer, invoiced, overdue for nobody, taken back in part, and paid."""
    invoiced(world.process.ports, ACCOUNT)
    finance = sign_in(world, "finance")
    assert do(world, "offers/set", finance, **OFFER | {"approval": "500"}) == ""
    page = world.get(f"/console/customers/{ACCOUNT}").text
    assert "None: everything is paid in advance." in page
    terms = {"account_id": str(ACCOUNT), "currency": "EUR", "money": "150", "days_to_pay": "30"}
    assert do(world, "postpaid/propose", finance, **terms, reason="has paid for years") == ""
    found = _PROPOSAL.search(world.get(f"/console/customers/{ACCOUNT}").text)
    assert found is not None
    named = {"account_id": str(ACCOUNT), "proposal_id": found[1]}
    assert "Somebody else has to decide this." in do(world, "postpaid/approve", finance, **named)
    project(database_url)
    waiting = world.get("/console/receivables/limits").text
    assert "has paid for years" in waiting
    assert "You proposed it, so somebody else approves it." in waiting
    (row,) = world.get("/console/receivables/limits?as=json").json()
    assert row["proposal_id"] == found[1]
    admin = sign_in(world, "admin")
    assert "/console/do/postpaid/approve" in world.get("/console/receivables/limits").text
    assert do(world, "postpaid/approve", admin, **named) == ""

    world.as_member("billing")
    shop = world.get(f"{HOME}/recharge?currency=EUR").text
    assert 'value="invoice"' in shop
    assert "Up to €150.00, tax included, to be paid within 30 days." in shop
    form = {"currency": "EUR", "package": "", "amount": "100", "provider": "invoice"}
    answer = world.post(f"{HOME}/recharge", **form, then=f"{HOME}/orders/{{id}}", _once="a1")
    assert answer.status_code == 303, answer.text
    bought = world.get(answer.headers["location"]).text
    assert "The credit is yours." in bought
    assert "Transfer €119.00 by" in bought
    assert "/receipt" not in bought
    more = world.post(f"{HOME}/recharge", **form, then=f"{HOME}/orders/{{id}}", _once="a2")
    assert "With what is unpaid this would be more than the limit." in more.text
    order_id = answer.headers["location"].rpartition("/")[2]
    assert order_id in world.get(f"{HOME}/recharge").text
    (unpaid,) = world.get(f"{HOME}/recharge?table=unpaid-orders&as=json").json()
    assert (unpaid["order_id"], unpaid["unpaid_minor"]) == (order_id, 11_900)
    command = issue_order_invoice.IssueOrderInvoice(order_id=UUID(order_id), seller_id=SELLER)
    issue_order_invoice.handle(command, actor=SYSTEM, ports=world.process.ports)

    finance = sign_in(world, "finance")
    project(database_url)
    listed = world.get("/console/receivables").text
    assert f"/console/orders/{order_id}" in listed
    assert "€119.00" in listed
    assert "Nothing is overdue" in world.get("/console/receivables?overdue=1").text
    (row,) = world.get("/console/receivables?as=json").json()
    assert row["unpaid_minor"] == 11_900
    whole = world.get(f"/console/orders/{order_id}").text
    assert "/console/do/orders/settle" in whole
    assert "Take unspent credit back" in whole
    back = {"order_id": order_id, "currency": "EUR", "money": "10", "reason": "asked for"}
    assert do(world, "refunds/request", finance, **back) == ""
    transfer = {"order_id": order_id, "currency": "EUR", "payment_ref": "bank-7", "evidence": "line 4"}
    assert "This is not what the order asks for." in do(
        world, "orders/settle", finance, **transfer, money="100"
    )
    assert do(world, "orders/settle", finance, **transfer, money="109") == ""
    assert show_order(world.process.store, UUID(order_id)).owed_minor == 0
    assert do(world, "postpaid/lift", finance, account_id=str(ACCOUNT), reason="closes") == ""
    project(database_url)
    assert "Nothing is unpaid" in world.get("/console/receivables").text
    world.as_member("billing")
    assert f"{HOME}/orders/{order_id}/receipt" in world.get(f"{HOME}/orders/{order_id}").text
    assert 'value="invoice"' not in world.get(f"{HOME}/recharge").text
