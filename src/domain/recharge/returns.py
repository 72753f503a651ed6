"""What goes back of an order, as its facts have it: refunds that customers want, that we asked for, that were made at the
provider, and disputes.
"""

from typing import Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.recharge.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    ExternalRefundObserved,
    ExternalRefundReversed,
    RefundApproved,
    RefundFailed,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
)
from domain.recharge.request_events import (
    RefundRequestAccepted,
    RefundRequestDeclined,
    RefundRequestEvent,
    RefundRequestFiled,
    RefundRequestWithdrawn,
    RequestReason,
)

RefundEvent = RefundRequested | RefundApproved | RefundSubmitted | RefundSucceeded | RefundFailed
ExternalEvent = ExternalRefundObserved | ExternalRefundReversed
DisputeEvent = DisputeOpened | DisputeFundsWithdrawn | DisputeFundsReinstated | DisputeWon | DisputeLost
RefundState = Literal["requested", "approved", "submitted", "succeeded", "failed"]
DisputeState = Literal["open", "won", "lost"]
RequestState = Literal["open", "withdrawn", "accepted", "declined"]


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that the customer asked for. An accepted one is a refund with the same id, or with `made_as`."""

    reason: RequestReason
    unspent_minor: int
    filed_us: int
    state: RequestState = "open"
    decided_us: int | None = None
    declined_because: str | None = None
    made_as: UUID | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that we asked for."""

    amount_minor: int
    credits_nano: int
    state: RefundState
    requested_by: str
    requested_us: int
    reason: str
    refund_ref: str | None = None
    tax_minor: int = 0  #: of it; none is fixed before it is approved
    was_paid: bool = False  #: it has succeeded, whatever came of it later
    set_off: bool = False  #: against what is owed for the order


class External(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that we did not ask for."""

    amount_minor: int
    credits_nano: int
    tax_minor: int
    seen_us: int  #: of the last fact about it
    reversed: bool = False


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute; `transactions` are the movements of money that are known of it."""

    amount_minor: int
    credits_nano: int
    opened_us: int
    reason: str  #: the provider's word for it
    due_us: int | None  #: until when evidence is taken
    tax_minor: int = 0  #: of what is lost
    taken_nano: int = 0  #: of the credit, when it is lost
    state: DisputeState = "open"
    transactions: frozenset[str] = frozenset()


def request_after(request: RefundRequest | None, event: RefundRequestEvent) -> RefundRequest:
    """The customer's request after one more fact."""
    if isinstance(event, RefundRequestFiled):
        return RefundRequest(
            reason=event.reason, unspent_minor=event.unspent_minor, filed_us=event.occurred_us
        )
    assert request is not None, "the first fact of a request files it"
    decided = replace(request, decided_us=event.occurred_us)
    match event:
        case RefundRequestWithdrawn():
            return replace(decided, state="withdrawn")
        case RefundRequestAccepted():
            return replace(decided, state="accepted", made_as=event.made_as or None)
        case RefundRequestDeclined():
            return replace(decided, state="declined", declined_because=event.reason)
        case _:
            assert_never(event)


def refund_after(refund: Refund | None, event: RefundEvent) -> Refund:
    """The refund after one more fact."""
    if isinstance(event, RefundRequested):
        return Refund(
            amount_minor=event.amount_minor,
            credits_nano=event.credits_nano,
            state="requested",
            requested_by=event.actor,
            requested_us=event.occurred_us,
            reason=event.reason,
        )
    assert refund is not None, "the first fact of a refund asks for it"
    match event:
        case RefundApproved():
            return replace(refund, state="approved", tax_minor=event.tax.tax_minor)
        case RefundSubmitted():
            return replace(refund, state="submitted", refund_ref=event.refund_ref)
        case RefundSucceeded():
            return replace(
                refund,
                state="succeeded",
                refund_ref=event.refund_ref,
                was_paid=True,
                set_off=event.set_off is True,
            )
        case RefundFailed():
            return replace(refund, state="failed")
        case _:
            assert_never(event)


def external_after(event: ExternalEvent) -> External:
    """A refund of somebody else's after its last fact, which says all of it."""
    return External(
        amount_minor=event.amount_minor,
        credits_nano=event.credits_nano,
        tax_minor=event.tax.tax_minor,
        seen_us=event.occurred_us,
        reversed=isinstance(event, ExternalRefundReversed),
    )


def dispute_after(dispute: Dispute | None, event: DisputeEvent) -> Dispute:
    """The dispute after one more fact."""
    if isinstance(event, DisputeOpened):
        return Dispute(
            amount_minor=event.amount_minor,
            credits_nano=event.credits_nano,
            opened_us=event.occurred_us,
            reason=event.reason,
            due_us=event.due_us,
        )
    assert dispute is not None, "the first fact of a dispute opens it"
    match event:
        case DisputeFundsWithdrawn() | DisputeFundsReinstated():
            return replace(dispute, transactions=dispute.transactions | {event.transaction_ref})
        case DisputeWon():
            return replace(dispute, state="won")
        case DisputeLost():
            return replace(
                dispute, state="lost", tax_minor=event.tax.tax_minor, taken_nano=event.credits_nano
            )
        case _:
            assert_never(event)
