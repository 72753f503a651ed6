"""An order as its facts have it. What a provider says may come in any order, so the state is made of sets and of ranks
that only ever go up; `status` is read off it.
"""

from typing import Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.ids import stream_of
from domain.recharge.events import (
    CheckoutSessionExpired,
    CheckoutSessionOpened,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    ExternalRefundObserved,
    ExternalRefundReversed,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    PaymentCaptured,
    PaymentFailed,
    PaymentMismatched,
    PaymentProcessing,
    RechargeCredited,
    RechargeOrderPlaced,
    RefundApproved,
    RefundFailed,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
    SettlementDenied,
    SettlementProposed,
)
from domain.refusal import NotFound

PaymentEvent = PaymentProcessing | PaymentFailed | PaymentCaptured | PaymentMismatched | RechargeCredited
RefundEvent = (
    RefundRequested
    | RefundApproved
    | RefundSubmitted
    | RefundSucceeded
    | RefundFailed
    | ExternalRefundObserved
    | ExternalRefundReversed
)
DisputeEvent = DisputeOpened | DisputeFundsWithdrawn | DisputeFundsReinstated | DisputeWon | DisputeLost
WaitingEvent = (
    CheckoutSessionOpened
    | CheckoutSessionExpired
    | OrderCancelled
    | OrderExpired
    | SettlementProposed
    | SettlementDenied
)

OrderStatus = Literal[
    "placed",
    "session_open",
    "processing",
    "failed",
    "cancelled",
    "expired",
    "credited",
    "partly_refunded",
    "refunded",
    "disputed",
]
PaymentState = Literal["processing", "failed", "captured", "mismatched"]
RefundState = Literal["requested", "approved", "submitted", "succeeded", "failed"]
DisputeState = Literal["open", "won", "lost"]
MANUAL: Final = "manual"
"""The provider of orders that are paid by bank transfer."""


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that we asked for."""

    amount_minor: int
    credits_nano: int
    state: RefundState
    requested_by: str
    refund_ref: str | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute; `transactions` are the movements of money that are known of it."""

    amount_minor: int
    credits_nano: int
    state: DisputeState = "open"
    transactions: frozenset[str] = frozenset()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an order's stream."""

    placed: RechargeOrderPlaced
    sessions: dict[str, bool] = {}  #: by the provider's id: whether it is open
    payments: dict[str, PaymentState] = {}  #: by the provider's id
    captured_minor: dict[str, int] = {}  #: what the provider has of each payment, matching or not
    credited: RechargeCredited | None = None
    ended: Literal["cancelled", "expired"] | None = None
    proposal: SettlementProposed | None = None  #: that waits for a second operator
    refunds: dict[UUID, Refund] = {}
    external: dict[str, int] = {}  #: refunds that we did not ask for, by the provider's id; 0 once reversed
    disputes: dict[str, Dispute] = {}

    @property
    def order_id(self) -> UUID:
        return self.placed.order_id

    @property
    def account_id(self) -> UUID:
        return self.placed.account_id

    @property
    def refunded_minor(self) -> int:
        """What has gone back, or will unless it fails."""
        ours = sum(one.amount_minor for one in self.refunds.values() if one.state != "failed")
        return ours + sum(self.external.values())

    @property
    def taken_minor(self) -> int:
        """What is not ours any more, or may soon not be: refunds, and disputes that are not won."""
        disputed = sum(one.amount_minor for one in self.disputes.values() if one.state != "won")
        return self.refunded_minor + disputed

    @property
    def is_waiting(self) -> bool:
        """Somebody may still pay it in time."""
        return self.credited is None and self.ended is None

    @property
    def status(self) -> OrderStatus:
        if self.credited is not None:
            return self._status_after_credit()
        states = set(self.payments.values())
        if "processing" in states:
            return "processing"
        if self.ended is not None:
            return self.ended
        if any(self.sessions.values()):
            return "session_open"
        return "failed" if "failed" in states else "placed"

    def _status_after_credit(self) -> OrderStatus:
        assert self.credited is not None, "asked only then"
        if any(one.state != "won" for one in self.disputes.values()):
            return "disputed"
        back = [one.amount_minor for one in self.refunds.values() if one.state == "succeeded"]
        back_minor = sum(back) + sum(self.external.values())
        if not back_minor:
            return "credited"
        return "refunded" if back_minor >= self.credited.gross_minor else "partly_refunded"


