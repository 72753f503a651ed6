"""Cards that customers leave at Stripe, and payments by them without the customer, over a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.checkout.stripe import StripeCheckout
from application.checkout.methods import Charge, MethodPage, SavedMethods
from application.checkout.ports import ProviderRefused, ProviderUnavailable
from domain.auto_recharge.ruling import ObservedMethod
from tests.adapters.checkout.signed import SECRET
from tests.adapters.checkout.stripe_stub import StripeStub, payment, serving
from tests.domain.recharge.orders import ACCOUNT, ORDER

PAGE = MethodPage(
    account_id=ACCOUNT,
    expires_us=1_764_086_400_000_000,
    idempotency_key="method/1",
    back_url="https://shop.example/app/1/recharge",
)
CHARGE = Charge(
    order_id=ORDER,
    account_id=ACCOUNT,
    amount_minor=11_900,
    currency="EUR",
    method_ref="pm_1",
    customer_ref="cus_1",
    idempotency_key=f"order/{ORDER}/charge",
)


@pytest.fixture
def stub() -> Iterator[StripeStub]:
    with serving() as one:
        yield one


@pytest.fixture
def checkout(stub: StripeStub) -> StripeCheckout:
    return StripeCheckout(secret_key="sk_test_x", webhook_secrets=[SECRET], api_base=stub.url)


@pytest.fixture
def methods(checkout: StripeCheckout) -> SavedMethods:
    assert checkout.methods is not None
    return checkout.methods


def test_a_card_is_left_on_a_page_of_its_own(
    stub: StripeStub, checkout: StripeCheckout, methods: SavedMethods
) -> None:
    """Nothing is paid there. Of the card its brand is read, and no digit."""
    opened = methods.open_page(PAGE)
    assert methods.open_page(PAGE) == opened
    assert (opened.url, opened.expires_us) == ("https://checkout.example/cs_1", PAGE.expires_us)
    _, _, form = stub.asked[0]
    assert (form["mode"], form["customer_creation"]) == ("setup", "always")
    assert form["success_url"] == form["cancel_url"] == PAGE.back_url
    (seen,) = checkout.fetch("checkout.session.expired", opened.session_ref)
    assert isinstance(seen, ObservedMethod)
    assert (seen.status, seen.method_ref) == ("open", "")
    stub.leave_card(opened.session_ref)
    (left,) = checkout.fetch("checkout.session.completed", opened.session_ref)
    assert left == ObservedMethod(
        provider="stripe",
        mode="test",
        account_id=ACCOUNT,
        session_ref=opened.session_ref,
        status="complete",
        method_ref="pm_1",
        customer_ref="cus_1",
        brand="visa",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"setup_intent": None},
        {"setup_intent": "seti_1"},
        {"setup_intent": {"id": "seti_1", "status": "processing", "customer": "cus_1"}},
        {"setup_intent": {"id": "seti_1", "status": "succeeded", "customer": "cus_1"}},
    ],
)
def test_half_a_card_is_none(
    stub: StripeStub, checkout: StripeCheckout, methods: SavedMethods, changes: dict[str, Any]
) -> None:
    """A page may be complete before all of it is."""
    page = methods.open_page(PAGE).session_ref
    stub.leave_card(page)
    stub.objects[f"/v1/checkout/sessions/{page}"] |= changes
    (seen,) = checkout.fetch("checkout.session.completed", page)
    assert isinstance(seen, ObservedMethod)
    assert seen.method_ref == ""


@pytest.mark.parametrize("metadata", [{}, {"account_id": str(ACCOUNT)}, {"purpose": "auto-recharge"}])
def test_a_page_of_somebody_elses_is_nothing(
    stub: StripeStub, checkout: StripeCheckout, methods: SavedMethods, metadata: dict[str, str]
) -> None:
    """The same Stripe account may serve others."""
    page = methods.open_page(PAGE).session_ref
    stub.leave_card(page)
    stub.objects[f"/v1/checkout/sessions/{page}"] |= {"metadata": metadata}
    assert list(checkout.fetch("checkout.session.completed", page)) == []


def test_money_is_taken_in_two_steps_and_once(stub: StripeStub, methods: SavedMethods) -> None:
    """Beginning takes nothing; taking again finds it taken. It names order and account, as a page's payment does."""
    payment_ref = methods.begin(CHARGE)
    assert methods.begin(CHARGE) == payment_ref
    assert stub.taken == []
    _, path, form = stub.asked[0]
    assert path == "/v1/payment_intents"
    assert (form["amount"], form["currency"]) == ("11900", "eur")
    assert (form["customer"], form["payment_method"]) == ("cus_1", "pm_1")
    assert "confirm" not in form
    for _ in range(2):
        taken = methods.take(payment_ref)
        assert taken.state == "captured"
        assert taken.payment is not None
        assert (taken.payment.order_id, taken.payment.account_id) == (ORDER, ACCOUNT)
        assert (taken.payment.status, taken.payment.amount_minor) == ("captured", 11_900)
    assert stub.taken == [payment_ref]
    assert methods.give_up(payment_ref).state == "captured"


