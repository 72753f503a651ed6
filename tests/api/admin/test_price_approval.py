"""Prices that wait for a second operator, over the admin API."""

from tests.api.admin.conftest import make_world
from tests.api.admin.test_commands import get, post

PRICE = {"input": "1", "cached_input": "1", "cache_write": "1", "output": "2", "request": "0"}


def test_from_a_proposal_to_a_price(database_url: str) -> None:
    """One operator proposes, and is told so; another approves, and the directory has the price. In between nothing costs it."""
    with make_world(database_url, prices_need_approval="on") as world:
        wanted = {"entries": {"fast": PRICE}, "note": "first"}
        assert post(world, "/prices/publish", wanted, role="support").status_code == 403
        made = post(world, "/prices/publish", wanted, key="p-1", role="finance").json()
        assert (made["version"], made["proposal_id"] is None) == (0, False)
        assert post(world, "/prices/publish", wanted, key="p-1", role="finance").json() == made
        (row,) = get(world, "/prices/proposals")["items"]
        assert (row["state"], row["proposed_by"]) == ("waiting", f"operator:{world.operators['finance']}")
        assert row["publications"][0]["entries"]["fast"]["output_nano_per_million"] == 2_000_000_000
        other = post(world, "/prices/publish", wanted | {"note": "other"}, role="finance")
        assert (other.status_code, other.json()["code"]) == (422, "wrong_state")
        named = {"proposal_id": made["proposal_id"]}
        own = post(world, "/prices/approve", named, role="finance")
        assert (own.status_code, own.json()["code"]) == (422, "second_operator_needed")
        assert post(world, "/prices/approve", named, role="support").status_code == 403
        told = post(world, "/prices/approve", named, role="operator")
        assert (told.status_code, told.json()["version"]) == (200, 1)
        assert post(world, "/prices/approve", named, role="admin").json()["version"] == 1
        denied = post(world, "/prices/deny", named | {"reason": "x"}, role="admin")
        assert (denied.status_code, denied.json()["code"]) == (422, "wrong_state")
        (row,) = get(world, "/prices/proposals")["items"]
        assert (row["state"], row["decided_by"]) == ("approved", f"operator:{world.operators['operator']}")
