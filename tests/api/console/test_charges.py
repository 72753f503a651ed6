"""The operators' queue of charges that were held for review: what it shows, and what its forms decide."""

import msgspec
import pytest

from application.charges import dispute_charge
from application.charges.dispute_charge import DisputeCharge
from application.eventlog import NewEvent
from application.ledger.wallet_reader import load_wallet
from domain.fact import SYSTEM
from tests.api.console.conftest import World
from tests.api.console.forms import do, sign_in
from tests.application.charges.charge_world import ABSURD, PLAIN, ChargeWorld
from tests.cli_runner import project


@pytest.fixture
def charges(world: World, database_url: str) -> ChargeWorld:
    """A customer's charges in the console's log, one of them held."""
    made = ChargeWorld()
    recorded = made.ports.store.read_log(after_position=0, limit=1_000)
    world.process.store.append(
        [NewEvent(one.stream_id, one.version, one.topic, one.state) for one in recorded]
    )
    project(database_url)
    world.refresh()
    return made


def test_what_waits_is_shown_until_it_is_decided(
    world: World, charges: ChargeWorld, database_url: str
) -> None:
    """With its age and what is odd; upheld, it is out of the queue and says by whom and why."""
    token = sign_in(world, "finance")
    queue = world.get("/console/charges").text
    assert f"/console/charges/{ABSURD}" in queue
    assert "a figure that cannot be" in queue
    assert str(PLAIN) not in queue
    assert "Is this charge right?" in world.get(f"/console/charges/{ABSURD}").text
    assert do(world, "charges/review", token, request_id=str(ABSURD), reason="a long answer") == ""
    project(database_url)
    assert "Nothing waits" in world.get("/console/charges").text
    assert f"/console/charges/{ABSURD}" in world.get("/console/charges?state=upheld").text
    page = world.get(f"/console/charges/{ABSURD}").text
    assert "a long answer" in page
    assert "Is this charge right?" not in page


def test_a_correction_gives_the_difference_back(
    world: World, charges: ChargeWorld, database_url: str
) -> None:
    """The amount is what the customer should pay in all; the page lists the adjustment behind it."""
    before_nano = load_wallet(world.process.store, charges.account_id).wallet.available_nano
    token = sign_in(world, "finance")
    wrong = {"request_id": str(ABSURD), "reason": "a slip"}
    assert do(world, "charges/review", token, **wrong, amount="1")  # more than was held
    assert do(world, "charges/review", token, **wrong, amount="0.00000001") == ""
    project(database_url)
    after_nano = load_wallet(world.process.store, charges.account_id).wallet.available_nano
    assert after_nano == before_nano + 50
    page = world.get(f"/console/charges/{ABSURD}").text
    assert "+0.00000005" in page
    (row,) = world.get("/console/charges?state=corrected&as=json").json()
    assert (row["request_id"], row["right_nano"]) == (str(ABSURD), 10)


def test_late_usage_is_taken_in_once(world: World, charges: ChargeWorld, database_url: str) -> None:
    """From the page of any charge; the same report again moves nothing."""
    token = sign_in(world, "finance")
    page = world.get(f"/console/charges/{PLAIN}").text
    assert "What the provider told later" in page
    assert f'href="/console/requests/{PLAIN}/receipt"' in page
    told = {"request_id": str(PLAIN), "served_by": "acme", "report_ref": "r-1", "reason": "told late"}
    wallets = []
    for _ in range(2):
        assert do(world, "charges/usage", token, **told, input="2", output="5") == ""
        wallets.append(load_wallet(world.process.store, charges.account_id).wallet)
    assert wallets[0].available_nano == wallets[1].available_nano
    project(database_url)
    assert "told late" in world.get(f"/console/charges/{PLAIN}").text


def test_a_dispute_is_shown_with_the_customer_s_words(
    world: World, charges: ChargeWorld, database_url: str
) -> None:
    """In the same queue, beside what was held; its remark is opened for whoever decides."""
    command = DisputeCharge(
        account_id=charges.account_id, request_id=PLAIN, cause="no-answer", remark="<b>nothing</b> came"
    )
    then = msgspec.structs.replace(world.process.ports, clock=charges.ports.clock)
    dispute_charge.handle(command, actor=SYSTEM, ports=then)
    project(database_url)
    token = sign_in(world, "finance")
    queue = world.get("/console/charges?cause=no-answer").text
    assert f"/console/charges/{PLAIN}" in queue
    assert f"/console/charges/{ABSURD}" not in queue
    page = world.get(f"/console/charges/{PLAIN}").text
    assert "There was no answer" in page
    assert "&lt;b&gt;nothing&lt;/b&gt; came" in page
    assert do(world, "charges/review", token, request_id=str(PLAIN), reason="true", amount="0") == ""


def test_who_may_not_move_credit_only_looks(world: World, charges: ChargeWorld) -> None:
    """They see the queue and no form."""
    sign_in(world, "support")
    page = world.get(f"/console/charges/{ABSURD}").text
    assert "Is this charge right?" in page
    assert "/console/do/charges/" not in page
