"""Money that goes back, by operators' pages: two people for much of it, transfers confirmed by hand, disputes, and debts."""

from uuid import UUID

from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import change_order
from application.recharge.show_order import show_order
from cli import make_parser
from commandline.outcome import Outcome
from commandline.texts import credits_of
from domain.fact import Stamp
from domain.recharge.observing import ObservedDispute
from domain.recharge.observing_disputes import observe_dispute
from domain.recharge.order import existing
from domain.recharge.reference import reference_of
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.api.console.recharging import OFFER, credited, place, transfer
from tests.cli_runner import project

DUE_US = 1_900_000_000_000_000


def refund_of(world: World, order_id: UUID) -> dict[str, str]:
    """What a form about the order's one refund says of it."""
    (one,) = show_order(world.process.store, order_id).refunds
    return {"order_id": str(order_id), "refund_id": str(one.refund_id)}


def dispute(world: World, order_id: UUID, status: str) -> None:
    """The bank of the customer says so."""
    seen = ObservedDispute(
        provider="manual",
        mode="live",
        order_id=order_id,
        payment_ref="bank-40",
        dispute_ref="du_7",
        status=status,  # type: ignore[arg-type]  # one of them
        amount_minor=4_000,
        currency="EUR",
        reason="fraudulent",
        due_us=DUE_US,
    )
    stamp = Stamp(now_us=world.process.ports.clock.now_us(), actor="system")
    change_order(
        world.process.store,
        order_id,
        lambda order: observe_dispute(existing(order, order_id), seen, stamp=stamp),
    )


def told(world: World, *arguments: str) -> str:
    """What a tool of the command line prints for people."""
    values = make_parser().parse_args(arguments)
    outcome: Outcome = values.tool(world.process.settings, values)
    assert outcome.text is not None
    return outcome.text


def test_a_part_is_paid_back_by_a_transfer_that_is_confirmed(world: World, database_url: str) -> None:
    """Asked for in money, its credit set aside at once; it is on the list until the bank has paid."""
    order_id = credited(world, "40")
    token = sign_in(world, "finance")
    assert "/console/do/refunds/request" in world.get(f"/console/orders/{order_id}").text
    asked = {"order_id": str(order_id), "currency": "EUR", "money": "12.50", "reason": "asked for"}
    assert do(world, "refunds/request", token, **asked | {"money": "40.01"})
    assert do(world, "refunds/request", token, **asked, _once="one") == ""
    assert load_wallet(world.process.store, ACCOUNT).wallet.available_nano == 27_500_000_000
    project(database_url)
    listed = world.get("/console/refunds").text
    assert f"/console/orders/{order_id}#returns" in listed
    assert "To be paid back" in listed
    paid = refund_of(world, order_id) | {"refund_ref": "bank-9", "evidence": "statement 9"}
    assert "/console/do/refunds/confirm" in world.get(f"/console/orders/{order_id}").text
    assert do(world, "refunds/confirm", token, **paid) == ""
    project(database_url)
    assert "Nothing waits" in world.get("/console/refunds").text
    (row,) = world.get("/console/refunds?all=1&as=json").json()
    assert (row["state"], row["amount_minor"], row["reason"]) == ("succeeded", 1_250, "asked for")
    failed = refund_of(world, order_id) | {"reason": "account closed"}
    assert do(world, "refunds/fail", token, **failed) == ""
    assert load_wallet(world.process.store, ACCOUNT).wallet.available_nano == 40_000_000_000


def test_much_is_paid_back_by_two_people(world: World, database_url: str) -> None:
    """Who asked is offered no approval, and refused if they try; another one approves."""
    token = sign_in(world, "finance")
    assert do(world, "offers/set", token, **OFFER) == ""
    order_id = place(world, token, "60")
    assert do(world, "orders/settle", token, **transfer(order_id, "60")) == ""
    admin = sign_in(world, "admin")
    assert do(world, "orders/approve", admin, order_id=str(order_id)) == ""
    token = sign_in(world, "finance")
    asked = {"order_id": str(order_id), "currency": "EUR", "money": "", "reason": "asked for"}
    assert do(world, "refunds/request", token, **asked) == ""
    assert load_wallet(world.process.store, ACCOUNT).wallet.available_nano == 0
    assert "/console/do/refunds/approve" not in world.get(f"/console/orders/{order_id}").text
    assert do(world, "refunds/approve", token, **refund_of(world, order_id))
    project(database_url)
    (row,) = world.get("/console/refunds?as=json").json()
    assert (row["state"], row["amount_minor"]) == ("requested", 6_000)
    admin = sign_in(world, "admin")
    assert "/console/do/refunds/approve" in world.get(f"/console/orders/{order_id}").text
    assert do(world, "refunds/approve", admin, **refund_of(world, order_id)) == ""
    assert show_order(world.process.store, order_id).refunds[0].state == "approved"


