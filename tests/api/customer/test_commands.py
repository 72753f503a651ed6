"""What a customer's programs do: keys, budgets, orders, billing; once each, and as the log has it."""

from uuid import UUID

from adapters.hooks.worker_side import PostgresCollecting
from application.budgets import set_budget
from application.hooks.collect import collect
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.promotions import issue_codes
from application.recharge import settle_order
from application.recharge.unpaid import UNPAID_MAX
from application.refunds import decline_request
from domain.fact import SYSTEM
from tests.api.customer.conftest import MINE, OTHER, URL, World
from tests.application.recharge.on_account import agree, invoiced
from tests.cli_runner import project
from tests.waiting import until


def test_the_life_of_an_api_key(world: World) -> None:
    """Made, limited, rotated, revoked; its secrets are shown once and open /v1 as long as they should."""
    made = world.done("/keys/issue", {"name": "Laptop", "rpm": 5}, role="developer")
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert world.client.get("/v1/models", headers=headers).status_code == 200
    named = {"key_id": made["key_id"]}
    world.done("/keys/limit", named | {"rpm": 7, "models": ["fast"]})
    rotated = world.done("/keys/rotate", named | {"overlap_s": 0})
    assert world.client.get("/v1/models", headers=headers).status_code == 401
    (shown,) = world.get("/keys")["items"]
    assert (shown["name"], shown["limits"]["rpm"], shown["revoked"]) == ("Laptop", 7, False)
    assert shown == world.get(f"/keys/{made['key_id']}")
    assert rotated["secret"] not in str(shown)
    world.done("/keys/revoke", named | {"reason": "lost"})
    assert world.get("/keys")["items"][0]["revoked"]


