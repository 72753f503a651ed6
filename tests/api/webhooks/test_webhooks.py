"""`POST /webhooks/{provider}`, from outside."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from domain.ids import uuid7
from tests.adapters.checkout.signed import body, header
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


def test_from_the_page_to_the_credit(any_shop: Shop) -> None:
    """The message is kept and acknowledged in the provider's own words; a worker asks the provider and credits; nobody looks
    at the browser.
    """
    shop, side = any_shop, any_shop.side
    session_ref = shop.checkout()
    payment_ref = side.pay(session_ref)
    assert granted_nano(shop) == 0
    message = side.message(session_ref)
    answer = shop.post(message)
    assert (answer.status_code, answer.content) == (200, side.done)
    assert granted_nano(shop) == 0
    shop.work()
    assert granted_nano(shop) == CREDIT_NANO
    order = load_order(shop.ports.store, ORDER)
    assert (order.status, order.payments) == ("credited", {payment_ref: "captured"})
    (row,) = shop.ports.inbox.page(state="handled").items
    assert (row.order_id, row.attempts) == (ORDER, 1)
    assert shop.ports.inbox.read(side.name, row.event_ref) == message[0]


def test_no_forged_or_crossed_message_credits_or_fails(any_shop: Shop) -> None:
    """P18 and more: every one of them is a 400 that no provider takes for thanks, and nothing is kept of it."""
    shop, side = any_shop, any_shop.side
    session_ref = shop.checkout()
    side.pay(session_ref)
    cases = side.forged(session_ref)
    assert len(cases) >= 60
    told = {name: shop.post(message) for name, message in cases.items()}
    assert {name: one.status_code for name, one in told.items() if one.status_code != 400} == {}
    assert not [name for name, one in told.items() if one.content in {side.done, b"success", b""}]
    shop.work()
    assert (granted_nano(shop), shop.ports.inbox.page().items) == (0, ())
    assert load_order(shop.ports.store, ORDER).status == "session_open"


def test_what_is_refused_is_said_in_the_providers_words(any_shop: Shop) -> None:
    """Each has a form of its own."""
    answer = any_shop.post((b"x", []))
    said = {
        "stripe": b'"code":"bad_notice"',
        "alipay": b"fail",
        "wechat": b'{"code":"FAIL"',
    }
    assert answer.status_code == 400
    assert said[any_shop.side.name] in answer.content


def test_what_is_for_no_provider_or_far_too_long_is_refused(shop: Shop) -> None:
    """No provider of that name, no such way to ask, no such size."""
    about = body()
    for provider in ("paypal", "manual", "STRIPE", "stripe%00", "..%2fadmin", "alipay", "wechat"):
        answer = post(
            shop, about, ("stripe-signature", header(about, at_s=int(time.time()))), provider=provider
        )
        assert answer.status_code == 404, provider
    assert signed(shop, b"x" * (1024 * 1024 + 1)).status_code == 413
    assert shop.client.get("/webhooks/stripe").status_code == 405


@pytest.mark.parametrize("what", ["amount", "currency", "account"])
def test_a_genuine_message_about_a_payment_that_does_not_fit_credits_nothing(
    any_shop: Shop, what: str
) -> None:
    """Whoever sent it: it is parked, and says what is wrong."""
    session_ref = any_shop.checkout()
    any_shop.side.pay(session_ref, what)
    assert any_shop.post(any_shop.side.message(session_ref)).status_code == 200
    any_shop.work()
    (row,) = any_shop.ports.inbox.page().items
    assert row.state == "parked"
    assert granted_nano(any_shop) == 0


def test_a_message_of_another_account_or_mode_credits_nothing(any_shop: Shop) -> None:
    """It is refused, or parked for its mode."""
    session_ref = any_shop.checkout()
    any_shop.side.pay(session_ref)
    assert any_shop.post(any_shop.side.foreign(session_ref)).status_code in {200, 400}
    any_shop.work()
    assert {row.state for row in any_shop.ports.inbox.page().items} <= {"parked"}
    assert granted_nano(any_shop) == 0


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


def _storm(
    shop: Shop, deliver: Callable[[int], int], *, deliveries: int, threads: int, workers: int = 2
) -> set[int]:
    """Many deliveries at once, while workers are at it; the statuses of the answers."""
    stop = threading.Event()

    def works() -> None:
        while not stop.is_set():
            shop.work()

    running = [threading.Thread(target=works) for _ in range(workers)]
    for worker in running:
        worker.start()
    with ThreadPoolExecutor(threads) as senders:
        told = set(senders.map(deliver, range(deliveries)))
    stop.set()
    for worker in running:
        worker.join()
    shop.work()
    return told


def test_twenty_at_once_credit_once(any_shop: Shop) -> None:
    """The same message and others about the same payment, with two workers: one credit."""
    shop = any_shop
    session_ref = shop.checkout()
    shop.side.pay(session_ref)

    def deliver(number: int) -> int:
        return shop.post(shop.side.message(session_ref, number=number % 3)).status_code

    assert _storm(shop, deliver, deliveries=60, threads=20) == {200}
    assert granted_nano(shop) == CREDIT_NANO
    assert [row.state for row in shop.ports.inbox.page().items] == ["handled"] * 3


@pytest.mark.slow
def test_ten_thousand_deliveries_credit_each_order_once(any_shop: Shop) -> None:
    """100 orders, several messages each, 10,000 deliveries under concurrency with forged ones in between: 0 wrong credits."""
    shop, side = any_shop, any_shop.side
    order_ids = [uuid7() for _ in range(100)]
    pages = [shop.checkout(order_id) for order_id in order_ids]
    for page in pages[:90]:
        side.pay(page)
    for page in pages[90:]:
        side.pay(page, "amount")

    def deliver(number: int) -> int:
        raw, headers = side.message(pages[number % 100], number=number // 100 % 7)
        is_forged = number % 10 == 9 and number % 3 == 0
        return shop.post((raw + b" " if is_forged else raw, headers)).status_code

    told = _storm(shop, deliver, deliveries=10_000, threads=16)
    assert told <= {200, 400, 503}
    assert 400 in told
    credited = [load_order(shop.ports.store, one).credited is not None for one in order_ids]
    assert credited == [True] * 90 + [False] * 10
    assert granted_nano(shop) == 90 * CREDIT_NANO
