"""Stripe's cards that customers have left for later: pages in Checkout's setup mode, and payments without the customer.

A payment intent is made and not confirmed, and confirmed by its id later; Stripe confirms one once. One that was declined is
cancelled, so nothing can be taken by it any more.
"""

from typing import Any, Final

import msgspec

from adapters.checkout.stripe_objects import (
    NAME,
    CheckoutSession,
    Intent,
    mode_of,
    observed_payment,
    page_status,
    uuid_in,
)
from adapters.checkout.stripe_setup import Method, Setup
from adapters.checkout.stripe_wire import StripeWire, checked
from application.checkout.methods import Charge, MethodPage, Taken
from application.checkout.ports import ProviderRefused, Session
from domain.auto_recharge.ruling import ObservedMethod

PURPOSE: Final = "auto-recharge"
_US: Final = 1_000_000
_SESSIONS: Final = "/v1/checkout/sessions"
_INTENTS: Final = "/v1/payment_intents"
_BRAND_MAX: Final = 32
_AUTHENTICATION: Final = frozenset({"authentication_required", "payment_intent_authentication_failure"})
_UNTRIED: Final = "requires_confirmation"
_WAITS: Final = "requires_action"  #: for the customer
_PAID: Final = frozenset({"succeeded", "processing"})
_OVER: Final = _PAID | {"canceled"}


class StripeMethods:
    """Of one Stripe account."""

    def __init__(self, wire: StripeWire) -> None:
        self._wire = wire

    def open_page(self, request: MethodPage) -> Session:
        metadata = {"account_id": str(request.account_id), "purpose": PURPOSE}
        found = self._wire.ask(
            "post",
            _SESSIONS,
            CheckoutSession,
            idempotency_key=request.idempotency_key,
            mode="setup",
            customer_creation="always",
            payment_method_types=["card"],  # others may take days, or ask for the customer each time
            client_reference_id=str(request.account_id),
            metadata=metadata,
            setup_intent_data={"metadata": metadata},
            success_url=request.back_url,
            cancel_url=request.back_url,
            expires_at=request.expires_us // _US,
        )
        if not found.url:
            raise ProviderRefused("the session is closed")
        return Session(session_ref=found.id, url=found.url, expires_us=found.expires_at * _US)

    def begin(self, charge: Charge) -> str:
        made = self._wire.ask(
            "post",
            _INTENTS,
            Intent,
            idempotency_key=charge.idempotency_key,
            amount=charge.amount_minor,
            currency=charge.currency.lower(),
            customer=charge.customer_ref,
            payment_method=charge.method_ref,
            payment_method_types=["card"],
            metadata={"order_id": str(charge.order_id), "account_id": str(charge.account_id)},
        )
        return made.id

    def take(self, payment_ref: str) -> Taken:
        intent, refusal = self._intent(payment_ref), ""
        if intent.status == _UNTRIED:
            path = f"{_INTENTS}/{checked(payment_ref)}/confirm"
            try:
                self._wire.ask("post", path, Intent, off_session=True)
            except ProviderRefused as error:  # a decline is one too; the payment says which it was
                refusal = error.reason
            intent = self._intent(payment_ref)
        return self._ended(intent, refusal)

    def give_up(self, payment_ref: str) -> Taken:
        return self._ended(self._intent(payment_ref), "given_up")

    def forget(self, method_ref: str) -> None:
        try:
            self._wire.ask("post", f"/v1/payment_methods/{checked(method_ref)}/detach", Method)
        except ProviderRefused:
            return  # it is not there, or nobody's

    def _ended(self, intent: Intent, refusal: str) -> Taken:
        """A payment that was not made is cancelled, and why it was not is read before that."""
        if intent.status not in _OVER:
            self._cancel(intent.id)
        last = self._intent(intent.id) if intent.status not in _OVER else intent
        payment = observed_payment(last)
        if last.status in _PAID:
            return Taken(state="captured" if last.status == "succeeded" else "processing", payment=payment)
        reason = _reason(intent) or refusal
        asked_for = intent.status == _WAITS or not _AUTHENTICATION.isdisjoint({reason, refusal})
        return Taken(
            state="needs_customer" if asked_for else "failed",
            reason=reason,
            payment=None if payment is None else msgspec.structs.replace(payment, reason=reason),
        )

    def _cancel(self, payment_ref: str) -> None:
        try:
            self._wire.ask("post", f"{_INTENTS}/{checked(payment_ref)}/cancel", Intent)
        except ProviderRefused:
            # Stripe refuses for one that is over meanwhile. One that is not is a refusal to be told.
            if self._intent(payment_ref).status not in _OVER:
                raise

    def _intent(self, payment_ref: str) -> Intent:
        return self._wire.get(_INTENTS, payment_ref, Intent, "latest_charge.balance_transaction")


def observed_method(page: CheckoutSession) -> ObservedMethod | None:
    """What was left on a page; none if it is not one of ours for that."""
    said = page.metadata or {}
    account_id = uuid_in(said.get("account_id"))
    if page.mode != "setup" or said.get("purpose") != PURPOSE or account_id is None:
        return None
    seen = ObservedMethod(
        provider=NAME,
        mode=mode_of(livemode=page.livemode),
        account_id=account_id,
        session_ref=page.id,
        status=page_status(page.status),
    )
    return msgspec.structs.replace(seen, **_left(page))


def _left(page: CheckoutSession) -> dict[str, Any]:
    """The way to pay, if it is whole."""
    setup = page.setup_intent
    if not isinstance(setup, Setup) or setup.status != "succeeded":
        return {}
    method, customer = setup.payment_method, setup.customer or page.customer
    if not isinstance(method, Method) or customer is None:
        return {}
    brand = method.card.brand if method.card is not None else method.type
    return {"method_ref": method.id, "customer_ref": customer, "brand": brand[:_BRAND_MAX]}


def _reason(intent: Intent) -> str:
    payment = observed_payment(intent)
    return "" if payment is None else payment.reason
