"""A request is found by its id and taken along as a receipt; what was refused before it began is found by account and day."""

from uuid import UUID, uuid4

import pytest

from api.console.texts import CALL_REFUSALS, LIMITS_REACHED
from application.command import new_event
from application.refusals.tally import TOLD
from domain.ledger.events import Owner
from domain.refusal_summaries import RefusalsSummarised, RefusedCalls, refusals_stream
from tests.api.console.conftest import ACCOUNT, OTHER, World
from tests.application.charges.charge_world import PLAIN, ChargeWorld
from tests.cli_runner import project

BASE = f"/app/{ACCOUNT}/requests"
NOON_US = 1_796_000_400_000_000  # 2026-11-30T01:00:00Z
DAY = "2026-11-30"


@pytest.fixture
def charges(world: World, database_url: str) -> ChargeWorld:
    made = ChargeWorld(ports=world.process.ports, account_id=ACCOUNT)
    project(database_url)
    world.refresh()
    return made


def _refuse(world: World, *refused: RefusedCalls, version: int = 1) -> None:
    event = RefusalsSummarised(account_id=ACCOUNT, by=Owner(uuid4(), 1), refused=refused, occurred_us=NOON_US)
    world.process.ports.store.append([new_event(refusals_stream(ACCOUNT, NOON_US), version, event)])


def _poor(calls: int, *, at_us: int, left_nano: int) -> RefusedCalls:
    return RefusedCalls(
        key_id=UUID(int=7),
        code="insufficient_quota",
        required_nano=12_843_000,
        available_nano=left_nano,
        calls=calls,
        first_us=at_us,
        last_us=at_us,
    )


def test_an_id_leads_to_its_request(world: World, charges: ChargeWorld) -> None:
    """As somebody types or pastes it; a customer's own only."""
    world.as_staff("support")
    found = world.get(f"/console/requests?id=%20{str(PLAIN).upper()}")
    assert (found.status_code, found.headers["location"]) == (303, f"/console/requests/{PLAIN}")
    world.as_member("developer")
    assert world.get(f"{BASE}?id={PLAIN}").headers["location"] == f"{BASE}/{PLAIN}"


@pytest.mark.parametrize("typed", [str(UUID(int=8)), "<b>what</b>"])
def test_an_id_of_nothing_is_told_so(world: World, typed: str) -> None:
    """With where to look instead, and nothing of what was typed as markup."""
    world.as_staff("support")
    page = world.get(
        "/console/requests",
    ).text
    assert "There is no request with the id" not in page
    page = world.client.get("/console/requests", params={"id": typed}).text
    assert "There is no request with the id" in page
    assert "/console/requests/refused" in page
    assert "<b>what" not in page


def test_the_id_of_a_refused_call_leads_to_its_day(world: World) -> None:
    """An id tells when it was made, so the right day is open."""
    made = (NOON_US // 1_000) << 80 | 7 << 76 | 2 << 62
    world.as_member("developer")
    assert f"{BASE}/refused?day={DAY}" in world.get(f"{BASE}?id={UUID(int=made)}").text


def test_a_receipt_can_be_taken_along(world: World, charges: ChargeWorld) -> None:
    """From the page of the request, by the account whose it is."""
    world.as_member("viewer")
    assert f"{BASE}/{PLAIN}/receipt" in world.get(f"{BASE}/{PLAIN}").text
    answer = world.get(f"{BASE}/{PLAIN}/receipt")
    assert answer.json()["receipt"]["request_id"] == str(PLAIN)
    assert f'filename="receipt-{PLAIN}.json"' in answer.headers["content-disposition"]
    world.as_staff("support")
    assert f"/console/requests/{PLAIN}/receipt" in world.get(f"/console/requests/{PLAIN}").text
    assert "leaf" in world.get(f"/console/requests/{PLAIN}/receipt").json()


def test_what_was_refused_is_added_up(world: World) -> None:
    """By rule, with the figures of the last call as people count credits; other days and accounts show nothing of it."""
    _refuse(world, _poor(40, at_us=NOON_US, left_nano=2_000_000))
    _refuse(world, _poor(2, at_us=NOON_US + 1_000_000, left_nano=1_000_000), version=2)
    world.as_member("viewer")
    page = world.get(f"{BASE}/refused?day={DAY}").text
    assert "Not enough credit for the worst case" in page
    assert "0.012843 credits at worst, 0.001 left" in page
    assert ">42<" in page
    assert "Nothing was refused" in world.get(f"{BASE}/refused?day=2026-11-29").text
    world.as_staff("support")
    assert ">42<" in world.get(f"/console/requests/refused?account={ACCOUNT}&day={DAY}").text
    assert ">42<" not in world.get(f"/console/requests/refused?account={OTHER}&day={DAY}").text
    assert "Whose calls?" in world.get(f"/console/requests/refused?day={DAY}").text
    (row,) = world.get(f"/console/requests/refused?account={ACCOUNT}&day={DAY}&table=refused&as=json").json()
    assert row["calls"] == 42


@pytest.mark.parametrize("rule", LIMITS_REACHED)
def test_a_limit_is_named_with_its_size(world: World, rule: str) -> None:
    """Whichever of them was reached."""
    limited = RefusedCalls(
        key_id=UUID(int=7),
        code="rate_limit_exceeded",
        rule=rule,
        limit=60,
        calls=1,
        first_us=NOON_US,
        last_us=NOON_US,
    )
    _refuse(world, limited)
    world.as_member("viewer")
    assert LIMITS_REACHED[rule] % {"limit": 60} in world.get(f"{BASE}/refused?day={DAY}").text


def test_every_reason_that_gateways_tell_has_words() -> None:
    """None is shown as its code alone, and none of the words is for nothing."""
    assert set(CALL_REFUSALS) == TOLD