def test_a_dispute_has_a_deadline_and_its_spent_credit_is_owed(world: World, database_url: str) -> None:
    """The list tells until when evidence is taken; lost, the debt is listed, and written off by two people."""
    order_id = credited(world, "40")
    token = sign_in(world, "finance")
    taken = {"account_id": str(ACCOUNT), "direction": "debit", "amount": "30", "reason": "used elsewhere"}
    assert do(world, "credit/adjust", token, **taken, _once="one") == ""
    dispute(world, order_id, "open")
    project(database_url)
    assert "fraudulent" in world.get("/console/refunds").text
    assert "Evidence until" in world.get(f"/console/orders/{order_id}").text
    (row,) = world.get("/console/refunds?as=json").json()
    assert (row["kind"], row["due_us"], row["state"]) == ("dispute", DUE_US, "open")
    assert world.get("/console/refunds?as=json&kind=refund").json() == []
    assert "Nothing matches" in world.get("/console/refunds?state=lost").text
    page = told(world, "dispute", "list", "--open", "--account-id", str(ACCOUNT))
    assert ("du_7  open" in page, "40.00 EUR" in page) == (True, True)
    assert "Nobody owes anything" in world.get("/console/refunds/debts").text
    dispute(world, order_id, "lost")
    project(database_url)
    owed_nano = load_wallet(world.process.store, ACCOUNT).wallet.owed_nano
    (row,) = world.get("/console/refunds/debts?as=json").json()
    assert (row["account_id"], row["owed_nano"]) == (str(ACCOUNT), owed_nano)
    assert f"{ACCOUNT}  {credits_of(owed_nano)}" in told(world, "balance", "debts")
    page = world.get("/console/refunds/debts").text
    assert "/console/do/credit/write-off" in page
    off = {"account_id": str(ACCOUNT), "amount": str(owed_nano / 1e9), "reason": "not worth it"}
    assert do(world, "credit/write-off", token, **off, _once="two") == ""
    assert load_wallet(world.process.store, ACCOUNT).wallet.owed_nano == owed_nano
    project(database_url)
    (waiting,) = world.get("/console/adjustments?state=waiting&as=json").json()
    assert waiting["kind"] == "write_off"
    token = sign_in(world, "admin")
    assert do(world, "credit/approve", token, adjustment_id=waiting["adjustment_id"]) == ""
    assert load_wallet(world.process.store, ACCOUNT).wallet.owed_nano == 0


def test_what_a_customer_asks_for_is_accepted_or_declined(world: World, database_url: str) -> None:
    """Oldest first; declined with a reason that the customer reads, or accepted, and then a refund of the order."""
    order_id = credited(world, "40")
    token = sign_in(world, "finance")
    for decline in (True, False):
        asked = {"order_id": str(order_id), "reason": "by_mistake"}
        assert do(world, "refund-requests/file", token, **asked, _once=str(decline)) == ""
        project(database_url)
        page = world.get("/console/refunds/requests").text
        assert "bought it by mistake" in page
        assert reference_of(order_id) in page
        (row,) = world.get("/console/refunds/requests?as=json").json()
        one = {"order_id": row["order_id"], "refund_id": row["refund_id"]}
        if decline:
            assert do(world, "refund-requests/decline", token, **one, reason="used up soon") == ""
        else:
            part = {"money": "10", "currency": "EUR"}
            assert do(world, "refund-requests/accept", token, **one, **part) == ""
    project(database_url)
    assert "Nothing waits" in world.get("/console/refunds/requests").text
    assert "used up soon" in world.get("/console/refunds/requests?state=declined").text
    (row,) = world.get("/console/refunds?as=json").json()
    assert (row["state"], row["amount_minor"]) == ("approved", 1_000)
