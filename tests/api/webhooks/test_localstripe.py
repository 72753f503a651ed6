"""Against a Stripe counterpart that we did not write: its payments, its signatures, over real sockets.

It runs as a process of its own. It has no Checkout pages and ignores idempotency keys; for those there are messages and
objects of our own (`test_webhooks.py`).
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest
import stripe
from msgspec.structs import replace

from adapters.checkout.stripe import StripeCheckout
from application.checkout.handle import WebhookTools, handle_due
from application.checkout.methods import Charge
from application.checkout.observe import observe
from application.checkout.ports import Checkouts, RefundOrder
from application.checkout.receive import receive
from application.checkout.submit_refund import submit_refund
from application.command import Ports
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from application.refunds import request_refund
from application.refunds.request_refund import RequestRefund
from domain.fact import SYSTEM
from domain.recharge.observing import ObservedRefund
from tests.adapters.checkout.served import Answer, served
from tests.adapters.checkout.signed import SECRET
from tests.application.recharge.test_orders import lots
from tests.application.recharge.world import furnish, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER
from tests.fakes import memory_ports

Sent = tuple[bytes, list[tuple[str, str]]]
_START_S = 30
_COMES_S = 30


@pytest.fixture(scope="module")
def counterpart() -> Iterator[str]:
    """Its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + _START_S
    while True:
        try:
            httpx.get(f"{url}/v1/customers", auth=("sk_test_1", ""))
        except httpx.TransportError:
            assert process.poll() is None, "the counterpart ended"
            assert time.monotonic() < until_s, "the counterpart did not start"
            threading.Event().wait(0.1)
        else:
            return


@pytest.fixture
def messages(counterpart: str) -> Iterator["Queue[Sent]"]:
    """What the counterpart sends to an endpoint of ours, byte for byte."""
    received: Queue[Sent] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            received.put((raw, [(name.lower(), value) for name, value in self.headers.items()]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = {"url": f"http://127.0.0.1:{server.server_port}/", "secret": SECRET}
        httpx.post(f"{counterpart}/_config/webhooks/test", json=config).raise_for_status()
        yield received
        server.shutdown()


@pytest.fixture
def ports(counterpart: str) -> Ports:
    checkout = StripeCheckout(secret_key="sk_test_1", webhook_secrets=[SECRET], api_base=counterpart)
    base = replace(memory_ports(), checkouts=Checkouts([checkout]), pages_url="https://shop.example")
    base.clock.us = time.time_ns() // 1_000  # type: ignore[attr-defined]  # the fake's own
    return furnish(base)


def _pay(counterpart: str, **changes: Any) -> str:
    """A customer pays; the payment's id."""
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": counterpart})
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2035, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})  # type: ignore[typeddict-item]  # numbers of test cards
    given = {
        "amount": 11_900,
        "currency": "eur",
        "payment_method": method.id,
        "confirm": True,
        "metadata": {"order_id": str(ORDER), "account_id": str(ACCOUNT)},
    }
    return client.v1.payment_intents.create(given | changes).id  # type: ignore[arg-type]  # a plain dictionary


def _deliver(ports: Ports, messages: "Queue[Sent]", *, until: str) -> None:
    """Take what was sent, until a message of this kind, and handle it all."""
    while True:
        raw, headers = messages.get(timeout=_COMES_S)
        receive(
            "stripe",
            raw,
            headers,
            checkouts=ports.checkouts,
            inbox=ports.inbox,
            store=ports.store,
            clock=ports.clock,
        )
        if f'"type": "{until}"'.encode() in raw:
            break
    tools = WebhookTools(checkouts=ports.checkouts, queue=ports.inbox, store=ports.store, clock=ports.clock)
    while handle_due(tools):
        pass


def test_its_payment_is_credited_by_its_own_signed_message(
    counterpart: str, messages: "Queue[Sent]", ports: Ports
) -> None:
    """Read, verified, asked for and matched; a refund of it is read back."""
    ordered(ports, provider="stripe")
    payment_ref = _pay(counterpart)
    _deliver(ports, messages, until="payment_intent.succeeded")
    assert [lot.amount_nano for lot in lots(ports)] == [100_000_000_000]
    order = RefundOrder(
        order_id=ORDER,
        account_id=ACCOUNT,
        refund_id=OTHER,
        payment_ref=payment_ref,
        amount_minor=1_900,
        currency="EUR",
        idempotency_key="k",
    )
    checkout = ports.checkouts.get("stripe")
    made = checkout.refund(order)
    assert (made.status, made.refund_id, made.amount_minor, made.currency) == (
        "succeeded",
        OTHER,
        1_900,
        "EUR",
    )
    (seen,) = checkout.fetch("refund.created", made.refund_ref)
    assert isinstance(seen, ObservedRefund)
    assert replace(seen, payment=None) == replace(made, payment=None)
    assert seen.payment is not None
    assert seen.payment.status == "captured"


def test_its_payment_of_another_sum_is_not_credited(
    counterpart: str, messages: "Queue[Sent]", ports: Ports
) -> None:
    """The signature is right, and the money is not what the order says."""
    ordered(ports, provider="stripe")
    _pay(counterpart, amount=11_800)
    _deliver(ports, messages, until="payment_intent.succeeded")
    assert lots(ports) == []
    assert any(row.state == "parked" for row in ports.inbox.page().items)


