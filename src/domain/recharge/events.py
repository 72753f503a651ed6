"""Facts of one order, from its placing to the last refund or dispute. Stream `order` of the order's id.

Money is integers of the currency's minor unit (`_minor`, tax included unless a name says otherwise), credit is
nano-credits. A `_ref` is a provider's own id. Nothing here names a person: `evidence` and `reason` are an operator's words
and say where a proof is kept.

What a provider says reaches the stream as observations (`domain.recharge.observing`), in any order and any number of
times; a fact is stored once.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.event import Event
from domain.fact import Fact
from domain.recharge.offers import TaxQuote
from domain.recharge.request_events import REFUND_REQUEST_EVENTS, RefundRequestEvent

Mode = Literal["live", "test"]
UnsetMode = (
    Mode | msgspec.UnsetType
)  #: of facts that did not tell it at first; none was stored before they did


class RechargeOrderPlaced(Fact, frozen=True, kw_only=True):
    """An account wants to buy credit on these terms; nothing is paid yet."""

    TOPIC: ClassVar[str] = "order.placed.v1"

    order_id: UUID
    account_id: UUID
    provider: str  #: who takes the money, such as `stripe`; `manual` for a bank transfer, `invoice` for one that comes later
    mode: Mode
    amount_minor: int
    currency: str
    exponent: int  #: decimals of the minor unit
    credits_nano: int  #: bonus included
    bonus_nano: int
    rate_num: int  #: so many nano-credits ...
    rate_den: int  #: ... for so many minor units
    tax: TaxQuote
    reference: str  #: what the customer writes on a transfer
    approval_minor: int | None  #: a transfer of so much or more needs a second operator
    expires_us: int  #: of an order on account: from then on it is overdue


class CheckoutSessionOpened(Fact, frozen=True, kw_only=True):
    """The provider has a page on which this order can be paid."""

    TOPIC: ClassVar[str] = "order.session-opened.v1"

    order_id: UUID
    session_ref: str
    idempotency_key: str  #: under which the provider was asked for it
    expires_us: int


class CheckoutSessionExpired(Fact, frozen=True, kw_only=True):
    """The provider's page is gone; the order itself may still be paid in another way."""

    TOPIC: ClassVar[str] = "order.session-expired.v1"

    order_id: UUID
    session_ref: str


class PaymentProcessing(Fact, frozen=True, kw_only=True):
    """The customer has done their part and the money is on its way; nothing is credited."""

    TOPIC: ClassVar[str] = "order.payment-processing.v1"

    order_id: UUID
    payment_ref: str
    method: str


class PaymentFailed(Fact, frozen=True, kw_only=True):
    """This payment came to nothing. Another one, or the provider's later word on this one, may still pay the order."""

    TOPIC: ClassVar[str] = "order.payment-failed.v1"

    order_id: UUID
    payment_ref: str
    reason: str


class PaymentCaptured(Fact, frozen=True, kw_only=True):
    """The provider has the money, or the bank has, and every part of the order matches."""

    TOPIC: ClassVar[str] = "order.payment-captured.v1"

    order_id: UUID
    provider: str
    mode: Mode
    payment_ref: str
    gross_minor: int
    currency: str
    fee_minor: int | None  #: what the provider keeps, where it was known by then
    method: str
    evidence: str  #: of a transfer: where its proof is kept


class PaymentMismatched(Fact, frozen=True, kw_only=True):
    """The provider has money for this order that does not match it: nothing is credited, and somebody must look."""

    TOPIC: ClassVar[str] = "order.payment-mismatched.v1"

    order_id: UUID
    provider: str
    payment_ref: str
    gross_minor: int
    currency: str
    mode: Mode
    what: tuple[str, ...]  #: `amount`, `currency`, `mode`, `provider`, `account`, `second_payment`


class RechargeCredited(Fact, frozen=True, kw_only=True):
    """The order is fulfilled: stored in one append with the wallet's `CreditLotGranted`. At most one for an order."""

    TOPIC: ClassVar[str] = "order.credited.v1"

    order_id: UUID
    account_id: UUID
    lot_id: UUID
    credits_nano: int
    provider: str
    mode: Mode
    payment_ref: str  #: of an order on account, which is not paid yet, its reference
    currency: str
    exponent: int
    gross_minor: int
    tax: TaxQuote


