"""What Stripe's objects say, over a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.checkout.configured import ProviderSettings, configured
from adapters.checkout.stripe import StripeCheckout
from adapters.checkout.stripe_objects import Charge, Intent, Line, observed_payment
from application.checkout.ports import ProviderRefused, ProviderUnavailable, RefundOrder, SessionRequest
from domain.recharge.observing import ObservedDispute, ObservedPayment, ObservedRefund, ObservedSession
from tests.adapters.checkout.signed import SECRET
from tests.adapters.checkout.stripe_stub import StripeStub, payment, serving
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER

NAMES = {"order_id": str(ORDER), "account_id": str(ACCOUNT)}
REQUEST = SessionRequest(
    order_id=ORDER,
    page=1,
    account_id=ACCOUNT,
    amount_minor=11_900,
    currency="EUR",
    description="Credit, order TK-1",
    expires_us=1_764_086_400_000_000,
    idempotency_key="order/1/session/1",
    success_url="https://shop.example/orders/1",
    cancel_url="https://shop.example/orders/1",
)


@pytest.fixture
def stub() -> Iterator[StripeStub]:
    with serving() as one:
        yield one


@pytest.fixture
def checkout(stub: StripeStub) -> StripeCheckout:
    return StripeCheckout(secret_key="sk_test_x", webhook_secrets=[SECRET], api_base=stub.url)


def test_a_page_names_the_order_three_times(stub: StripeStub, checkout: StripeCheckout) -> None:
    """On the session, on its payment, and as the client's reference; the same key gives the same page."""
    session = checkout.open_session(REQUEST)
    assert checkout.open_session(REQUEST) == session
    assert (session.url, session.expires_us) == ("https://checkout.example/cs_1", REQUEST.expires_us)
    _, path, form = stub.asked[0]
    assert path == "/v1/checkout/sessions"
    assert form["client_reference_id"] == form["metadata[order_id]"] == str(ORDER)
    assert form["payment_intent_data[metadata][order_id]"] == str(ORDER)
    assert form["payment_intent_data[metadata][account_id]"] == str(ACCOUNT)
    assert (form["mode"], form["line_items[0][price_data][unit_amount]"]) == ("payment", "11900")
    assert form["line_items[0][price_data][currency]"] == "eur"
    with pytest.raises(ProviderRefused):
        checkout.open_session(replace(REQUEST, amount_minor=5))


def test_a_paid_page_is_a_captured_payment(stub: StripeStub, checkout: StripeCheckout) -> None:
    """With sum, currency, fee and method as Stripe has them."""
    session = checkout.open_session(REQUEST)
    (page,) = checkout.fetch_session(session.session_ref)
    assert isinstance(page, ObservedSession)
    assert page.status == "open"
    payment_ref = stub.pay(session.session_ref)
    expected = ObservedPayment(
        provider="stripe",
        mode="test",
        order_id=ORDER,
        account_id=ACCOUNT,
        payment_ref=payment_ref,
        status="captured",
        amount_minor=11_900,
        currency="EUR",
        fee_minor=320,
        method="card",
    )
    assert checkout.fetch("checkout.session.completed", session.session_ref)[1] == expected
    assert checkout.fetch("payment_intent.succeeded", payment_ref) == (expected,)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "processing"}, "processing"),
        ({"status": "canceled"}, "failed"),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}, "failed"),
        ({"status": "requires_payment_method"}, None),
        ({"status": "requires_action"}, None),
        ({"status": "requires_capture"}, None),
        ({"metadata": {}}, None),
        ({"metadata": None}, None),
        ({"metadata": {"order_id": "1"}}, None),
        ({}, "captured"),
    ],
)
def test_what_a_payment_says(
    stub: StripeStub, checkout: StripeCheckout, changes: dict[str, Any], status: str | None
) -> None:
    """Only one that succeeded is captured; what is not about an order says nothing."""
    stub.objects["/v1/payment_intents/pi_1"] = payment("pi_1", **({"metadata": NAMES} | changes))
    seen = checkout.fetch("payment_intent.x", "pi_1")
    assert [one.status for one in seen] == ([] if status is None else [status])


@pytest.mark.parametrize("account", [{}, {"account_id": "1"}, {"account_id": str(OTHER)}])
def test_a_payment_without_its_account_fits_no_order(
    stub: StripeStub, checkout: StripeCheckout, account: dict[str, str]
) -> None:
    """We always name it, so somebody else made that payment."""
    names = {"order_id": str(ORDER)} | account
    stub.objects["/v1/payment_intents/pi_1"] = payment("pi_1", metadata=names)
    (seen,) = checkout.fetch("payment_intent.succeeded", "pi_1")
    assert isinstance(seen, ObservedPayment)
    assert seen.account_id not in {None, ACCOUNT}


