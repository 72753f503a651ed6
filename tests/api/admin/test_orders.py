"""Offers and orders over the admin API."""

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
    acts = report(world, "/audit-log", subject=row["order_id"])["items"]
    assert {act["actor"] for act in acts} == {f"operator:{world.operators['finance']}"}


def test_a_large_transfer_takes_two(world: World) -> None:
    """The one who confirmed it is refused with a code of its own; an order is cancelled or denied with a reason."""
    account_id = opened(world)
    post(world, "/offers/set", OFFER)
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 600_000}
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
    asked = {"account_id": account_id, "currency": "EUR", "amount_minor": 499}
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
