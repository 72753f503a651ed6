"""What an account may owe and what it owes, as the facts of its stream have it."""

from typing import Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.ids import stream_of
from domain.postpaid.events import (
    AccountOrderPaid,
    AccountOrderReduced,
    BoughtOnAccount,
    LimitEvent,
    OwedEvent,
    PaymentReminded,
    PostpaidEvent,
    PostpaidLimitApproved,
    PostpaidLimitDenied,
    PostpaidLimitLifted,
    PostpaidLimitProposed,
    Stage,
)

SOON_US: Final = 3 * 24 * 3600 * 1_000_000
"""So long before an order is overdue its customer is reminded of it."""
ProposalState = Literal["waiting", "approved", "denied"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that an operator wants."""

    currency: str
    exponent: int
    limit_minor: int
    days_to_pay: int
    reason: str
    proposed_by: str
    proposed_us: int
    state: ProposalState = "waiting"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that stands."""

    currency: str
    exponent: int
    limit_minor: int
    days_to_pay: int
    since_us: int


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is not paid in full."""

    reference: str
    unpaid_minor: int
    currency: str
    exponent: int
    bought_us: int
    due_us: int
    reminded: Stage | None = None

    @property
    def soon_us(self) -> int:
        """From when on it is to be paid soon: with few days to pay, in their second half."""
        return self.due_us - min(SOON_US, (self.due_us - self.bought_us) // 2)

    @property
    def remind_us(self) -> int | None:
        """When its customer is to be told of it next."""
        if self.reminded == "overdue":
            return None
        return self.due_us if self.reminded == "due_soon" else self.soon_us


class Postpaid(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an account's stream."""

    limit: Limit | None = None
    proposals: dict[UUID, Proposal] = {}
    purchases: dict[UUID, Purchase] = {}  #: by order; what is paid or taken back is none any more

    @property
    def unpaid_minor(self) -> int:
        """All of it is of one currency."""
        return sum(one.unpaid_minor for one in self.purchases.values())

    @property
    def left_minor(self) -> int:
        """So much more may be bought on account, as far as the limit goes."""
        return 0 if self.limit is None else max(self.limit.limit_minor - self.unpaid_minor, 0)

    @property
    def due_us(self) -> int | None:
        """When the first of what is unpaid is due."""
        return min((one.due_us for one in self.purchases.values()), default=None)

    @property
    def remind_us(self) -> int | None:
        """When the customer is to be told of something next."""
        times = (one.remind_us for one in self.purchases.values())
        return min((time_us for time_us in times if time_us is not None), default=None)

    def is_overdue(self, now_us: int) -> bool:
        return self.due_us is not None and self.due_us <= now_us

    @property
    def waiting(self) -> UUID | None:
        """The proposal that waits for a second operator."""
        return next((key for key, one in self.proposals.items() if one.state == "waiting"), None)


def postpaid_stream(account_id: UUID) -> UUID:
    return stream_of(account_id, "postpaid")


def evolve(postpaid: Postpaid, event: PostpaidEvent) -> Postpaid:
    """The account after one more fact."""
    if isinstance(event, LimitEvent):
        return _limited(postpaid, event)
    return replace(postpaid, purchases=_owed(dict(postpaid.purchases), event))


def _limited(postpaid: Postpaid, event: LimitEvent) -> Postpaid:
    match event:
        case PostpaidLimitProposed():
            proposal = Proposal(
                currency=event.currency,
                exponent=event.exponent,
                limit_minor=event.limit_minor,
                days_to_pay=event.days_to_pay,
                reason=event.reason,
                proposed_by=event.actor,
                proposed_us=event.occurred_us,
            )
            return replace(postpaid, proposals={**postpaid.proposals, event.proposal_id: proposal})
        case PostpaidLimitApproved():
            limit = Limit(
                currency=event.currency,
                exponent=event.exponent,
                limit_minor=event.limit_minor,
                days_to_pay=event.days_to_pay,
                since_us=event.occurred_us,
            )
            return replace(postpaid, limit=limit, proposals=_decided(postpaid, event.proposal_id, "approved"))
        case PostpaidLimitDenied():
            return replace(postpaid, proposals=_decided(postpaid, event.proposal_id, "denied"))
        case PostpaidLimitLifted():
            return replace(postpaid, limit=None)
        case _:
            assert_never(event)


def _decided(postpaid: Postpaid, proposal_id: UUID, state: ProposalState) -> dict[UUID, Proposal]:
    return {
        **postpaid.proposals,
        proposal_id: replace(postpaid.proposals[proposal_id], state=state),
    }


def _owed(purchases: dict[UUID, Purchase], event: OwedEvent) -> dict[UUID, Purchase]:
    match event:
        case BoughtOnAccount():
            purchases[event.order_id] = Purchase(
                reference=event.reference,
                unpaid_minor=event.amount_minor,
                currency=event.currency,
                exponent=event.exponent,
                bought_us=event.occurred_us,
                due_us=event.due_us,
            )
        case AccountOrderPaid() | AccountOrderReduced():
            before = purchases[event.order_id]
            left_minor = before.unpaid_minor - event.amount_minor
            purchases[event.order_id] = replace(before, unpaid_minor=left_minor)
            if not left_minor:
                del purchases[event.order_id]
        case PaymentReminded():
            purchases[event.order_id] = replace(purchases[event.order_id], reminded=event.stage)
        case _:
            assert_never(event)
    return purchases
