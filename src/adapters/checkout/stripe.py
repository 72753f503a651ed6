"""Stripe: Checkout pages (cards, and what else is switched on there: Alipay, WeChat Pay, Konbini), refunds, disputes.

What is saved for later recharges is beside this, in `stripe_methods`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, TypeVar

import msgspec

from adapters.checkout.stripe_methods import StripeMethods, observed_method
from adapters.checkout.stripe_objects import (
    NAME,
    Charge,
    CheckoutSession,
    Intent,
    Line,
    Payout,
    StripeDispute,
    StripeRefund,
    balance_transaction,
    mode_of,
    observed_dispute,
    observed_payment,
    observed_refund,
    observed_session,
)
from adapters.checkout.stripe_signature import check_signature
from adapters.checkout.stripe_wire import REF, TIMEOUT_S, StripeWire, checked, read
from application.checkout.methods import SavedMethods
from application.checkout.ports import (
    Acknowledgement,
    BadNotice,
    BalanceTransaction,
    Delivered,
    Headers,
    Notice,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    Session,
    SessionRequest,
)
from domain.auto_recharge.ruling import ObservedMethod
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund

_US: Final = 1_000_000
_PAGE_PARTS: Final = ("payment_intent.latest_charge.balance_transaction", "setup_intent.payment_method")
_WORD: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)


Seen = TypeVar("Seen")


class _About(msgspec.Struct, frozen=True):
    id: str | None = None


class _Data(msgspec.Struct, frozen=True):
    object: _About


class _Event(msgspec.Struct, frozen=True):
    """The outside of a message; what it tells of the object is not read."""

    id: str
    type: str
    created: int
    livemode: bool
    data: _Data
    account: str | None = None  #: set on messages of connected accounts, which are none of ours


class StripeCheckout:
    """One Stripe account in one mode, which its secret key tells."""

    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()
    currencies: ClassVar[frozenset[str] | None] = None

    def __init__(
        self,
        *,
        secret_key: str,
        webhook_secrets: Sequence[str],
        api_base: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`webhook_secrets`: of our endpoint, two while one is exchanged. `api_base`: of a counterpart in tests."""
        self.name = NAME
        self.mode: Mode = mode_of(livemode="_live_" in secret_key)
        self._secrets = tuple(webhook_secrets)
        self._wire = StripeWire(secret_key=secret_key, api_base=api_base, timeout_s=timeout_s)
        self.methods: SavedMethods | None = StripeMethods(self._wire)

    def open_session(self, request: SessionRequest) -> Session:
        metadata = {"order_id": str(request.order_id), "account_id": str(request.account_id)}
        item = {
            "quantity": 1,
            "price_data": {
                "currency": request.currency.lower(),
                "unit_amount": request.amount_minor,
                "product_data": {"name": request.description},
            },
        }
        found = self._wire.ask(
            "post",
            "/v1/checkout/sessions",
            CheckoutSession,
            idempotency_key=request.idempotency_key,
            mode="payment",
            client_reference_id=str(request.order_id),
            metadata=metadata,
            payment_intent_data={"metadata": metadata},
            line_items=[item],
            success_url=request.success_url,
            cancel_url=request.cancel_url,
            # The same for the same order: an idempotency key is bound to what came with it.
            expires_at=request.expires_us // _US,
        )
        if not found.url:
            raise ProviderRefused("the session is closed")
        return Session(session_ref=found.id, url=found.url, expires_us=found.expires_at * _US)

    def close_session(self, session_ref: str) -> None:
        try:
            self._wire.ask("post", f"/v1/checkout/sessions/{checked(session_ref)}/expire", CheckoutSession)
        except ProviderRefused:
            # Stripe refuses for a page that is not open. One that is open still is a refusal to be told.
            found = self._wire.get("/v1/checkout/sessions", session_ref, CheckoutSession)
            if found.status == "open":
                raise

    def verify(self, raw: bytes, headers: Headers, *, now_us: int) -> Notice:
        check_signature(raw, headers, secrets=self._secrets, now_s=now_us // _US)
        try:
            event = msgspec.json.decode(raw, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadNotice("the message cannot be read") from None
        return _notice(event)

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation | ObservedMethod]:
        if kind.startswith("checkout.session."):
            page = self._page(object_ref)
            return _some(observed_method(page)) or observed_session(page)
        if kind.startswith("payment_intent."):
            return _some(observed_payment(self._intent(object_ref)))
        if kind.startswith("charge.dispute."):
            return self.fetch_dispute(object_ref)
        if kind.startswith(("refund.", "charge.refund.")):
            return _some(
                observed_refund(self._wire.get("/v1/refunds", object_ref, StripeRefund, "payment_intent"))
            )
        if kind.startswith("charge."):
            return self._fetch_charge(object_ref)
        return ()

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        return observed_session(self._page(session_ref))

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:
        found = self._wire.get("/v1/disputes", dispute_ref, StripeDispute, "payment_intent")
        return _some(observed_dispute(found))

    def refund(self, order: RefundOrder) -> ObservedRefund:
        made = self._wire.ask(
            "post",
            "/v1/refunds",
            StripeRefund,
            idempotency_key=order.idempotency_key,
            payment_intent=order.payment_ref,
            amount=order.amount_minor,
            metadata={"order_id": str(order.order_id), "refund_id": str(order.refund_id)},
        )
        seen = observed_refund(msgspec.structs.replace(made, payment_intent=self._intent(order.payment_ref)))
        if seen is None:
            raise ProviderRefused("the payment is of no order")
        return seen

    def made_refund(self, order: RefundOrder) -> ObservedRefund | None:
        # An idempotency key is forgotten after a day.
        made = self._refunds_of(self._intent(order.payment_ref))
        return next((seen for seen in made if seen.refund_id == order.refund_id), None)

    def undelivered(self, *, since_us: int) -> Iterator[Delivered]:
        for raw in self._wire.every("/v1/events", delivery_success="false", created={"gte": since_us // _US}):
            yield Delivered(_notice(read(raw, _Event)), bytes(raw))

    def balance_transactions(self, *, since_us: int, until_us: int) -> Iterator[BalanceTransaction]:
        created = {"gte": since_us // _US, "lt": until_us // _US}
        for raw in self._wire.every("/v1/balance_transactions", created=created, expand=["data.source"]):
            yield balance_transaction(read(raw, Line))

    def payout_lines(self, payout_ref: str) -> Sequence[BalanceTransaction] | None:
        status = self._wire.get("/v1/payouts", payout_ref, Payout).reconciliation_status
        if status == "in_progress":
            raise ProviderUnavailable("the payout is not reconciled yet")
        if status != "completed":
            return None  # somebody has asked for it by hand
        listed = self._wire.every("/v1/balance_transactions", payout=payout_ref, expand=["data.source"])
        return [balance_transaction(read(raw, Line)) for raw in listed]

    def _page(self, session_ref: str) -> CheckoutSession:
        return self._wire.get("/v1/checkout/sessions", session_ref, CheckoutSession, *_PAGE_PARTS)

    def _intent(self, payment_ref: str) -> Intent:
        return self._wire.get("/v1/payment_intents", payment_ref, Intent, "latest_charge.balance_transaction")

    def _fetch_charge(self, charge_ref: str) -> Sequence[Observation]:
        """The payment of a charge, and its refunds: what is told of a charge may be either."""
        payment_ref = self._wire.get("/v1/charges", charge_ref, Charge).payment_intent
        if payment_ref is None:
            return ()
        intent = self._intent(payment_ref)
        return [*_some(observed_payment(intent)), *self._refunds_of(intent)]

    def _refunds_of(self, intent: Intent) -> Sequence[ObservedRefund]:
        of_intent = (
            msgspec.structs.replace(read(raw, StripeRefund), payment_intent=intent)
            for raw in self._wire.every("/v1/refunds", payment_intent=intent.id)
        )
        return [seen for one in of_intent if (seen := observed_refund(one)) is not None]


def _notice(event: _Event) -> Notice:
    """Raises BadNotice for one that cannot be Stripe's."""
    object_ref = event.data.object.id or ""
    if not REF.fullmatch(event.id) or not _WORD.fullmatch(event.type):
        raise BadNotice("the message has no proper id or kind")
    if object_ref and not REF.fullmatch(object_ref):
        raise BadNotice("the message is about no proper object")
    if not 0 <= event.created < 2**40:
        raise BadNotice("the message is of no time")
    return Notice(
        event_ref=event.id,
        kind=event.type,
        object_ref="" if event.account is not None else object_ref,
        created_us=event.created * _US,
        mode=mode_of(livemode=event.livemode),
    )


def _some(seen: Seen | None) -> tuple[Seen, ...]:
    return () if seen is None else (seen,)
