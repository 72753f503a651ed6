"""A customer's program disputes a charge, and follows what becomes of it."""

from uuid import UUID

import pytest

from tests.api.customer.conftest import OTHER, World, management_secret
from tests.application.charges.charge_world import FIRST, PLAIN, ChargeWorld
from tests.cli_runner import project


@pytest.fixture
def charges(world: World, database_url: str) -> ChargeWorld:
    """Requests of an account whose management keys the world has too."""
    made = ChargeWorld(ports=world.ports)
    for role in ("billing", "developer"):
        world.secrets[made.account_id, role] = management_secret(world.ports, made.account_id, role)
    project(database_url)
    return made


def test_a_charge_is_disputed_and_its_review_is_told(
    world: World, charges: ChargeWorld, database_url: str
) -> None:
    """Who of the staff decided, and their words, stay where they are."""
    asked = {"request_id": str(PLAIN), "cause": "no-answer", "remark": "canary"}
    account = charges.account_id
    done = world.done("/charges/dispute", asked, account=account, role="billing", key="d1")
    assert world.done("/charges/dispute", asked, account=account, role="billing", key="d1") == done
    project(database_url)
    path = f"/charges/reviews?request_id={PLAIN}"
    (shown,) = world.get(path, account=account, role="developer")["items"]
    assert (shown["state"], shown["cause"], shown["charge_nano"]) == ("waiting", "no-answer", 22)
    charges.review(PLAIN, 2)
    project(database_url)
    (shown,) = world.get(path, account=account, role="developer")["items"]
    assert (shown["state"], shown["right_nano"]) == ("corrected", 2)
    assert FIRST.label not in str(shown)
    assert "canary" not in str(shown)
    log = b"".join(one.state for one in world.ports.store.read_control(after_position=0, limit=500))
    assert b"canary" not in log


def test_what_is_anothers_is_not_disputed(world: World, charges: ChargeWorld) -> None:
    """It is not there; nor does who may not pay say what was paid wrongly."""
    asked = {"request_id": str(PLAIN), "cause": "no-answer"}
    account = charges.account_id
    for body in (asked, asked | {"request_id": str(UUID(int=1))}):
        refused = world.ask("POST", "/charges/dispute", body=body, account=OTHER)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    refused = world.ask("POST", "/charges/dispute", body=asked, account=account, role="developer")
    assert refused.status_code == 403
    unknown = world.ask(
        "POST", "/charges/dispute", body=asked | {"cause": "dear"}, account=account, role="billing"
    )
    assert unknown.status_code == 400