@pytest.mark.parametrize(("settled_in", "fee_minor"), [("jpy", 100), ("eur", None)])
def test_a_fee_is_told_in_the_currency_of_the_payment(settled_in: str, fee_minor: int | None) -> None:
    """Where the account is in another one, cents of a euro must not be taken for yen."""
    line = Line(id="txn_1", amount=9_000, currency=settled_in, fee=100, net=8_900)
    intent = Intent(
        id="pi_1",
        livemode=False,
        status="succeeded",
        amount=9_000,
        currency="jpy",
        metadata={"order_id": str(ORDER)},
        latest_charge=Charge(id="ch_1", balance_transaction=line),
    )
    seen = observed_payment(intent)
    assert seen is not None
    assert (seen.currency, seen.fee_minor) == ("JPY", fee_minor)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_reference_id": str(OTHER)},
        {"client_reference_id": None},
        {"amount_total": 5},
        {"amount_total": None},
        {"currency": "usd"},
        {"amount_total": "11900"},
        {"amount_total": 11900.0},
        {"livemode": "no"},
    ],
)
def test_a_page_that_contradicts_its_payment_says_nothing(
    stub: StripeStub, checkout: StripeCheckout, changes: dict[str, Any]
) -> None:
    """Whatever it is, it is no money for this order."""
    session = checkout.open_session(REQUEST)
    stub.pay(session.session_ref)
    stub.objects[f"/v1/checkout/sessions/{session.session_ref}"] |= changes
    with pytest.raises(ProviderRefused):
        checkout.fetch_session(session.session_ref)


def test_a_page_whose_payment_is_another_orders_says_nothing(
    stub: StripeStub, checkout: StripeCheckout
) -> None:
    """The two were made together."""
    session = checkout.open_session(REQUEST)
    stub.pay(session.session_ref)
    page = stub.objects[f"/v1/checkout/sessions/{session.session_ref}"]
    page["payment_intent"] = payment("pi_9", metadata=NAMES | {"account_id": str(OTHER)})
    with pytest.raises(ProviderRefused):
        checkout.fetch_session(session.session_ref)
    page["payment_intent"] = payment("pi_9", metadata={})
    assert len(checkout.fetch_session(session.session_ref)) == 1
    page |= {"payment_intent": payment("pi_9", metadata=NAMES), "payment_status": "unpaid"}
    assert len(checkout.fetch_session(session.session_ref)) == 1


def test_a_refund_is_made_once_and_read_back(stub: StripeStub, checkout: StripeCheckout) -> None:
    """With our id in it; the charge it is of tells of it too."""
    stub.objects["/v1/payment_intents/pi_1"] = payment("pi_1", metadata=NAMES)
    order = RefundOrder(
        order_id=ORDER,
        account_id=ACCOUNT,
        refund_id=OTHER,
        payment_ref="pi_1",
        amount_minor=500,
        currency="EUR",
        idempotency_key="refund/1",
    )
    made = checkout.refund(order)
    assert checkout.refund(order) == made
    assert (made.refund_id, made.status, made.amount_minor, made.currency) == (OTHER, "pending", 500, "EUR")
    refund = stub.objects[f"/v1/refunds/{made.refund_ref}"]
    refund |= {"payment_intent": stub.objects["/v1/payment_intents/pi_1"], "status": "succeeded"}
    (seen,) = checkout.fetch("refund.updated", made.refund_ref)
    assert isinstance(seen, ObservedRefund)
    assert (seen.status, seen.order_id) == ("succeeded", ORDER)
    assert seen.payment is not None
    assert (seen.payment.payment_ref, seen.payment.status) == ("pi_1", "captured")
    stub.objects["/v1/charges/ch_1"] = {"id": "ch_1", "payment_intent": "pi_1"}
    stub.objects["/v1/refunds"] = {"data": [refund | {"payment_intent": "pi_1", "status": "failed"}]}
    paid, back = checkout.fetch("charge.refunded", "ch_1")
    assert isinstance(paid, ObservedPayment)
    assert isinstance(back, ObservedRefund)
    assert back.status == "failed"
    found = checkout.made_refund(order)
    assert found is not None
    assert (found.refund_ref, found.status) == (made.refund_ref, "failed")
    assert checkout.made_refund(replace(order, refund_id=ORDER)) is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("warning_needs_response", "inquiry"),
        ("warning_closed", "inquiry"),
        ("needs_response", "open"),
        ("under_review", "open"),
        ("won", "won"),
        ("lost", "lost"),
    ],
)
def test_what_a_dispute_says(stub: StripeStub, checkout: StripeCheckout, status: str, meaning: str) -> None:
    """With the money that moved because of it, in minor units of the currency it moved in."""
    line = {"id": "txn_7", "amount": -11_900, "fee": 2_000, "net": -13_900, "currency": "eur"}
    stub.objects["/v1/disputes/du_1"] = {
        "id": "du_1",
        "livemode": False,
        "amount": 11_900,
        "currency": "eur",
        "status": status,
        "reason": "fraudulent",
        "payment_intent": payment("pi_1", metadata=NAMES),
        "evidence_details": {"due_by": 1_764_604_800},
        "balance_transactions": [line],
    }
    (seen,) = checkout.fetch("charge.dispute.updated", "du_1")
    assert isinstance(seen, ObservedDispute)
    assert (seen.status, seen.due_us, seen.order_id) == (meaning, 1_764_604_800_000_000, ORDER)
    assert (seen.movements[0].amount_minor, seen.movements[0].fee_minor) == (-11_900, 2_000)
    assert seen.payment is not None
    assert seen.payment.payment_ref == "pi_1"