def order_stream(order_id: UUID) -> UUID:
    return stream_of(order_id, "order")


def lot_of(order_id: UUID) -> UUID:
    """The id of the lot that an order buys: whatever happens, there is no second one."""
    return stream_of(order_id, "lot")


def existing(order: Order | None, order_id: UUID) -> Order:
    """The order.

    Raises:
        NotFound: it was never placed.
    """
    if order is None:
        raise NotFound("order", order_id)
    return order


def evolve(order: Order | None, event: OrderEvent) -> Order:
    """The order after one more fact."""
    if isinstance(event, RechargeOrderPlaced):
        assert order is None, "an order is placed once"
        return Order(placed=event)
    assert order is not None, "the first fact of a stream places the order"
    if isinstance(event, RefundEvent):
        return _refunding(order, event)
    if isinstance(event, DisputeEvent):
        return _disputing(order, event)
    if isinstance(event, PaymentEvent):
        return _paying(order, event)
    return replace(order, **_waiting(order, event))


def _waiting(order: Order, event: WaitingEvent) -> dict[str, object]:
    changes: dict[str, object]
    match event:
        case CheckoutSessionOpened():
            changes = {"sessions": {event.session_ref: True, **order.sessions}}
        case CheckoutSessionExpired():
            changes = {"sessions": {**order.sessions, event.session_ref: False}}
        case OrderCancelled():
            changes = {"ended": "cancelled"}
        case OrderExpired():
            changes = {"ended": "expired"}
        case SettlementProposed():
            changes = {"proposal": event}
        case SettlementDenied():
            changes = {"proposal": None}
        case _:
            assert_never(event)
    return changes


def _paying(order: Order, event: PaymentEvent) -> Order:
    match event:
        case PaymentProcessing():
            return replace(order, payments={**order.payments, event.payment_ref: "processing"})
        case PaymentFailed():
            return replace(order, payments={**order.payments, event.payment_ref: "failed"})
        case PaymentCaptured() | PaymentMismatched():
            state = "captured" if isinstance(event, PaymentCaptured) else "mismatched"
            return replace(
                order,
                payments={**order.payments, event.payment_ref: state},
                captured_minor={**order.captured_minor, event.payment_ref: event.gross_minor},
                proposal=None,
            )
        case RechargeCredited():
            # Of other payments only those that brought money matter from now on, whether they are seen before or after.
            kept = {ref: state for ref, state in order.payments.items() if ref in order.captured_minor}
            return replace(order, credited=event, payments=kept)
        case _:
            assert_never(event)


def _refunding(order: Order, event: RefundEvent) -> Order:
    if isinstance(event, ExternalRefundObserved | ExternalRefundReversed):
        minor = event.amount_minor if isinstance(event, ExternalRefundObserved) else 0
        return replace(order, external={**order.external, event.refund_ref: minor})
    if isinstance(event, RefundRequested):
        refund = Refund(
            amount_minor=event.amount_minor,
            credits_nano=event.credits_nano,
            state="requested",
            requested_by=event.actor,
        )
    else:
        refund = _further(order.refunds[event.refund_id], event)
    return replace(order, refunds={**order.refunds, event.refund_id: refund})


def _further(
    refund: Refund, event: RefundApproved | RefundSubmitted | RefundSucceeded | RefundFailed
) -> Refund:
    match event:
        case RefundApproved():
            return replace(refund, state="approved")
        case RefundSubmitted():
            return replace(refund, state="submitted", refund_ref=event.refund_ref)
        case RefundSucceeded():
            return replace(refund, state="succeeded", refund_ref=event.refund_ref)
        case RefundFailed():
            return replace(refund, state="failed")
        case _:
            assert_never(event)


def _disputing(order: Order, event: DisputeEvent) -> Order:
    if isinstance(event, DisputeOpened):
        dispute = Dispute(amount_minor=event.amount_minor, credits_nano=event.credits_nano)
    else:
        dispute = order.disputes[event.dispute_ref]
    match event:
        case DisputeOpened():
            pass
        case DisputeFundsWithdrawn() | DisputeFundsReinstated():
            dispute = replace(dispute, transactions=dispute.transactions | {event.transaction_ref})
        case DisputeWon():
            dispute = replace(dispute, state="won")
        case DisputeLost():
            dispute = replace(dispute, state="lost")
        case _:
            assert_never(event)
    return replace(order, disputes={**order.disputes, event.dispute_ref: dispute})
