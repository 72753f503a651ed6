"""A customer disputes a charge on the request's page, an operator decides, and the page says what came of it."""

import pytest

from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.application.charges.charge_world import ABSURD, PLAIN, ChargeWorld
from tests.cli_runner import project

BASE = f"/app/{ACCOUNT}"
FORM = "/do/charges/dispute"


@pytest.fixture
def charges(world: World, database_url: str) -> ChargeWorld:
    """Charges of the members' account."""
    made = ChargeWorld(ports=world.process.ports, account_id=ACCOUNT)
    project(database_url)
    world.refresh()
    return made


def test_a_charge_is_disputed_and_given_back(world: World, charges: ChargeWorld, database_url: str) -> None:
    """The form is gone while somebody looks, and there again once it is decided."""
    page = f"{BASE}/requests/{PLAIN}"
    world.as_member("billing")
    assert FORM in world.get(page).text
    form = {
        "request_id": str(PLAIN),
        "cause": "broken-answer",
        "remark": "It ends\r\nin <b>the middle",
        "back": page,
    }
    answer = world.post(f"{BASE}{FORM}", token=world.token("/me"), **form)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    project(database_url)
    shown = world.get(page).text
    assert FORM not in shown
    assert "We are looking at this charge" in shown
    assert "The answer broke off, or cannot be used" in shown
    token = sign_in(world, "finance")
    assert "Disputed: The answer broke off" in world.get("/console/charges").text
    staff = world.get(f"/console/charges/{PLAIN}").text
    assert "It ends in &lt;b&gt;the middle" in staff
    assert "told of usage that cannot be" not in staff
    decided = {"request_id": str(PLAIN), "reason": "it did", "amount": "0.000000004"}
    assert do(world, "charges/review", token, **decided) == ""
    project(database_url)
    world.as_member("billing")
    shown = world.get(page).text
    assert "Looked at, and corrected" in shown
    assert "It is in your balance" in shown
    assert "it did" not in shown
    assert FORM in shown


def test_only_who_pays_disputes(world: World, charges: ChargeWorld) -> None:
    """The others see that a charge is looked at, and no form."""
    world.as_member("developer")
    shown = world.get(f"{BASE}/requests/{ABSURD}").text
    assert "We are looking at this charge" in shown
    assert FORM not in shown
    form = {"request_id": str(ABSURD), "cause": "not-ours"}
    assert world.post(f"{BASE}{FORM}", token=world.token("/me"), **form).status_code == 403
