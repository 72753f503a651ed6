"""Support looks into a workspace: what it takes, what it allows, and what the customer sees of it."""

import pytest

from domain.operators import Role
from domain.support import ACCESS_VALID_US
from tests.api.console.conftest import ACCOUNT, OTHER, World
from tests.api.console.test_access import served, url_of

PAGE = f"/app/{ACCOUNT}"
BEGIN, END = "/console/do/support/begin", "/console/do/support/end"


def look_in(world: World, role: Role = "support", reason: str = "ticket 41") -> int:
    world.as_staff(role)
    fields = {"account_id": str(ACCOUNT), "reason": reason, "then": PAGE}
    return world.post(BEGIN, token=world.token("/me"), **fields).status_code


def test_support_sees_the_pages_of_a_viewer_and_a_banner(world: World) -> None:
    """With a reason only, and only of that account; leaving ends it at once."""
    world.as_staff("support")
    assert world.get(PAGE).status_code == 404
    look_in(world, reason=" ")
    assert world.get(PAGE).status_code == 404
    look_in(world)
    page = world.client.get(PAGE).text
    assert "You look at this account as support" in page
    assert "ticket 41" in page
    assert world.get(f"/app/{OTHER}").status_code == 404
    world.post(END, token=world.token("/me"), account_id=str(ACCOUNT))
    assert world.get(PAGE).status_code == 404


def test_support_changes_nothing(world: World) -> None:
    """Every form of every workspace page refuses, and pages that viewers do not see stay closed."""
    look_in(world)
    token = world.token("/me")
    tried = 0
    for (method, path), needs in served(world).items():
        if needs is None or needs.area != "account":
            continue
        if method == "POST":
            tried += 1
            assert world.post(url_of(path), token=token).status_code == 403, path
        elif needs.permission != "read":
            assert world.get(url_of(path)).status_code == 403, path
    assert tried > 5


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_who_does_not_look_after_accounts_does_not_look_in(world: World, role: Role) -> None:
    """Their roles read figures, not workspaces."""
    assert look_in(world, role) == 403
    assert world.get(PAGE).status_code == 404


def test_a_look_of_one_opens_nothing_for_another(world: World) -> None:
    """Nor for a disabled operator, nor after its hour."""
    look_in(world)
    world.as_staff("operator")
    assert world.get(PAGE).status_code == 404
    world.as_staff("support")
    assert world.get(PAGE).status_code == 200
    clock, now_us = world.process.ports.clock, world.process.ports.clock.now_us()
    support = world.process.directory.support[ACCOUNT]
    operator_id = world.staff["support"]
    assert support.open_of(operator_id, now_us=clock.now_us()) is not None
    assert support.open_of(operator_id, now_us=now_us + ACCESS_VALID_US) is None


def test_the_customer_sees_who_looked_and_why(world: World) -> None:
    """On the page of members, from the moment on which they did."""
    look_in(world)
    world.as_member("viewer")
    page = world.client.get(f"{PAGE}/members").text
    assert "ticket 41" in page
    assert str(world.staff["support"])[-8:] in page
