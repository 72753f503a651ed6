"""Buying on account over the admin API, on Postgres."""

from datetime import UTC, datetime

from tests.api.admin.conftest import World
from tests.api.admin.test_commands import opened, post
from tests.api.admin.test_orders import OFFER, _transfer
from tests.api.admin.test_reports import report
from tests.cli_runner import project

SELLER = {
    "legal_name": "Example GmbH",
    "address": ["1 Example Street", "10115 Berlin"],
    "country": "DE",
    "zone": "Europe/Berlin",
}
BILLING = {
    "buyer_name": "Acme",
    "address": ["2 Sample Road"],
    "country": "DE",
    "email": "ada@example.com",
}


def _ready(world: World) -> tuple[str, str]:
    """An account whose orders get their invoices by themselves, and who issues them."""
    account_id = opened(world)
    post(world, "/offers/set", OFFER)
    seller_id = post(world, "/sellers/set", SELLER, key="s").json()["id"]
    for kind, prefix in (("invoice", "INV-"), ("credit_note", "CN-")):
        wanted = {"seller_id": seller_id, "kind": kind, "prefix": prefix}
        assert post(world, "/series/open", wanted, key=kind).status_code in {200, 201}
    assert post(world, "/billing/set", BILLING | {"account_id": account_id}).status_code in {200, 201}
    assert post(world, "/invoicing/set", {"seller_id": seller_id}).status_code == 200
    return account_id, seller_id


def test_from_a_limit_to_the_payment(world: World, database_url: str) -> None:
    """Two operators agree; what is bought is there at once, counted, invoiced, taken back in part, paid, and the month agrees."""
    account_id, seller_id = _ready(world)
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 10_000, "country": "DE"}
    asked |= {"provider": "invoice"}
    refused = post(world, "/orders/place", asked, key="o-0", role="finance")
    assert (refused.status_code, refused.json()["code"]) == (422, "postpaid_not_agreed")
    terms = {"account_id": account_id, "currency": "EUR", "limit_minor": 20_000, "days_to_pay": 30}
    assert post(world, "/postpaid/propose", terms | {"reason": "x"}, role="support").status_code == 403
    proposal = post(world, "/postpaid/propose", terms | {"reason": "x"}, key="p-1", role="finance").json()
    named = {"account_id": account_id, "proposal_id": proposal["id"]}
    own = post(world, "/postpaid/approve", named, role="finance")
    assert (own.status_code, own.json()["code"]) == (422, "second_operator_needed")
    project(database_url)
    waiting = report(world, "/postpaid/proposals")
    assert [one["proposal_id"] for one in waiting["items"]] == [proposal["id"]]
    assert waiting["queue"]["waiting"] == 1
    assert post(world, "/postpaid/approve", named, role="admin").status_code == 200

    order = post(world, "/orders/place", asked, key="o-1", role="finance").json()
    assert (order["status"], order["amount_minor"]) == ("credited", 11_900)
    above = post(world, "/orders/place", asked, key="o-2", role="finance")
    assert (above.status_code, above.json()["code"]) == (422, "postpaid_limit_reached")
    issued = post(
        world, "/invoices/order", {"order_id": order["order_id"], "seller_id": seller_id}, key="i"
    ).json()
    project(database_url)
    page = report(world, "/postpaid/receivables")
    assert [(one["order_id"], one["unpaid_minor"]) for one in page["items"]] == [(order["order_id"], 11_900)]
    assert page["sums"] == [
        {"currency": "EUR", "exponent": 2, "orders": 1, "unpaid_minor": 11_900, "overdue_minor": 0}
    ]
    assert report(world, "/postpaid/receivables", overdue="true")["items"] == []
    shown = report(world, f"/postpaid/accounts/{account_id}")
    assert (shown["left_minor"], shown["is_overdue"], len(shown["unpaid"])) == (8_100, False, 1)
    (row,) = report(world, "/orders", account_id=account_id)["items"]
    assert (row["status"], row["owed_minor"]) == ("credited", 11_900)

    back = {"order_id": order["order_id"], "amount_minor": 1_190, "reason": "asked for"}
    taken = post(world, "/refunds/request", back, key="r-1", role="finance").json()
    if taken["state"] == "requested":
        agreed = {"order_id": order["order_id"], "refund_id": taken["refund_id"]}
        taken = post(world, "/refunds/approve", agreed, role="admin").json()
    assert taken["state"] == "succeeded"
    part = _transfer(order, "B-1")
    mismatch = post(world, "/orders/settle", part, role="finance")
    assert (mismatch.status_code, mismatch.json()["code"]) == (422, "settlement_mismatch")
    paid = post(world, "/orders/settle", part | {"amount_minor": 10_710}, role="finance")
    assert paid.status_code == 200, paid.text
    project(database_url)
    (due,) = report(world, "/documents/due")["items"]
    assert (due["kind"], due["cause"], due["amount_minor"]) == ("credit_note", "set_off", 1_190)
    note = {"invoice_id": issued["id"], "amount_minor": 1_190, "reason": "taken back"}
    assert post(world, "/credit-notes/issue", note, key="c").status_code in {200, 201}
    project(database_url)
    assert report(world, "/postpaid/receivables")["items"] == []
    balances = {one["name"]: one["balance_minor"] for one in report(world, "/money/balances")["items"]}
    assert "customer_receivable" not in balances
    assert report(world, "/money/open")["items"] == []
    month = datetime.fromtimestamp(row["credited_us"] / 1e6, tz=UTC).strftime("%Y-%m")
    compared = report(world, f"/money/months/{month}")
    assert {one["difference"] for one in compared["items"]} == {0}, compared
    assert post(world, "/postpaid/lift", {"account_id": account_id, "reason": "x"}).status_code == 200
    acts = report(world, "/audit-log", subject=account_id, subject_kind="limit")["items"]
    assert {act["topic"].split(".")[1] for act in acts} >= {"limit-proposed", "limit-approved"}