def test_the_same_idempotency_key_makes_one_key(world: World) -> None:
    """The answer is the first one; another customer's program with the same key gets its own."""
    first, again = (world.done("/keys/issue", {"name": "CI"}, key="k1") for _ in range(2))
    assert first == again
    assert world.done("/keys/issue", {"name": "CI"}, key="k1", account=OTHER)["key_id"] != first["key_id"]
    assert len(world.get("/keys")["items"]) == 1
    other = world.ask("POST", "/keys/issue", body={"name": "other"}, key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_order_from_offer_to_cancellation(world: World, database_url: str) -> None:
    """Whoever pays sees what credit costs and by which ways; and the order as it is at this moment."""
    offers = world.get("/offers", role="billing")
    assert offers["providers"] == ["manual"]
    assert [one["currency"] for one in offers["items"]] == ["EUR"]
    asked = {"currency": "EUR", "amount_minor": 10_000}
    order = world.done("/orders/place", asked, role="billing", key="o1")
    assert (order["amount_minor"], order["status"]) == (10_000, "placed")
    shown = world.get(f"/orders/{order['order_id']}")
    assert (shown["reference"], [one["topic"] for one in shown["steps"]]) == (
        order["reference"],
        ["order.placed.v1"],
    )
    assert "actor" not in str(shown)
    refused = world.ask("POST", "/orders/checkout", body={"order_id": order["order_id"]})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")  # a transfer has no page
    world.done("/orders/cancel", {"order_id": order["order_id"], "reason": "changed our minds"})
    project(database_url)
    (row,) = world.get("/orders")["items"]
    assert (row["order_id"], row["status"]) == (order["order_id"], "cancelled")


def test_what_is_bought_on_account_is_there_at_once(world: World, database_url: str) -> None:
    """Within the account's own limit, which it sees; it is no way to pay for others."""
    asked = {"currency": "EUR", "amount_minor": 10_000, "provider": "invoice"}
    refused = world.ask("POST", "/orders/place", body=asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "postpaid_not_agreed")
    assert world.get("/postpaid")["limit"] is None
    agree(invoiced(world.ports, MINE), account_id=MINE, limit_minor=15_000)
    assert world.get("/offers")["providers"] == ["manual", "invoice"]
    assert world.get("/offers", account=OTHER)["providers"] == ["manual"]
    assert world.ask("POST", "/orders/place", body=asked, role="developer").status_code == 403
    order = world.done("/orders/place", asked, role="billing", key="o1")
    assert order["status"] == "credited"
    assert world.done("/orders/place", asked, role="billing", key="o1") == order
    again = world.ask("POST", "/orders/place", body=asked)
    assert (again.status_code, again.json()["code"]) == (422, "postpaid_limit_reached")
    shown = world.get("/postpaid")
    assert (shown["left_minor"], shown["unpaid"][0]["order_id"]) == (5_000, order["order_id"])
    assert world.get(f"/orders/{order['order_id']}")["owed_minor"] == 10_000
    assert world.get("/postpaid", account=OTHER)["unpaid"] == []
    assert world.ask("POST", "/postpaid/propose", body={}).status_code == 404
    project(database_url)
    assert world.get("/orders")["items"][0]["owed_minor"] == 10_000


def test_unpaid_orders_have_a_bound(world: World, database_url: str) -> None:
    """As on the page: who leaves many unpaid keeps providers from being asked about everybody else's. A repeated one is answered."""
    asked = {"currency": "EUR", "amount_minor": 10_000}
    first = world.ask("POST", "/orders/place", body=asked, key="first")
    for _ in range(UNPAID_MAX - 1):
        world.done("/orders/place", asked)
    project(database_url)
    over = world.ask("POST", "/orders/place", body=asked)
    assert (over.status_code, over.json()["code"]) == (429, "too_many_orders")
    assert world.ask("POST", "/orders/place", body=asked, key="first").content == first.content
    assert world.ask("POST", "/orders/place", body=asked, account=OTHER).status_code == 201
    world.done("/orders/cancel", {"order_id": first.json()["order_id"], "reason": "changed our minds"})
    project(database_url)
    world.done("/orders/place", asked)


def test_a_refund_is_asked_for_and_the_answer_is_seen(world: World, database_url: str) -> None:
    """One at a time, of what was bought; whoever may not pay asks for nothing, and the operator's reason is read."""
    order = world.done("/orders/place", {"currency": "EUR", "amount_minor": 10_000})
    named = {"order_id": order["order_id"]}
    wish = named | {"reason": "not_needed"}
    early = world.ask("POST", "/refund-requests/file", body=wish)
    assert (early.status_code, early.json()["code"]) == (422, "wrong_state")
    paid = settle_order.SettleOrder(
        order_id=UUID(order["order_id"]), payment_ref="B1", amount_minor=10_000, currency="EUR", evidence="s"
    )
    settle_order.handle(paid, actor=SYSTEM, ports=world.ports)
    assert world.ask("POST", "/refund-requests/file", body=wish, role="developer").status_code == 403
    assert world.ask("POST", "/refund-requests/file", body=wish, account=OTHER).status_code == 404
    assert world.ask("POST", "/refund-requests/file", body=named | {"reason": "I am Ada"}).status_code == 400
    first = world.done("/refund-requests/file", wish, role="billing", key="r1")
    assert world.done("/refund-requests/file", wish, role="billing", key="r1") == first
    again = world.ask("POST", "/refund-requests/file", body=wish)
    assert (again.status_code, again.json()["code"]) == (422, "refund_request_open")
    no = decline_request.DeclineRefundRequest(
        order_id=UUID(order["order_id"]), refund_id=UUID(first["id"]), reason="after three months"
    )
    decline_request.handle(no, actor=SYSTEM, ports=world.ports)
    second = world.done("/refund-requests/file", wish)["id"]
    world.done("/refund-requests/withdraw", named | {"refund_id": second})
    shown = world.get(f"/orders/{order['order_id']}")
    told = [(one["state"], one["declined_because"]) for one in shown["refund_requests"]]
    assert told == [("declined", "after three months"), ("withdrawn", None)]
    assert world.ask("POST", "/refund-requests/accept", body=named).status_code == 404
    project(database_url)
    (row,) = world.get("/orders")["items"]
    assert row["refund_wanted"] is False


def test_budgets_of_the_account_and_of_a_key(world: World, database_url: str) -> None:
    """Their own people set and remove them."""
    key_id = world.done("/keys/issue", {"name": "Laptop"})["key_id"]
    terms = {"amount_nano": 50, "window": "month", "enforcement": "hard", "zone": "Asia/Tokyo"}
    whole = world.done("/budgets/set", terms)["id"]
    of_key = world.done("/budgets/set", terms | {"key_id": key_id})["id"]
    world.done("/budgets/set", terms | {"budget_id": whole, "amount_nano": 60})
    project(database_url)
    shown = {one["budget"]["budget_id"]: one["budget"] for one in world.get("/budgets")["items"]}
    assert {name: one["amount_nano"] for name, one in shown.items()} == {whole: 60, of_key: 50}
    world.done("/budgets/remove", {"budget_id": of_key, "reason": "not needed"})
    project(database_url)
    assert [one["budget"]["budget_id"] for one in world.get("/budgets")["items"]] == [whole]


def test_a_budget_of_an_operators_is_the_operators(world: World) -> None:
    """A customer neither raises nor removes it."""
    command = set_budget.SetBudget(account_id=MINE, amount_nano=5, window="day", enforcement="hard")
    budget_id = str(set_budget.handle(command, actor=SYSTEM, ports=world.ports).id)
    raised = {"budget_id": budget_id, "amount_nano": 500, "window": "day", "enforcement": "hard"}
    for path, body in (("set", raised), ("remove", {"budget_id": budget_id, "reason": "x"})):
        answer = world.ask("POST", f"/budgets/{path}", body=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_credit_usage_and_statement_are_of_the_account(world: World, database_url: str) -> None:
    """Nothing yet, and then what was granted."""
    assert world.get("/balance")["available_nano"] == 0
    for account_id, amount_nano in ((MINE, 5_000), (OTHER, 7_000)):
        grant = GrantCredit(
            account_id=account_id,
            lot_id=UUID(int=account_id.int + 1),
            amount_nano=amount_nano,
            source="goodwill",
            reason="welcome",
            granted_by="system",
        )
        grant_credit(grant, store=world.ports.store, clock=world.ports.clock)
    project(database_url)
    assert world.get("/balance")["available_nano"] == 5_000
    now_us = world.ports.clock.now_us()
    quarter = 15 * 60 * 1_000_000
    span = f"from_us={now_us // quarter * quarter - quarter}&until_us={now_us // quarter * quarter + 2 * quarter}"
    statement = world.get(f"/statements?{span}")
    assert (statement["closing_nano"], statement["account_id"]) == (5_000, str(MINE))
    text = world.ask("GET", f"/statements/csv?{span}")
    assert text.headers["content-type"].startswith("text/csv")
    paper = world.ask("GET", f"/statements/pdf?{span}&locale=ja")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert world.ask("GET", f"/statements/xls?{span}").status_code in {400, 404}
    assert world.get(f"/usage?{span}")["items"] == []


def test_the_billing_profile_is_sealed(world: World) -> None:
    """The log has nothing of it to read; what a tax office has said of a number is not the customer's to say."""
    profile = {"buyer_name": "Canary GmbH", "address": ["Canary Street 1"], "country": "DE"}
    world.done("/billing/set", profile, role="billing")
    log = b"".join(one.state for one in world.ports.store.read_control(after_position=0, limit=500))
    assert b"Canary" not in log
    vat = world.ask("POST", "/billing/set", body=profile | {"vat": {"valid": True}})
    assert vat.status_code == 400


def test_what_is_done_names_the_key_that_did_it(world: World, database_url: str) -> None:
    """In the audit log too."""
    made = world.done("/keys/issue", {"name": "Laptop"})
    project(database_url)
    (key_id,) = [
        one.key_id
        for one in world.process.directory.key_ring.of_account(MINE).values()
        if one.role == "admin"
    ]
    stored = world.ports.store.read_stream(UUID(made["key_id"]))
    assert f'"actor":"management-key:{key_id}"'.encode() in stored[0].state


def test_models_are_those_with_a_price(world: World) -> None:
    """None yet; the list is there all the same."""
    assert world.get("/models") == {"items": [], "next_after": None}
    until(lambda: len(world.get("/management-keys")["items"]) == 4)


def test_a_code_is_redeemed(world: World, database_url: str) -> None:
    """By whoever pays for the account; again it is refused with a code of its own, and a guess with another."""
    command = issue_codes.IssueCodes(count=1, amount_nano=70, note="fair", credit_days=1)
    code = issue_codes.handle(command, actor=SYSTEM, ports=world.ports).codes[0].reveal()
    assert world.ask("POST", "/codes/redeem", body={"code": code}, role="developer").status_code == 403
    redeemed = world.ask("POST", "/codes/redeem", body={"code": code.lower()}, role="billing")
    assert (redeemed.status_code, redeemed.json()["amount_nano"]) == (200, 70)
    again = world.ask("POST", "/codes/redeem", body={"code": code})
    assert (again.status_code, again.json()["code"]) == (422, "code_already_redeemed")
    guess = world.ask("POST", "/codes/redeem", body={"code": "TOK-00000-00000-00000-00000"})
    assert (guess.status_code, guess.json()["code"]) == (422, "invalid_code")
    project(database_url)
    assert world.get("/balance")["available_nano"] == 70


def test_an_endpoint_from_registration_to_removal(world: World, database_url: str) -> None:
    """Its secret is shown when it is made and never again; what it can be told of is listed."""
    kinds = world.get("/message-kinds")["items"]
    assert {"order.credited", "key.revoked", "budget.alert"} <= set(kinds)
    made = world.done("/endpoints/register", {"url": URL, "kinds": ["key.issued"]}, role="developer")
    assert made["secret"].startswith("whsec_")
    named = {"endpoint_id": made["endpoint_id"]}
    world.done("/keys/issue", {"name": "Laptop"})
    pool = world.process.pool
    while collect(PostgresCollecting(pool), world.ports.store):
        pass
    (shown,) = world.get("/endpoints")["items"]
    assert (shown["endpoint"]["url"], shown["waiting"]) == (URL, 1)
    path = f"/endpoints/{made['endpoint_id']}/messages"
    (message,) = world.get(path)["items"]
    assert (message["kind"], message["body"]["data"]["prefix"][:8]) == ("key.issued", "tk_live_")
    assert world.done("/endpoints/ping", named)["message_id"].startswith("msg_ping_")
    assert [one["kind"] for one in world.get(f"{path}?limit=1")["items"]] == ["ping"]
    inside = world.ask("POST", "/endpoints/register", body={"url": "https://127.0.0.1/in"})
    assert (inside.status_code, inside.json()["code"]) == (400, "invalid_value")
    world.done("/endpoints/remove", named)
    while collect(PostgresCollecting(pool), world.ports.store):
        pass
    assert world.get("/endpoints")["items"] == []
    assert made["secret"] not in str(shown)