def test_what_is_not_about_payments_is_not_asked_for(stub: StripeStub, checkout: StripeCheckout) -> None:
    """Customers, prices, payouts."""
    assert checkout.fetch("customer.created", "cus_1") == ()
    assert stub.asked == []


@pytest.mark.parametrize("object_ref", ["", "../refunds", "pi_1?expand[]=x", "pi 1", "p" * 256])
def test_an_id_that_is_none_is_not_asked_for(
    stub: StripeStub, checkout: StripeCheckout, object_ref: str
) -> None:
    """It would lead elsewhere."""
    with pytest.raises(ProviderRefused):
        checkout.fetch("payment_intent.succeeded", object_ref)
    assert stub.asked == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ProviderRefused), (402, ProviderRefused), (401, ProviderUnavailable), (429, ProviderUnavailable)],
)
def test_what_another_try_may_change_is_tried_again(
    stub: StripeStub, checkout: StripeCheckout, status: int, kind: type[Exception]
) -> None:
    """A key that is not accepted is a matter of our settings, not of the object."""
    stub.status = status
    with pytest.raises(kind):
        checkout.fetch("payment_intent.succeeded", "pi_1")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Not an error of a library."""
    with serving() as gone:
        url = gone.url
    checkout = StripeCheckout(secret_key="sk_test_x", webhook_secrets=[SECRET], api_base=url, timeout_s=1)
    with pytest.raises(ProviderUnavailable):
        checkout.fetch("payment_intent.succeeded", "pi_1")


def test_what_did_not_reach_us_is_listed(stub: StripeStub, checkout: StripeCheckout) -> None:
    """As messages, with their bytes; and the lines of our account."""
    stub.objects["/v1/events"] = {
        "data": [
            {
                "id": "evt_1",
                "type": "refund.updated",
                "created": 1_764_000_000,
                "livemode": False,
                "data": {"object": {"id": "re_1"}},
            }
        ]
    }
    (missed,) = checkout.undelivered(since_us=1_000_000)
    assert (missed.notice.event_ref, missed.notice.object_ref) == ("evt_1", "re_1")
    assert b"refund.updated" in missed.raw
    assert stub.asked[-1][2]["delivery_success"] == "false"
    stub.objects["/v1/balance_transactions"] = {
        "data": [
            {
                "id": "txn_1",
                "type": "charge",
                "amount": 5,
                "fee": 1,
                "net": 4,
                "currency": "eur",
                "source": "ch_1",
            }
        ]
    }
    (line,) = checkout.balance_transactions(since_us=0, until_us=5_000_000)
    assert (line.transaction_ref, line.source_ref, line.net_minor, line.currency) == (
        "txn_1",
        "ch_1",
        4,
        "EUR",
    )


def test_a_payout_is_told_line_by_line_once_stripe_has_reconciled_it(
    stub: StripeStub, checkout: StripeCheckout
) -> None:
    """Until then nobody knows; of one that was asked for by hand nobody ever will."""
    line = {"id": "txn_1", "type": "charge", "amount": 5, "fee": 1, "net": 4, "currency": "eur"}
    stub.objects["/v1/balance_transactions"] = {"data": [line]}
    stub.objects["/v1/payouts/po_1"] = {"id": "po_1", "reconciliation_status": "completed"}
    told = checkout.payout_lines("po_1")
    assert told is not None
    assert [one.transaction_ref for one in told] == ["txn_1"]
    assert stub.asked[-1][2]["payout"] == "po_1"
    stub.objects["/v1/payouts/po_1"] = {"id": "po_1", "reconciliation_status": "in_progress"}
    with pytest.raises(ProviderUnavailable):
        checkout.payout_lines("po_1")
    stub.objects["/v1/payouts/po_1"] = {"id": "po_1", "reconciliation_status": "not_applicable"}
    assert checkout.payout_lines("po_1") is None


def test_without_its_secrets_a_provider_is_off() -> None:
    """Half of them is a mistake that is said; test and live are told by the key."""
    whole = {
        "stripe_secret_key": "sk_live_1",
        "stripe_webhook_secret": f"{SECRET},{SECRET}",
        "public_url": "https://shop.example",
    }
    assert configured(ProviderSettings(**whole)).get("stripe").mode == "live"
    changed = ProviderSettings(**whole | {"stripe_secret_key": "rk_test_1"})
    assert configured(changed).get("stripe").mode == "test"
    for change in (
        {"stripe_secret_key": ""},
        {"stripe_secret_key": "pk_live_1"},
        {"stripe_webhook_secret": ""},
        {"stripe_webhook_secret": "None"},
        {"stripe_webhook_secret": f"{SECRET},"},
        {"public_url": ""},
        {"public_url": "javascript:1"},
    ):
        with pytest.raises(ValueError, match="must"):
            configured(ProviderSettings(**whole | change))