@pytest.mark.parametrize(
    ("code", "decline_code", "state"),
    [
        ("card_declined", "insufficient_funds", "failed"),
        ("expired_card", None, "failed"),
        ("authentication_required", "authentication_required", "needs_customer"),
        ("authentication_required", None, "needs_customer"),
    ],
)
def test_a_decline_is_the_end_of_the_payment(
    stub: StripeStub, methods: SavedMethods, code: str, decline_code: str | None, state: str
) -> None:
    """It is cancelled there, so that nothing can be taken by it later."""
    stub.declines, stub.decline_code = code, decline_code
    reason = decline_code or code
    payment_ref = methods.begin(CHARGE)
    taken = methods.take(payment_ref)
    assert (taken.state, taken.reason) == (state, reason)
    assert taken.payment is not None
    assert (taken.payment.status, taken.payment.reason) == ("failed", reason)
    assert stub.objects[f"/v1/payment_intents/{payment_ref}"]["status"] == "canceled"
    stub.declines = ""
    assert methods.take(payment_ref).state == "failed"
    assert stub.taken == []


def test_a_payment_that_was_given_up_is_never_made(stub: StripeStub, methods: SavedMethods) -> None:
    """Whoever takes it afterwards finds it over."""
    payment_ref = methods.begin(CHARGE)
    assert (methods.give_up(payment_ref).state, methods.take(payment_ref).state) == ("failed", "failed")
    assert stub.taken == []


def test_a_payment_that_waits_for_its_customer_is_left_to_them(
    stub: StripeStub, methods: SavedMethods
) -> None:
    """On a page, and not by this payment any more; one that is on its way is waited for."""
    names = {"order_id": str(ORDER), "account_id": str(ACCOUNT)}
    path = "/v1/payment_intents/pi_7"
    stub.objects[path] = payment("pi_7", metadata=names, status="requires_action")
    assert methods.take("pi_7").state == "needs_customer"
    assert stub.objects[path]["status"] == "canceled"
    stub.objects[path] = payment("pi_7", metadata=names, status="processing")
    assert methods.take("pi_7").state == "processing"


def test_a_provider_that_is_away_is_asked_again(stub: StripeStub, methods: SavedMethods) -> None:
    """Nothing is concluded from silence; an id that is none is refused."""
    payment_ref = methods.begin(CHARGE)
    stub.status = 500
    for ask in (
        lambda: methods.take(payment_ref),
        lambda: methods.give_up(payment_ref),
        lambda: methods.begin(replace(CHARGE, idempotency_key="2")),
        lambda: methods.open_page(PAGE),
        lambda: methods.forget("pm_1"),
    ):
        with pytest.raises(ProviderUnavailable):
            ask()
    with pytest.raises(ProviderRefused):
        methods.take("../refunds")


def test_a_card_is_forgotten(stub: StripeStub, methods: SavedMethods) -> None:
    """Again is as good; what cannot be its id is nobody's."""
    for method_ref in ("pm_1", "pm_1", "../x"):
        methods.forget(method_ref)
    assert [path for method, path, _ in stub.asked if method == "POST"] == [
        "/v1/payment_methods/pm_1/detach"
    ] * 2
