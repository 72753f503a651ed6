"""What goes back of orders, as it is shown: refunds and disputes, of one order or of all. Money is minor units of the currency."""

from collections.abc import Iterator
from typing import Final, Literal, Protocol, get_args
from uuid import UUID

import msgspec

from domain.recharge.order import Order
from domain.recharge.returns import DisputeState, RefundState

ReturnKind = Literal["refund", "dispute"]
ShownState = RefundState | DisputeState | Literal["external", "reversed"]
SHOWN_STATES: Final[tuple[ShownState, ...]] = tuple(
    state for part in get_args(ShownState) for state in get_args(part)
)
_OPEN: frozenset[ShownState] = frozenset({"requested", "approved", "submitted", "open"})


class RefundShown(msgspec.Struct, frozen=True, kw_only=True):
    """A refund: one of ours by its id, or one that was made at the provider, by the provider's."""

    refund_id: UUID | None
    refund_ref: str | None
    state: RefundState | Literal["external", "reversed"]
    amount_minor: int
    tax_minor: int
    credits_nano: int
    requested_by: str | None
    since_us: int  #: when it was asked for, or last seen at the provider
    reason: str | None
    set_off: bool = False  #: the order was not paid, so less is owed for it and no money went back


class DisputeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute, by the provider's id."""

    dispute_ref: str
    state: DisputeState
    amount_minor: int
    credits_nano: int
    since_us: int
    reason: str  #: the provider's word for it
    due_us: int | None  #: until when evidence is taken


class ReturnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refund or a dispute with the order that it is of."""

    kind: ReturnKind
    ref: str  #: our id of a refund; the provider's of others
    state: ShownState
    order_id: UUID
    account_id: UUID
    provider: str
    mode: str
    reference: str
    amount_minor: int
    currency: str
    exponent: int
    credits_nano: int
    since_us: int
    due_us: int | None
    reason: str | None
    requested_by: str | None

    @property
    def is_open(self) -> bool:
        """It waits for somebody, or for a provider."""
        return self.state in _OPEN


class ReturnFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which to list; an unset field allows all."""

    is_open: bool = False  #: only those that are
    kind: ReturnKind | None = None
    state: ShownState | None = None
    account_id: UUID | None = None
    order_id: UUID | None = None
    provider: str | None = None

    def allows(self, row: ReturnRow) -> bool:
        """As far as it is about the refund or dispute itself, not about its order."""
        return (
            (row.is_open or not self.is_open)
            and self.kind in (None, row.kind)
            and self.state in (None, row.state)
        )


class ReturnPage(msgspec.Struct, frozen=True, kw_only=True):
    """By their orders, newest order first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[ReturnRow, ...]
    next_before: int | None


class ReturnQueries(Protocol):
    """Blocking; safe to use from threads. As last projected."""

    def returns(
        self, wanted: ReturnFilter, *, before_position: int | None = None, limit: int = 100
    ) -> ReturnPage:
        """What goes back of at most `limit` orders, capped at `PAGE_ROWS_MAX`.

        A page may be empty and yet not the last: only so many orders are looked through for it.
        """
        ...


def refunds_of(order: Order) -> tuple[RefundShown, ...]:
    """Ours, then those that were made at the provider."""
    ours = (
        RefundShown(
            refund_id=refund_id,
            refund_ref=one.refund_ref,
            state=one.state,
            amount_minor=one.amount_minor,
            tax_minor=one.tax_minor,
            credits_nano=one.credits_nano,
            requested_by=one.requested_by,
            since_us=one.requested_us,
            reason=one.reason,
            set_off=one.set_off,
        )
        for refund_id, one in order.refunds.items()
    )
    others = (
        RefundShown(
            refund_id=None,
            refund_ref=ref,
            state="reversed" if one.reversed else "external",
            amount_minor=one.amount_minor,
            tax_minor=one.tax_minor,
            credits_nano=one.credits_nano,
            requested_by=None,
            since_us=one.seen_us,
            reason=None,
        )
        for ref, one in order.external.items()
    )
    return (*ours, *others)


def disputes_of(order: Order) -> tuple[DisputeShown, ...]:
    return tuple(
        DisputeShown(
            dispute_ref=ref,
            state=one.state,
            amount_minor=one.amount_minor,
            credits_nano=one.credits_nano,
            since_us=one.opened_us,
            reason=one.reason,
            due_us=one.due_us,
        )
        for ref, one in order.disputes.items()
    )


def rows_of(order: Order) -> Iterator[ReturnRow]:
    """One for each."""
    for refund in refunds_of(order):
        ref = str(refund.refund_id) if refund.refund_id else refund.refund_ref or ""
        yield _row(order, refund, kind="refund", ref=ref, requested_by=refund.requested_by)
    for dispute in disputes_of(order):
        yield _row(order, dispute, kind="dispute", ref=dispute.dispute_ref, due_us=dispute.due_us)


def _row(
    order: Order,
    one: RefundShown | DisputeShown,
    *,
    kind: ReturnKind,
    ref: str,
    due_us: int | None = None,
    requested_by: str | None = None,
) -> ReturnRow:
    placed = order.placed
    return ReturnRow(
        kind=kind,
        ref=ref,
        state=one.state,
        order_id=order.order_id,
        account_id=order.account_id,
        provider=placed.provider,
        mode=placed.mode,
        reference=placed.reference,
        amount_minor=one.amount_minor,
        currency=placed.currency,
        exponent=placed.exponent,
        credits_nano=one.credits_nano,
        since_us=one.since_us,
        due_us=due_us,
        reason=one.reason,
        requested_by=requested_by,
    )
