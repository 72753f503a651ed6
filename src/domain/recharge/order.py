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
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    PaymentCaptured,
    PaymentFailed,
    PaymentMismatched,
    PaymentProcessing,
    RechargeCredited,
    RechargeOrderPlaced,
    SettlementDenied,
    SettlementProposed,
)
from domain.recharge.request_events import RefundRequestEvent
from domain.recharge.returns import (
    Dispute,
    DisputeEvent,
    External,
    ExternalEvent,
    Refund,
    RefundEvent,
    RefundRequest,
    dispute_after,
    external_after,
    refund_after,
    request_after,
)
from domain.refusal import NotFound

PaymentEvent = PaymentProcessing | PaymentFailed | PaymentCaptured | PaymentMismatched | RechargeCredited
ReturnEvent = ExternalEvent | RefundEvent | DisputeEvent | RefundRequestEvent
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
MANUAL: Final = "manual"
"""The provider of orders that are paid by bank transfer."""
INVOICE: Final = "invoice"
"""The provider of orders on account: credited at once, and paid by bank transfer later."""
BY_TRANSFER: Final = frozenset({MANUAL, INVOICE})
"""Money comes from a bank, and goes back there, as operators say."""


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
    external: dict[str, External] = {}  #: by the provider's id
    disputes: dict[str, Dispute] = {}
    requests: dict[UUID, RefundRequest] = {}  #: of the customer's
    paid: PaymentCaptured | None = None  #: of an order on account

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
        return ours + self.external_minor

    @property
    def external_minor(self) -> int:
        """What providers paid back without our asking."""
        return sum(one.amount_minor for one in self.external.values() if not one.reversed)

    @property
    def taken_minor(self) -> int:
        """What is not ours any more, or may soon not be: refunds, and disputes that are not won."""
        disputed = sum(one.amount_minor for one in self.disputes.values() if one.state != "won")
        return self.refunded_minor + disputed

    @property
    def gone_nano(self) -> int:
        """Credit that is taken back for good, or promised to a refund."""
        ours = sum(one.credits_nano for one in self.refunds.values() if one.state != "failed")
        external = sum(one.credits_nano for one in self.external.values() if not one.reversed)
        return ours + external + sum(one.taken_nano for one in self.disputes.values())

    @property
    def gone_tax_minor(self) -> int:
        """Tax of what has gone back, of approved refunds too."""
        ours = sum(one.tax_minor for one in self.refunds.values() if one.state != "failed")
        external = sum(one.tax_minor for one in self.external.values() if not one.reversed)
        return ours + external + sum(one.tax_minor for one in self.disputes.values())

    def tells_of(self, *, object_ref: str, line_ref: str) -> bool:
        """Whether facts of the order tell of a line of the provider's: of the refund, or that a dispute moved money by it."""
        ours = any(one.was_paid and one.refund_ref == object_ref for one in self.refunds.values())
        external = self.external.get(object_ref)
        moved = any(line_ref in one.transactions for one in self.disputes.values())
        return ours or moved or (external is not None and external.amount_minor > 0)

    @property
    def waits_for_second(self) -> bool:
        """A second operator is asked about a transfer or a refund."""
        asked = any(one.state == "requested" for one in self.refunds.values())
        return self.proposal is not None or asked

    @property
    def open_request(self) -> UUID | None:
        """The refund that the customer wants and nobody has decided about."""
        return next((key for key, one in self.requests.items() if one.state == "open"), None)

    @property
    def refunds_under_way(self) -> bool:
        """The provider is to be asked about a refund."""
        return any(one.state in {"approved", "submitted"} for one in self.refunds.values())

    @property
    def disputes_open(self) -> bool:
        """The provider is to be asked how a dispute ends."""
        return any(one.state == "open" for one in self.disputes.values())

    @property
    def owed_minor(self) -> int:
        """What is to be paid of an order on account: all of it but what was taken back before."""
        if self.credited is None or self.placed.provider != INVOICE or self.paid is not None:
            return 0
        set_off = sum(one.amount_minor for one in self.refunds.values() if one.set_off)
        return self.credited.gross_minor - set_off

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
        back_minor = sum(back) + self.external_minor
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
    if isinstance(event, ReturnEvent):
        return _returning(order, event)
    if isinstance(event, PaymentEvent):
        return _paying(order, event)
    return replace(order, **_waiting(order, event))


def _returning(order: Order, event: ReturnEvent) -> Order:
    if isinstance(event, ExternalEvent):
        return replace(order, external={**order.external, event.refund_ref: external_after(event)})
    if isinstance(event, RefundEvent):
        refund = refund_after(order.refunds.get(event.refund_id), event)
        return replace(order, refunds={**order.refunds, event.refund_id: refund})
    if isinstance(event, RefundRequestEvent):
        request = request_after(order.requests.get(event.refund_id), event)
        return replace(order, requests={**order.requests, event.refund_id: request})
    dispute = dispute_after(order.disputes.get(event.dispute_ref), event)
    return replace(order, disputes={**order.disputes, event.dispute_ref: dispute})


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


def _settling(order: Order, event: PaymentCaptured | PaymentMismatched) -> PaymentCaptured | None:
    """Which payment pays an order on account."""
    if isinstance(event, PaymentCaptured) and order.placed.provider == INVOICE:
        return event
    return order.paid


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
                paid=_settling(order, event),
            )
        case RechargeCredited():
            # Of other payments only those that brought money matter from now on, whether they are seen before or after.
            kept = {ref: state for ref, state in order.payments.items() if ref in order.captured_minor}
            return replace(order, credited=event, payments=kept)
        case _:
            assert_never(event)
