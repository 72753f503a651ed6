"""Offers and orders over the admin API."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.api.admin.conftest import World
from tests.api.admin.test_commands import opened, post
from tests.api.admin.test_reports import report
from tests.cli_runner import project

OFFER = {
    "currency": "EUR",
    "rate_num": 10_000_000,
    "min_minor": 500,
    "max_minor": 1_000_000,
    "taxes": [{"country": "DE", "rate_ppm": 190_000}],
    "approval_minor": 500_000,
}


def _transfer(order: dict[str, Any], ref: str) -> dict[str, Any]:
    return {
        "order_id": order["order_id"],
        "payment_ref": ref,
        "amount_minor": order["amount_minor"],
        "currency": "EUR",
        "evidence": "statement 118",
    }


def test_a_transfer_from_offer_to_credit(world: World, database_url: str) -> None:
    """Offer, order, transfer, credit; finance does it all, and an auditor sees it."""
    account_id = opened(world)
    assert post(world, "/offers/set", OFFER, role="finance").status_code == 200
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 10_000, "country": "DE"}
    order = post(world, "/orders/place", asked, key="o-1", role="finance")
    assert order.status_code == 201, order.text
    assert post(world, "/orders/place", asked, key="o-1", role="finance").json() == order.json()
    assert (order.json()["amount_minor"], order.json()["credits_nano"]) == (11_900, 100_000_000_000)
    answer = post(world, "/orders/settle", _transfer(order.json(), "B-1"), role="finance").json()
    assert (answer["status"], answer["waits_for_approval"]) == ("credited", False)
    project(database_url)
    (row,) = report(world, "/orders", account_id=account_id)["items"]
    assert (row["order_id"], row["status"]) == (order.json()["order_id"], "credited")
    assert report(world, f"/balances/{account_id}")["available_nano"] == 100_000_000_000
    detail = report(world, f"/orders/{row['order_id']}")
    assert [fact["topic"] for fact in detail["facts"]][-1] == "order.credited.v1"
    (offer,) = report(world, "/offers")["items"]
    assert offer["rate_num"] == 10_000_000
    month = datetime.fromtimestamp(row["credited_us"] / 1e6, tz=UTC).strftime("%Y-%m")
    compared = {one["name"]: one["difference"] for one in report(world, f"/money/months/{month}")["items"]}
    assert compared == {"bought": 0, "transfers": 0, "deferred": 10_000, "tax": 1_900}  # no invoice is issued
    acts = report(world, "/audit-log", subject=row["order_id"])["items"]
    assert {act["actor"] for act in acts} == {f"operator:{world.operators['finance']}"}


def test_a_large_transfer_takes_two(world: World) -> None:
    """The one who confirmed it is refused with a code of its own; an order is cancelled or denied with a reason."""
    account_id = opened(world)
    post(world, "/offers/set", OFFER)
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 600_000, "country": "DE"}
    order = post(world, "/orders/place", asked, key="o-2").json()
    named = {"order_id": order["order_id"]}
    assert post(world, "/orders/settle", _transfer(order, "B-2"), role="finance").json()["waits_for_approval"]
    refused = post(world, "/orders/approve", named, role="finance")
    assert (refused.status_code, refused.json()["code"]) == (422, "second_operator_needed")
    assert post(world, "/orders/deny", named | {"reason": "no"}, role="admin").status_code == 200
    post(world, "/orders/settle", _transfer(order, "B-3"), role="finance")
    assert post(world, "/orders/approve", named, role="admin").status_code == 200
    late = post(world, "/orders/cancel", named | {"reason": "no"})
    assert (late.status_code, late.json()["code"]) == (422, "wrong_state")


def test_what_is_wrong_with_an_order_is_said(world: World) -> None:
    """Roles without the permission, orders that are not there, amounts that are not offered."""
    account_id = opened(world)
    post(world, "/offers/set", OFFER)
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 499, "country": "DE"}
    for role, path, body, status, code in (
        ("support", "/orders/place", asked, 403, "not_permitted"),
        ("finance", "/orders/place", asked, 422, "amount_not_offered"),
        ("finance", "/orders/approve", {"order_id": str(uuid4())}, 404, "not_found"),
        ("finance", "/offers/set", OFFER | {"currency": "euro"}, 400, "invalid_value"),
        ("finance", "/offers/set", OFFER | {"rate_num": 1.5}, 400, "invalid_request"),
    ):
        answer = post(world, path, body, key=str(uuid4()), role=role)  # type: ignore[arg-type]  # roles
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    missing = world.client.get(f"/api/admin/orders/{uuid4()}", headers=world.as_role("auditor"))
    assert missing.status_code == 404


def test_what_customers_want_back_is_a_queue(world: World, database_url: str) -> None:
    """Finance sees it with its age and agrees; the refund has the request's id, and an auditor sees who did it."""
    account_id = opened(world)
    post(world, "/offers/set", OFFER)
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 10_000, "country": "DE"}
    order = post(world, "/orders/place", asked, key="o-3").json()
    post(world, "/orders/settle", _transfer(order, "B-4"))
    named = {"order_id": order["order_id"]}
    refund_id = post(world, "/refund-requests/file", named | {"reason": "by_mistake"}).json()["id"]
    project(database_url)
    (needy,) = report(world, "/orders", needs_somebody="true")["items"]
    assert (needy["order_id"], needy["refund_wanted"]) == (order["order_id"], True)
    page = report(world, "/refund-requests", state="open")
    (row,) = page["items"]
    assert (row["refund_id"], row["unspent_minor"], row["reason"]) == (refund_id, 11_900, "by_mistake")
    assert page["queue"]["waiting"] == 1
    wanted = named | {"refund_id": refund_id}
    assert post(world, "/refund-requests/accept", wanted, role="support").status_code == 403
    done = post(world, "/refund-requests/accept", wanted | {"amount_minor": 5_950}, role="finance")
    assert (done.status_code, done.json()["refund_id"], done.json()["amount_minor"]) == (
        200,
        refund_id,
        5_950,
    )
    project(database_url)
    (back,) = report(world, "/refunds", kind="refund", state="approved", order_id=order["order_id"])["items"]
    assert (back["ref"], back["amount_minor"]) == (refund_id, 5_950)
    assert report(world, "/refunds", kind="dispute")["items"] == []
    late = post(world, "/refund-requests/decline", wanted | {"reason": "no"})
    assert (late.status_code, late.json()["code"]) == (422, "wrong_state")
    project(database_url)
    page = report(world, "/refund-requests", account_id=account_id)
    assert [one["state"] for one in page["items"]] == ["accepted"]
    assert page["queue"]["waiting"] == 0
    acts = report(world, "/audit-log", subject=order["order_id"])["items"]
    assert "order.refund-request-accepted.v1" in {act["topic"] for act in acts}
