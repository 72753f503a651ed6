"""Stripe's objects, as far as we read them, and what they say about our orders.

An amount that is no integer, or a field of another type, is damage: nothing is concluded from it.
"""

from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from adapters.checkout.stripe_setup import Setup
from application.checkout.ports import BalanceTransaction, ProviderRefused
from domain.recharge.events import Mode
from domain.recharge.observing import (
    Movement,
    ObservedDispute,
    ObservedPayment,
    ObservedRefund,
    ObservedSession,
)

NAME: Final = "stripe"
_NOBODY: Final = UUID(int=0)
_US: Final = 1_000_000
_WORDS_MAX: Final = 200


class Line(msgspec.Struct, frozen=True):
    """A balance transaction."""

    id: str
    amount: int
    currency: str
    fee: int = 0
    net: int = 0
    type: str = ""
    source: Any = None
    created: int = 0


class Details(msgspec.Struct, frozen=True):
    type: str = ""


class Charge(msgspec.Struct, frozen=True):
    id: str
    payment_intent: str | None = None
    balance_transaction: Line | str | None = None
    payment_method_details: Details | None = None


class Failure(msgspec.Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None


class Intent(msgspec.Struct, frozen=True):
    """A payment."""

    id: str
    livemode: bool
    status: str
    amount: int
    currency: str
    amount_received: int | None = None
    metadata: dict[str, str] | None = None
    latest_charge: Charge | str | None = None
    last_payment_error: Failure | None = None


class CheckoutSession(msgspec.Struct, frozen=True):
    id: str
    livemode: bool
    payment_status: str
    status: str | None = None
    amount_total: int | None = None
    currency: str | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None
    payment_intent: Intent | str | None = None
    mode: str = "payment"
    customer: str | None = None
    setup_intent: Setup | str | None = None
    url: str | None = None
    expires_at: int = 0


class StripeRefund(msgspec.Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    payment_intent: Intent | str | None = None
    metadata: dict[str, str] | None = None
    failure_reason: str | None = None


class Evidence(msgspec.Struct, frozen=True):
    due_by: int | None = None


class StripeDispute(msgspec.Struct, frozen=True):
    id: str
    livemode: bool
    amount: int
    currency: str
    status: str
    reason: str = ""
    payment_intent: Intent | str | None = None
    evidence_details: Evidence | None = None
    balance_transactions: list[Line] = []


class Payout(msgspec.Struct, frozen=True):
    id: str
    reconciliation_status: str = ""


class Names(msgspec.Struct, frozen=True):
    """What we told Stripe of the order."""

    order_id: UUID
    account_id: UUID


def names_in(metadata: dict[str, str] | None) -> Names | None:
    """The order that an object is about; none if it is not one of ours. An account that cannot be read fits no order."""
    said = metadata or {}
    order_id = uuid_in(said.get("order_id"))
    return None if order_id is None else Names(order_id, uuid_in(said.get("account_id")) or _NOBODY)


def mode_of(*, livemode: bool) -> Mode:
    return "live" if livemode else "test"


def observed_payment(intent: Intent) -> ObservedPayment | None:
    """What a payment says; none for one that is not of ours, or has not got anywhere."""
    names = names_in(intent.metadata)
    status = _status(intent)
    if names is None or status is None:
        return None
    charge = intent.latest_charge if isinstance(intent.latest_charge, Charge) else None
    line = charge.balance_transaction if charge is not None else None
    details = charge.payment_method_details if charge is not None else None
    failure = intent.last_payment_error
    return ObservedPayment(
        provider=NAME,
        mode=mode_of(livemode=intent.livemode),
        order_id=names.order_id,
        account_id=names.account_id,
        payment_ref=intent.id,
        status=status,
        amount_minor=_amount(intent),
        currency=intent.currency.upper(),
        # Of an account in another currency the fee is in that one, and tells nothing here.
        fee_minor=line.fee if isinstance(line, Line) and line.currency == intent.currency else None,
        method=details.type[:_WORDS_MAX] if details is not None else "",
        reason="" if failure is None else (failure.decline_code or failure.code or "")[:_WORDS_MAX],
    )


def observed_session(session: CheckoutSession) -> list[ObservedSession | ObservedPayment]:
    """What a page says, and the payment that was made on it.

    Raises:
        ProviderRefused: the page names two orders, or a payment of another sum.
    """
    names = names_in(session.metadata)
    if names is None:
        return []
    if session.client_reference_id != str(names.order_id):
        raise ProviderRefused("the session names two orders")
    mode = mode_of(livemode=session.livemode)
    page = ObservedSession(
        provider=NAME,
        mode=mode,
        order_id=names.order_id,
        session_ref=session.id,
        status=page_status(session.status),
    )
    intent = session.payment_intent
    if not isinstance(intent, Intent):
        return [page]
    payment = observed_payment(intent)
    if payment is None:
        return [page]
    if (payment.order_id, payment.account_id) != (names.order_id, names.account_id):
        raise ProviderRefused("the session and its payment name two orders")
    if payment.status == "captured" and session.payment_status != "paid":
        return [page]  # two words on one thing: the next look settles it
    if payment.amount_minor != session.amount_total or payment.currency != (session.currency or "").upper():
        raise ProviderRefused("the session and its payment have two sums")
    return [page, payment]


def observed_refund(refund: StripeRefund) -> ObservedRefund | None:
    """What a refund says; none if its payment is not of ours."""
    intent = refund.payment_intent
    names = names_in(intent.metadata) if isinstance(intent, Intent) else None
    if names is None or not isinstance(intent, Intent):
        return None
    status: Literal["pending", "succeeded", "failed"] = "pending"
    if refund.status == "succeeded":
        status = "succeeded"
    elif refund.status in {"failed", "canceled"}:
        status = "failed"
    return ObservedRefund(
        provider=NAME,
        mode=mode_of(livemode=intent.livemode),
        order_id=names.order_id,
        payment_ref=intent.id,
        refund_ref=refund.id,
        refund_id=uuid_in((refund.metadata or {}).get("refund_id")),
        status=status,
        amount_minor=refund.amount,
        currency=refund.currency.upper(),
        reason=(refund.failure_reason or "")[:_WORDS_MAX],
        payment=observed_payment(intent),
    )


def observed_dispute(dispute: StripeDispute) -> ObservedDispute | None:
    """What a dispute says; none if its payment is not of ours."""
    intent = dispute.payment_intent
    names = names_in(intent.metadata) if isinstance(intent, Intent) else None
    if names is None or not isinstance(intent, Intent):
        return None
    due_s = dispute.evidence_details.due_by if dispute.evidence_details is not None else None
    return ObservedDispute(
        provider=NAME,
        mode=mode_of(livemode=dispute.livemode),
        order_id=names.order_id,
        payment_ref=intent.id,
        dispute_ref=dispute.id,
        status=_dispute_status(dispute.status),
        amount_minor=dispute.amount,
        currency=dispute.currency.upper(),
        reason=dispute.reason[:_WORDS_MAX],
        due_us=None if due_s is None else due_s * _US,
        movements=tuple(
            Movement(
                transaction_ref=line.id,
                amount_minor=line.amount,
                fee_minor=line.fee,
                currency=line.currency.upper(),
            )
            for line in dispute.balance_transactions
        ),
        payment=observed_payment(intent),
    )


def balance_transaction(line: Line) -> BalanceTransaction:
    return BalanceTransaction(
        transaction_ref=line.id,
        kind=line.type[:_WORDS_MAX],
        source_ref=_source(line.source),
        object_ref=_object(line.source),
        gross_minor=line.amount,
        fee_minor=line.fee,
        net_minor=line.net,
        currency=line.currency.upper(),
        created_us=line.created * _US,
    )


def _source(source: Any) -> str:
    """The payment that a line is of, where its charge was sent along; else the object's id."""
    if isinstance(source, dict):
        source = source.get("payment_intent") or source.get("id")
    return source if isinstance(source, str) else ""


def _object(source: Any) -> str:
    found = source.get("id") if isinstance(source, dict) else source
    return found if isinstance(found, str) else ""


def _status(intent: Intent) -> Literal["processing", "failed", "captured"] | None:
    if intent.status == "succeeded":
        return "captured"
    if intent.status == "processing":
        return "processing"
    failed = intent.status == "requires_payment_method" and intent.last_payment_error is not None
    return "failed" if failed or intent.status == "canceled" else None


def _amount(intent: Intent) -> int:
    """What came, once it came; what is asked for, before."""
    if intent.status == "succeeded" and intent.amount_received is not None:
        return intent.amount_received
    return intent.amount


def page_status(status: str | None) -> Literal["open", "complete", "expired"]:
    """Of a page of Checkout."""
    if status == "expired":
        return "expired"
    return "complete" if status == "complete" else "open"


def _dispute_status(status: str) -> Literal["inquiry", "open", "won", "lost"]:
    if status.startswith("warning") or status == "prevented":
        return "inquiry"
    if status == "won":
        return "won"
    return "lost" if status == "lost" else "open"


def uuid_in(text: str | None) -> UUID | None:
    """An id that we told Stripe; none if it is something else."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
