"""Stripe: Checkout pages (cards, and what else is switched on there: Alipay, WeChat Pay, Konbini), refunds, disputes.

The library does the asking, with its own retries under one idempotency key; answers are read by types of ours.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, TypeVar

import msgspec
import stripe

from adapters.checkout.stripe_objects import (
    NAME,
    Charge,
    CheckoutSession,
    Intent,
    Line,
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
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund

TIMEOUT_S: Final = 15.0
_RETRIES: Final = 2
_US: Final = 1_000_000
_PAGE: Final = 100
_PAGES_MAX: Final = 100
_REF: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_WORD: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
#: Answers that another try may change.
_LATER: Final = frozenset({408, 409, 429})
_REFUSALS: Final = range(400, 500)

Answer = TypeVar("Answer")


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


class _Page(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]
    has_more: bool = False


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
        self._client = stripe.StripeClient(
            secret_key,
            http_client=stripe.RequestsClient(timeout=timeout_s),
            max_network_retries=_RETRIES,
            base_addresses={"api": api_base} if api_base else None,
        )

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
        found = self._ask(
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
        if not _REF.fullmatch(session_ref):
            raise ProviderRefused("an id that is none")
        try:
            self._ask("post", f"/v1/checkout/sessions/{session_ref}/expire", CheckoutSession)
        except ProviderRefused:
            # Stripe refuses for a page that is not open. One that is open still is a refusal to be told.
            found = self._get("/v1/checkout/sessions", session_ref, CheckoutSession)
            if found.status == "open":
                raise

    def verify(self, raw: bytes, headers: Headers, *, now_us: int) -> Notice:
        check_signature(raw, headers, secrets=self._secrets, now_s=now_us // _US)
        try:
            event = msgspec.json.decode(raw, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadNotice("the message cannot be read") from None
        return _notice(event)

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation]:
        if kind.startswith("checkout.session."):
            return self.fetch_session(object_ref)
        if kind.startswith("payment_intent."):
            return _some(observed_payment(self._intent(object_ref)))
        if kind.startswith("charge.dispute."):
            return self.fetch_dispute(object_ref)
        if kind.startswith(("refund.", "charge.refund.")):
            return _some(
                observed_refund(self._get("/v1/refunds", object_ref, StripeRefund, "payment_intent"))
            )
        if kind.startswith("charge."):
            return self._fetch_charge(object_ref)
        return ()

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        found = self._get(
            "/v1/checkout/sessions",
            session_ref,
            CheckoutSession,
            "payment_intent.latest_charge.balance_transaction",
        )
        return observed_session(found)

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:
        found = self._get("/v1/disputes", dispute_ref, StripeDispute, "payment_intent")
        return _some(observed_dispute(found))

    def refund(self, order: RefundOrder) -> ObservedRefund:
        made = self._ask(
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
        for raw in self._list("/v1/events", delivery_success="false", created={"gte": since_us // _US}):
            yield Delivered(_notice(_read(raw, _Event)), bytes(raw))

    def balance_transactions(self, *, since_us: int, until_us: int) -> Iterator[BalanceTransaction]:
        created = {"gte": since_us // _US, "lt": until_us // _US}
        for raw in self._list("/v1/balance_transactions", created=created, expand=["data.source"]):
            yield balance_transaction(_read(raw, Line))

    def _intent(self, payment_ref: str) -> Intent:
        return self._get("/v1/payment_intents", payment_ref, Intent, "latest_charge.balance_transaction")

    def _fetch_charge(self, charge_ref: str) -> Sequence[Observation]:
        """The payment of a charge, and its refunds: what is told of a charge may be either."""
        payment_ref = self._get("/v1/charges", charge_ref, Charge).payment_intent
        if payment_ref is None:
            return ()
        intent = self._intent(payment_ref)
        return [*_some(observed_payment(intent)), *self._refunds_of(intent)]

    def _refunds_of(self, intent: Intent) -> Sequence[ObservedRefund]:
        of_intent = (
            msgspec.structs.replace(_read(raw, StripeRefund), payment_intent=intent)
            for raw in self._list("/v1/refunds", payment_intent=intent.id)
        )
        return [seen for one in of_intent if (seen := observed_refund(one)) is not None]

    def _get(self, folder: str, object_ref: str, kind: type[Answer], *expand: str) -> Answer:
        if not _REF.fullmatch(object_ref):
            raise ProviderRefused("an id that is none")
        return self._ask(
            "get", f"{folder}/{object_ref}", kind, **({"expand": list(expand)} if expand else {})
        )

    def _list(self, path: str, **more: Any) -> Iterator[msgspec.Raw]:
        """Every item, a page at a time.

        Raises:
            ProviderUnavailable: there are absurdly many.
        """
        after: dict[str, str] = {}
        for _ in range(_PAGES_MAX):
            page = self._ask("get", path, _Page, limit=_PAGE, **after, **more)
            yield from page.data
            if not page.has_more or not page.data:
                return
            after = {"starting_after": _read(page.data[-1], _About).id or ""}
        raise ProviderUnavailable("a list without an end")

    def _ask(self, method: str, path: str, kind: type[Answer], **more: Any) -> Answer:
        try:
            answer = self._client.raw_request(method, path, **more)
        except stripe.StripeError as error:
            raise _meant(error) from None
        return _read(answer.body, kind)


def _meant(error: stripe.StripeError) -> ProviderUnavailable | ProviderRefused:
    """Whether another try can help. Stripe's words may repeat what was sent, so only its code is kept."""
    status = error.http_status
    if status in _REFUSALS and status not in _LATER and status not in {401, 403}:
        return ProviderRefused(error.code or type(error).__name__)
    return ProviderUnavailable(f"{type(error).__name__} {status or ''}".strip())


def _read(raw: "msgspec.Raw | str", kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        raise ProviderRefused("an answer that cannot be read") from None


def _notice(event: _Event) -> Notice:
    """Raises BadNotice for one that cannot be Stripe's."""
    object_ref = event.data.object.id or ""
    if not _REF.fullmatch(event.id) or not _WORD.fullmatch(event.type):
        raise BadNotice("the message has no proper id or kind")
    if object_ref and not _REF.fullmatch(object_ref):
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


def _some(seen: Observation | None) -> tuple[Observation, ...]:
    return () if seen is None else (seen,)