def test_its_refunds_take_their_credit_once(counterpart: str, messages: "Queue[Sent]", ports: Ports) -> None:
    """One that an operator asks for, and asks for again, and one that is made there: each is one refund there, and its credit is
    gone once here.
    """
    ports = replace(ports, approval_nano=10**15)
    ordered(ports, provider="stripe")
    payment_ref = _pay(counterpart)
    _deliver(ports, messages, until="payment_intent.succeeded")
    command = RequestRefund(order_id=ORDER, amount_minor=1_190, reason="asked for", refund_id=OTHER)
    for _ in range(2):
        assert request_refund.handle(command, actor=SYSTEM, ports=ports).state == "succeeded"
    checkout = ports.checkouts.get("stripe")
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": counterpart})
    (ours,) = client.v1.refunds.list({"payment_intent": payment_ref}).data
    assert ours.metadata is not None
    assert (ours.metadata["refund_id"], ours.amount) == (str(OTHER), 1_190)
    made = client.v1.refunds.create({"payment_intent": payment_ref, "amount": 2_380})
    for _ in range(2):
        for one in checkout.fetch("refund.created", made.id):
            observe(one, store=ports.store, clock=ports.clock)
    order = load_order(ports.store, ORDER)
    assert (order.status, order.refunded_minor, list(order.external)) == ("partly_refunded", 3_570, [made.id])
    wallet = load_wallet(ports.store, ACCOUNT).wallet
    assert (wallet.available_nano, wallet.owed_nano) == (70_000_000_000, 0)


def test_a_refund_whose_answer_was_lost_is_found_there(
    counterpart: str, messages: "Queue[Sent]", ports: Ports
) -> None:
    """It ignores idempotency keys, as Stripe does after a day: the refunds of the payment are looked through first."""
    ports = replace(ports, approval_nano=10**15)
    ordered(ports, provider="stripe")
    payment_ref = _pay(counterpart)
    _deliver(ports, messages, until="payment_intent.succeeded")
    checkout = ports.checkouts.get("stripe")
    command = RequestRefund(order_id=ORDER, amount_minor=1_190, reason="asked for", refund_id=OTHER)
    assert (
        request_refund.handle(command, actor=SYSTEM, ports=replace(ports, checkouts=Checkouts())).state
        == "approved"
    )
    checkout.refund(
        RefundOrder(
            order_id=ORDER,
            account_id=ACCOUNT,
            refund_id=OTHER,
            payment_ref=payment_ref,
            amount_minor=1_190,
            currency="EUR",
            idempotency_key="k",
        )
    )
    submit_refund(ORDER, OTHER, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    assert load_order(ports.store, ORDER).refunds[OTHER].state == "succeeded"
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": counterpart})
    assert len(client.v1.refunds.list({"payment_intent": payment_ref}).data) == 1


@contextmanager
def _without_off_session(counterpart: str) -> Iterator[str]:
    """The counterpart does not know `off_session` of a confirmation, so it is taken out on the way; everything else passes."""

    def passing(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path.endswith("/confirm"):
            assert b"off_session=true" in body.lower()
            body = b""
        kept = {name: headers[name] for name in ("authorization", "content-type") if name in headers}
        answer = httpx.request(method, f"{counterpart}{path}", headers=kept, content=body)
        return answer.status_code, {"content-type": "application/json"}, answer.content

    with served(passing) as url:
        yield url


@pytest.mark.parametrize(
    ("card", "state"),
    [
        ("4242424242424242", "captured"),
        ("4000000000000341", "failed"),
        ("4000008260003178", "needs_customer"),
    ],
)
def test_a_saved_card_pays_without_its_customer(
    counterpart: str, messages: "Queue[Sent]", ports: Ports, card: str, state: str
) -> None:
    """In two steps, once; its own signed message credits the order. A decline and a bank that asks for the customer take nothing."""
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": counterpart})
    customer = client.v1.customers.create({"email": "a@example.com"}).id
    given: Any = {"number": card, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": given}).id
    client.v1.payment_methods.attach(method, {"customer": customer})
    ordered(ports, provider="stripe")
    with _without_off_session(counterpart) as url:
        methods = StripeCheckout(secret_key="sk_test_1", webhook_secrets=[SECRET], api_base=url).methods
        assert methods is not None
        charge = Charge(
            order_id=ORDER,
            account_id=ACCOUNT,
            amount_minor=11_900,
            currency="EUR",
            method_ref=method,
            customer_ref=customer,
            idempotency_key="k",
        )
        payment_ref = methods.begin(charge)
        assert client.v1.payment_intents.retrieve(payment_ref).status == "requires_confirmation"
        taken = methods.take(payment_ref)
        assert taken.state == state
        assert methods.take(payment_ref).state == ("captured" if state == "captured" else "failed")
        methods.forget(method)
    if state == "captured":
        _deliver(ports, messages, until="payment_intent.succeeded")
        assert [lot.amount_nano for lot in lots(ports)] == [100_000_000_000]
    else:
        assert client.v1.payment_intents.retrieve(payment_ref).status == "canceled"
        assert lots(ports) == []