class OrderCancelled(Fact, frozen=True, kw_only=True):
    """Nobody waits for a payment any more. One that comes in nevertheless is credited."""

    TOPIC: ClassVar[str] = "order.cancelled.v1"

    order_id: UUID
    reason: str


class OrderExpired(Fact, frozen=True, kw_only=True):
    """It was not paid in time. A payment that comes in nevertheless is credited."""

    TOPIC: ClassVar[str] = "order.expired.v1"

    order_id: UUID


# --- transfers, which an operator confirms


class SettlementProposed(Fact, frozen=True, kw_only=True):
    """An operator has found the transfer; a second one is asked to look too, for it is large."""

    TOPIC: ClassVar[str] = "order.settlement-proposed.v1"

    order_id: UUID
    payment_ref: str  #: the bank's own id of the transfer
    gross_minor: int
    currency: str
    evidence: str


class SettlementDenied(Fact, frozen=True, kw_only=True):
    """The second operator did not agree; the order waits for a payment again."""

    TOPIC: ClassVar[str] = "order.settlement-denied.v1"

    order_id: UUID
    payment_ref: str
    reason: str


# --- refunds


class RefundRequested(Fact, frozen=True, kw_only=True):
    """So much shall go back; the credit for it is frozen in the same append, so it can be spent no more."""

    TOPIC: ClassVar[str] = "order.refund-requested.v1"

    order_id: UUID
    refund_id: UUID
    amount_minor: int
    credits_nano: int
    reason: str


class RefundApproved(Fact, frozen=True, kw_only=True):
    """The provider may be asked to pay it back."""

    TOPIC: ClassVar[str] = "order.refund-approved.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    tax: TaxQuote  #: of what goes back
    provider: str | msgspec.UnsetType = msgspec.UNSET
    mode: UnsetMode = msgspec.UNSET


class RefundSubmitted(Fact, frozen=True, kw_only=True):
    """The provider has taken the order to pay back; of a bank transfer: the bank has."""

    TOPIC: ClassVar[str] = "order.refund-submitted.v1"

    order_id: UUID
    refund_id: UUID
    refund_ref: str
    idempotency_key: str


class RefundSucceeded(Fact, frozen=True, kw_only=True):
    """The money has gone back, or is owed no more, and the frozen credit with it. A credit note is due."""

    TOPIC: ClassVar[str] = "order.refund-succeeded.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    provider: str
    refund_ref: str
    amount_minor: int
    currency: str
    tax: TaxQuote  #: of what went back
    credits_nano: int
    mode: UnsetMode = msgspec.UNSET
    evidence: str | msgspec.UnsetType = msgspec.UNSET  #: of a transfer: where its proof is kept
    set_off: bool | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: true: the order is not paid yet, so less is owed for it and no money went back


class RefundFailed(Fact, frozen=True, kw_only=True):
    """It was denied, or the money could not be paid back: the credit is the customer's again."""

    TOPIC: ClassVar[str] = "order.refund-failed.v1"

    order_id: UUID
    refund_id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    tax: TaxQuote  #: of what did not go back
    approved: bool  #: whether the provider may have been asked
    reason: str
    provider: str | msgspec.UnsetType = msgspec.UNSET
    mode: UnsetMode = msgspec.UNSET
    succeeded: bool | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: true: it had succeeded before, and the money came back


class ExternalRefundObserved(Fact, frozen=True, kw_only=True):
    """The provider paid back without our asking. The credit for it is taken; what was spent of it is owed. A credit note
    is due.
    """

    TOPIC: ClassVar[str] = "order.external-refund-observed.v1"

    order_id: UUID
    account_id: UUID
    provider: str
    refund_ref: str
    amount_minor: int
    currency: str
    tax: TaxQuote  #: of what went back
    credits_nano: int
    mode: UnsetMode = msgspec.UNSET


class ExternalRefundReversed(Fact, frozen=True, kw_only=True):
    """The provider's own refund came to nothing after all; the credit that was taken for it is given back. All amounts are
    nothing where it was never seen to succeed.
    """

    TOPIC: ClassVar[str] = "order.external-refund-reversed.v1"

    order_id: UUID
    account_id: UUID
    provider: str
    refund_ref: str
    amount_minor: int
    currency: str
    tax: TaxQuote
    credits_nano: int
    mode: UnsetMode = msgspec.UNSET


