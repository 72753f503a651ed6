"""Corrections through the API: two operators, each with a token of their own."""

import pytest

from tests.api.admin.conftest import World

ACCOUNT = "00000000-0000-7000-8000-000000000001"
ABOVE = 100_000_000_001


@pytest.fixture
def account(world: World) -> str:
    body = {"account_id": ACCOUNT, "name": "Ada"}
    world.client.post("/api/admin/accounts/open", json=body, headers=world.as_role("admin"))
    grant = {"account_id": ACCOUNT, "lot_id": ACCOUNT, "amount_nano": 2 * ABOVE, "reason": "paid"}
    world.client.post("/api/admin/credit/grant", json=grant, headers=world.as_role("finance"))
    return ACCOUNT


def _adjust(amount_nano: int, **more: object) -> dict[str, object]:
    return {"account_id": ACCOUNT, "direction": "debit", "amount_nano": amount_nano, "reason": "wrong"} | more


def test_a_large_one_waits_for_another_operator(world: World, account: str) -> None:
    """Who asked is refused; another one is not; support cannot do either."""
    finance, admin = world.as_role("finance"), world.as_role("admin")
    key = {"idempotency-key": "k1"}
    asked = world.client.post("/api/admin/credit/adjust", json=_adjust(ABOVE), headers=finance | key)
    assert (asked.status_code, asked.json()["state"]) == (201, "waiting")
    again = world.client.post("/api/admin/credit/adjust", json=_adjust(ABOVE), headers=finance | key)
    assert again.json() == asked.json()
    decision = {"adjustment_id": asked.json()["adjustment_id"]}
    own = world.client.post("/api/admin/credit/approve", json=decision, headers=finance)
    assert (own.status_code, own.json()["code"]) == (422, "second_operator_needed")
    support = world.client.post("/api/admin/credit/approve", json=decision, headers=world.as_role("support"))
    assert support.status_code == 403
    other = world.client.post("/api/admin/credit/approve", json=decision, headers=admin)
    assert (other.status_code, other.json()["state"]) == (200, "posted")
    denied = world.client.post("/api/admin/credit/deny", json=decision | {"reason": "no"}, headers=admin)
    assert (denied.status_code, denied.json()["code"]) == (422, "wrong_state")


def test_more_than_there_is_is_refused_with_the_numbers(world: World, account: str) -> None:
    """Nothing is taken, and nothing waits."""
    body = _adjust(2 * ABOVE + 1, adjustment_id=ACCOUNT)
    refused = world.client.post("/api/admin/credit/adjust", json=body, headers=world.as_role("finance"))
    assert (refused.status_code, refused.json()["code"]) == (422, "not_enough_to_take")
    assert f"available {2 * ABOVE}" in refused.json()["detail"]


def test_money_that_moves_needs_a_name(world: World, account: str) -> None:
    """Without a key or an id of its own, a request that is sent again would move it again."""
    for path, body in (
        ("adjust", _adjust(5)),
        ("void", {"account_id": ACCOUNT, "lot_id": ACCOUNT, "reason": "x"}),
    ):
        refused = world.client.post(f"/api/admin/credit/{path}", json=body, headers=world.as_role("finance"))
        assert refused.json()["code"] == "idempotency_key_required"


def test_the_list_of_adjustments_can_be_asked_for(world: World) -> None:
    """By everyone who may read; it follows the log, so a new one is not in it at once."""
    page = world.client.get("/api/admin/adjustments?state=waiting", headers=world.as_role("auditor"))
    assert (page.status_code, page.json()) == (200, {"items": [], "next_before": None})


def test_charges_of_the_past_are_decided_by_whoever_may_move_credit(world: World) -> None:
    """The queue can be read by all; what nobody knows is not found, and support moves nothing."""
    page = world.client.get("/api/admin/charges/reviews?state=waiting", headers=world.as_role("auditor"))
    empty = {"items": [], "queue": {"waiting": 0, "oldest_s": 0.0}, "next_after": None}
    assert (page.status_code, page.json()) == (200, empty)
    usage = {"request_id": ACCOUNT, "served_by": "acme", "report_ref": "r-1", "output": 1, "reason": "late"}
    for path, body in (("review", {"request_id": ACCOUNT, "reason": "x"}), ("usage", usage)):
        url = f"/api/admin/charges/{path}"
        unknown = world.client.post(url, json=body, headers=world.as_role("finance"))
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        assert world.client.post(url, json=body, headers=world.as_role("support")).status_code == 403


def test_a_threshold_of_low_balances_is_set_for_one_or_for_all(world: World, account: str) -> None:
    """The same again stores nothing, and what no balance can be is refused."""
    url, admin = "/api/admin/balances/threshold", world.as_role("admin")
    for body in ({"threshold_nano": 5}, {"account_id": account, "threshold_nano": 7}):
        assert world.client.post(url, json=body, headers=admin).json()["position"] is not None
        assert world.client.post(url, json=body, headers=admin).json()["position"] is None
    refused = world.client.post(url, json={"threshold_nano": -1}, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_value")
    page = world.client.get("/api/admin/balances/alerts", headers=world.as_role("auditor"))
    assert (page.status_code, page.json()) == (200, {"items": [], "next_before": None})
