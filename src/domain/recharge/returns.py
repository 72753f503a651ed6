"""What goes back of an order, as its facts have it: refunds that we asked for, those made at the provider, and disputes."""

from typing import Literal, assert_never

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

RefundEvent = RefundRequested | RefundApproved | RefundSubmitted | RefundSucceeded | RefundFailed
DisputeEvent = DisputeOpened | DisputeFundsWithdrawn | DisputeFundsReinstated | DisputeWon | DisputeLost
RefundState = Literal["requested", "approved", "submitted", "succeeded", "failed"]
DisputeState = Literal["open", "won", "lost"]


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that we asked for."""

    amount_minor: int
    credits_nano: int
    state: RefundState
    requested_by: str
    refund_ref: str | None = None
    tax_minor: int = 0  #: of it; none is fixed before it is approved
    was_paid: bool = False  #: it has succeeded, whatever came of it later


class External(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that we did not ask for."""

    amount_minor: int
    credits_nano: int
    tax_minor: int
    reversed: bool = False


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute; `transactions` are the movements of money that are known of it."""

    amount_minor: int
    credits_nano: int
    tax_minor: int = 0  #: of what is lost
    taken_nano: int = 0  #: of the credit, when it is lost
    state: DisputeState = "open"
    transactions: frozenset[str] = frozenset()


def refund_after(refund: Refund | None, event: RefundEvent) -> Refund:
    """The refund after one more fact."""
    if isinstance(event, RefundRequested):
        return Refund(
            amount_minor=event.amount_minor,
            credits_nano=event.credits_nano,
            state="requested",
            requested_by=event.actor,
        )
    assert refund is not None, "the first fact of a refund asks for it"
    match event:
        case RefundApproved():
            return replace(refund, state="approved", tax_minor=event.tax.tax_minor)
        case RefundSubmitted():
            return replace(refund, state="submitted", refund_ref=event.refund_ref)
        case RefundSucceeded():
            return replace(refund, state="succeeded", refund_ref=event.refund_ref, was_paid=True)
        case RefundFailed():
            return replace(refund, state="failed")
        case _:
            assert_never(event)


def external_after(event: ExternalRefundObserved | ExternalRefundReversed) -> External:
    """A refund of somebody else's after its last fact, which says all of it."""
    return External(
        amount_minor=event.amount_minor,
        credits_nano=event.credits_nano,
        tax_minor=event.tax.tax_minor,
        reversed=isinstance(event, ExternalRefundReversed),
    )


def dispute_after(dispute: Dispute | None, event: DisputeEvent) -> Dispute:
    """The dispute after one more fact."""
    if isinstance(event, DisputeOpened):
        return Dispute(amount_minor=event.amount_minor, credits_nano=event.credits_nano)
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