# --- disputes


class DisputeOpened(Fact, frozen=True, kw_only=True):
    """The customer's bank wants the money back. Credit that is left of the order is frozen."""

    TOPIC: ClassVar[str] = "order.dispute-opened.v1"

    order_id: UUID
    account_id: UUID
    dispute_ref: str
    amount_minor: int
    currency: str
    credits_nano: int  #: what was bought with that amount
    reason: str
    due_us: int | None  #: until when evidence is taken


class DisputeFundsWithdrawn(Fact, frozen=True, kw_only=True):
    """The provider has taken the money back for the time being."""

    TOPIC: ClassVar[str] = "order.dispute-funds-withdrawn.v1"

    order_id: UUID
    dispute_ref: str
    provider: str
    transaction_ref: str
    amount_minor: int
    fee_minor: int
    currency: str
    mode: UnsetMode = msgspec.UNSET


class DisputeFundsReinstated(Fact, frozen=True, kw_only=True):
    """The provider has paid the money to us again."""

    TOPIC: ClassVar[str] = "order.dispute-funds-reinstated.v1"

    order_id: UUID
    dispute_ref: str
    provider: str
    transaction_ref: str
    amount_minor: int
    fee_minor: int  #: negative where a fee was given back
    currency: str
    mode: UnsetMode = msgspec.UNSET


class DisputeWon(Fact, frozen=True, kw_only=True):
    """The money stays with us; the frozen credit is the customer's again."""

    TOPIC: ClassVar[str] = "order.dispute-won.v1"

    order_id: UUID
    account_id: UUID
    dispute_ref: str


class DisputeLost(Fact, frozen=True, kw_only=True):
    """The money is gone, and the frozen credit with it; what was spent of it is owed. A credit note is due."""

    TOPIC: ClassVar[str] = "order.dispute-lost.v1"

    order_id: UUID
    account_id: UUID
    provider: str
    dispute_ref: str
    amount_minor: int
    currency: str
    tax: TaxQuote  #: of what is lost
    credits_nano: int
    mode: UnsetMode = msgspec.UNSET


# --- stream `payment:{provider}:{ref}`: one event


class PaymentClaimed(Event, frozen=True, kw_only=True):
    """This payment belongs to this order and pays for no other one. Stored in one append with `PaymentCaptured`."""

    TOPIC: ClassVar[str] = "payment.claimed.v1"

    provider: str
    mode: Mode
    payment_ref: str
    order_id: UUID
    occurred_us: int


OrderEvent = (
    RechargeOrderPlaced
    | CheckoutSessionOpened
    | CheckoutSessionExpired
    | PaymentProcessing
    | PaymentFailed
    | PaymentCaptured
    | PaymentMismatched
    | RechargeCredited
    | OrderCancelled
    | OrderExpired
    | SettlementProposed
    | SettlementDenied
    | RefundRequested
    | RefundApproved
    | RefundSubmitted
    | RefundSucceeded
    | RefundFailed
    | ExternalRefundObserved
    | ExternalRefundReversed
    | DisputeOpened
    | DisputeFundsWithdrawn
    | DisputeFundsReinstated
    | DisputeWon
    | DisputeLost
    | RefundRequestEvent
)
ORDER_EVENTS: tuple[type[Fact], ...] = (
    RechargeOrderPlaced,
    CheckoutSessionOpened,
    CheckoutSessionExpired,
    PaymentProcessing,
    PaymentFailed,
    PaymentCaptured,
    PaymentMismatched,
    RechargeCredited,
    OrderCancelled,
    OrderExpired,
    SettlementProposed,
    SettlementDenied,
    RefundRequested,
    RefundApproved,
    RefundSubmitted,
    RefundSucceeded,
    RefundFailed,
    ExternalRefundObserved,
    ExternalRefundReversed,
    DisputeOpened,
    DisputeFundsWithdrawn,
    DisputeFundsReinstated,
    DisputeWon,
    DisputeLost,
    *REFUND_REQUEST_EVENTS,
)
PAYMENT_EVENTS: tuple[type[Event], ...] = (PaymentClaimed,)
