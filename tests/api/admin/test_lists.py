"""Lists out of read models, through the running application."""

from uuid import UUID

import httpx

from tests.api.admin.conftest import World
from tests.api.admin.test_commands import get, opened, post
from tests.cli_runner import project

NOBODY = UUID(int=9)


def _read(world: World, path: str) -> httpx.Response:
    return world.client.get(f"/api/admin{path}", headers=world.as_role("auditor"))


def test_keys_are_listed_with_their_life_and_their_budgets(world: World) -> None:
    """By account, by state and by how their secret begins; in pages; with the name, which is in no read model."""
    account_id = opened(world)
    issued = [
        post(world, "/keys/issue", {"account_id": account_id, "name": name}).json() for name in ("one", "two")
    ]
    budget = {
        "key_id": issued[0]["key_id"],
        "amount_nano": 5,
        "window": "day",
        "enforcement": "hard",
    }
    assert post(world, "/budgets/set", budget).status_code == 201
    revoked = post(world, "/keys/revoke", {"key_id": issued[1]["key_id"], "reason": "left"})
    assert revoked.status_code == 200, revoked.text
    project(world.database_url)

    one, two = get(world, f"/keys?account_id={account_id}")["items"]
    assert (one["name"], one["state"], [each["amount_nano"] for each in one["budgets"]]) == (
        "one",
        "active",
        [5],
    )
    assert (two["name"], two["state"], two["revoked_because"]) == ("two", "revoked", "left")
    assert (one["charges"], one["last_used_us"]) == (0, None)
    assert get(world, "/keys?state=revoked")["items"] == [two]
    assert get(world, f"/keys?prefix={issued[0]['prefix']}")["items"] == [one]
    assert get(world, f"/keys?account_id={NOBODY}")["items"] == []
    first = get(world, "/keys?limit=1")
    assert first["next_after"] == one["key_id"]
    assert get(world, f"/keys?limit=1&after={first['next_after']}") == {"items": [two], "next_after": None}


def test_one_key_is_found_or_not(world: World) -> None:
    """By its id; an id that is none is told as such."""
    issued = post(world, "/keys/issue", {"account_id": opened(world), "name": "one"}).json()
    project(world.database_url)
    assert get(world, f"/keys/{issued['key_id']}")["name"] == "one"
    assert _read(world, f"/keys/{NOBODY}").status_code == 404
    assert _read(world, "/keys?after=x").status_code == 400
    assert _read(world, "/keys?state=lost").status_code == 400


def test_prices_are_listed_with_the_time_that_they_are_for(world: World) -> None:
    """The one before ends where the next begins."""
    price = {"input": "1", "cached_input": "1", "cache_write": "1", "output": "2", "request": "0"}
    for note in ("first", "second"):
        published = post(world, "/prices/publish", {"entries": {"fast": price}, "note": note})
        assert published.status_code == 200, published.text
    project(world.database_url)
    ((alias, prices),) = ((one["alias"], one["prices"]) for one in get(world, "/prices?alias=fast")["items"])
    assert (alias, [one["note"] for one in prices]) == ("fast", ["first", "second"])
    assert prices[0]["effective_until_us"] == prices[1]["effective_from_us"]
    assert prices[1]["effective_until_us"] is None
    assert get(world, "/prices?after=fast")["items"] == []
