"""`POST /webhooks/stripe`, from outside."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from domain.ids import uuid7
from tests.adapters.checkout.signed import FORGED, NO_MESSAGES, NOW_S, OTHER, SECRET, body, header
from tests.adapters.checkout.stripe_stub import payment
from tests.api.webhooks.conftest import Shop
from tests.domain.recharge.orders import ACCOUNT, ORDER

CREDIT_NANO = 100_000_000_000


def post(shop: Shop, raw: bytes, *headers: tuple[str, str], provider: str = "stripe") -> Any:
    return shop.client.post(f"/webhooks/{provider}", content=raw, headers=[*headers])


def signed(shop: Shop, raw: bytes, **more: Any) -> Any:
    return post(shop, raw, ("stripe-signature", header(raw, at_s=int(time.time()), **more)))


def granted_nano(shop: Shop) -> int:
    return load_wallet(shop.ports.store, ACCOUNT).wallet.granted_nano


def test_from_the_page_to_the_credit(shop: Shop) -> None:
    """The message is kept and acknowledged; a worker asks Stripe and credits; nobody looks at the browser."""
    session_ref = shop.checkout()
    shop.stripe.pay(session_ref)
    assert granted_nano(shop) == 0
    answer = signed(shop, body(data={"object": {"id": session_ref}}))
    assert (answer.status_code, answer.content) == (200, b"")
    assert granted_nano(shop) == 0
    shop.work()
    assert granted_nano(shop) == CREDIT_NANO
    order = load_order(shop.ports.store, ORDER)
    assert order.status == "credited"
    assert shop.ports.inbox.read("stripe", "evt_1") == body(data={"object": {"id": session_ref}})
    (row,) = shop.ports.inbox.page(state="handled").items
    assert (row.order_id, row.attempts) == (ORDER, 1)


def test_no_forged_or_crossed_message_credits_or_fails(shop: Shop) -> None:
    """P18 and more: every one of them is a 400 (too large: 413, no provider: 404), and nothing is kept of it."""
    session_ref = shop.checkout()
    shop.stripe.pay(session_ref)
    about = body(data={"object": {"id": session_ref}})
    now_s = int(time.time())
    cases: dict[str, tuple[bytes, list[tuple[str, str]]]] = {}
    for name, headers in FORGED.items():
        fresh = [(key, value.replace(str(NOW_S), str(now_s))) for key, value in headers]
        sendable = [(key, value) for key, value in fresh if value.isascii()]
        cases[f"forged: {name}"] = (body(), sendable)
    for name, raw in NO_MESSAGES.items():
        cases[f"no message: {name}"] = (raw, [("stripe-signature", header(raw, at_s=now_s))])
    for secret in ("", "None", "null", "undefined", "whsec_", OTHER, "sk_test_0123456789", SECRET[::-1]):
        cases[f"secret {secret!r}"] = (
            about,
            [("stripe-signature", header(about, secret=secret, at_s=now_s))],
        )
    for off_s in (-86_400, -310, 310, 86_400):
        cases[f"off by {off_s} s"] = (about, [("stripe-signature", header(about, at_s=now_s + off_s))])
    assert len(cases) >= 60
    told = {name: post(shop, raw, *headers) for name, (raw, headers) in cases.items()}
    assert {name: one.status_code for name, one in told.items() if one.status_code != 400} == {}
    assert {one.json()["code"] for one in told.values()} == {"bad_notice"}
    assert signed(shop, b"x" * (1024 * 1024 + 1)).status_code == 413
    for provider in ("paypal", "manual", "STRIPE", "stripe%00", "..%2fadmin"):
        answer = post(shop, about, ("stripe-signature", header(about, at_s=now_s)), provider=provider)
        assert answer.status_code == 404, provider
    assert shop.client.get("/webhooks/stripe").status_code == 405
    shop.work()
    assert (granted_nano(shop), shop.ports.inbox.page().items) == (0, ())
    assert load_order(shop.ports.store, ORDER).status == "session_open"


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({"metadata": {}}, "handled", ""),
        ({"metadata": {"order_id": str(uuid7()), "account_id": str(ACCOUNT)}}, "parked", "no order"),
        ({"metadata": {"order_id": str(ORDER)}}, "parked", "account"),
        ({"metadata": {"order_id": str(ORDER), "account_id": str(uuid7())}}, "parked", "account"),
        ({"amount": 1}, "parked", "amount"),
        ({"amount": 1_190_000}, "parked", "amount"),
        ({"amount": -11_900}, "parked", "amount"),
        ({"amount": 11_900.0}, "parked", "no such object"),
        ({"amount": "11900"}, "parked", "no such object"),
        ({"amount_received": 5_000}, "parked", "amount"),
        ({"currency": "usd"}, "parked", "currency"),
        ({"currency": "jpy"}, "parked", "currency"),
        ({"livemode": True}, "parked", "mode"),
        ({"status": "processing"}, "handled", ""),
        ({"status": "requires_action"}, "handled", ""),
        ({"status": "canceled"}, "handled", ""),
        ({"id": "pi_2", "amount": 2}, "parked", "amount"),
    ],
)
def test_a_genuine_message_about_a_wrong_payment_credits_nothing(
    shop: Shop, changes: dict[str, Any], state: str, word: str
) -> None:
    """Other order, account, sum, currency or mode, or not paid: it is kept, and somebody is told where money is in it."""
    shop.checkout()
    intent = payment("pi_1", **({"metadata": {"order_id": str(ORDER), "account_id": str(ACCOUNT)}} | changes))
    shop.stripe.objects["/v1/payment_intents/pi_1"] = intent
    raw = body(type="payment_intent.succeeded", data={"object": {"id": "pi_1"}})
    assert signed(shop, raw).status_code == 200
    shop.work()
    (row,) = shop.ports.inbox.page().items
    assert row.state == state
    assert word in row.reason
    assert granted_nano(shop) == 0


def test_of_live_and_connected_accounts_nothing_is_credited(shop: Shop) -> None:
    """A live message to a test endpoint is parked, one of a connected account is passed over."""
    session_ref = shop.checkout()
    shop.stripe.pay(session_ref)
    about = {"data": {"object": {"id": session_ref}}}
    signed(shop, body(id="evt_live", livemode=True, **about))
    signed(shop, body(id="evt_connect", account="acct_1", **about))
    shop.work()
    assert {row.event_ref: row.state for row in shop.ports.inbox.page().items} == {
        "evt_live": "parked",
        "evt_connect": "handled",
    }
    assert granted_nano(shop) == 0


def _storm(shop: Shop, session_ref: str, *, deliveries: int, messages: int, threads: int) -> list[int]:
    """Many deliveries of some messages about one page, at once, while workers are at it."""
    stop = threading.Event()

    def works() -> None:
        while not stop.is_set():
            shop.work()

    def deliver(number: int) -> int:
        raw = body(id=f"evt_{number % messages}", data={"object": {"id": session_ref}})
        return int(signed(shop, raw).status_code)

    workers = [threading.Thread(target=works) for _ in range(2)]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(threads) as senders:
        told = list(senders.map(deliver, range(deliveries)))
    stop.set()
    for worker in workers:
        worker.join()
    shop.work()
    return told


def test_twenty_at_once_credit_once(shop: Shop) -> None:
    """The same message and others about the same payment, with two workers: one credit."""
    session_ref = shop.checkout()
    shop.stripe.pay(session_ref)
    told = _storm(shop, session_ref, deliveries=60, messages=7, threads=20)
    assert set(told) == {200}
    assert granted_nano(shop) == CREDIT_NANO
    assert [row.state for row in shop.ports.inbox.page().items] == ["handled"] * 7


@pytest.mark.slow
def test_ten_thousand_deliveries_credit_each_order_once(shop: Shop) -> None:
    """100 orders, 7 messages each, 10,000 deliveries under concurrency with forged ones in between: 0 wrong credits."""
    order_ids = [uuid7() for _ in range(100)]
    pages = [shop.checkout(order_id) for order_id in order_ids]
    for page in pages[:90]:
        shop.stripe.pay(page)
    for page in pages[90:]:
        shop.stripe.pay(page, amount_minor=1)
    stop = threading.Event()

    def works() -> None:
        while not stop.is_set():
            shop.work()

    def deliver(number: int) -> int:
        page = pages[number % 100]
        raw = body(id=f"evt_{page}_{number // 100 % 7}", data={"object": {"id": page}})
        secret = OTHER if number % 10 == 9 and number % 3 == 0 else SECRET
        return int(signed(shop, raw, secret=secret).status_code)

    workers = [threading.Thread(target=works) for _ in range(2)]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(16) as senders:
        told = list(senders.map(deliver, range(10_000)))
    stop.set()
    for worker in workers:
        worker.join()
    shop.work()
    assert set(told) <= {200, 400, 503}
    assert 500 not in told
    credited = [load_order(shop.ports.store, one).credited is not None for one in order_ids]
    assert credited == [True] * 90 + [False] * 10
    assert granted_nano(shop) == 90 * CREDIT_NANO
