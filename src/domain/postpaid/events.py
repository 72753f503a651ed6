"""Facts of what an account may owe, and of what it owes. Stream `postpaid` of the account's id.

Money is integers of the currency's minor unit (`_minor`), tax included. What is bought is an order as any other; here is only what
counts in the limit, stored in one append with the order's own facts. `reason` is an operator's words.
"""

from typing import ClassVar, Literal
from uuid import UUID

from domain.fact import Fact

Stage = Literal["due_soon", "overdue"]


class PostpaidLimitProposed(Fact, frozen=True, kw_only=True):
    """An operator wants the account to be able to buy on account, or to be able to buy more or less so. It waits for another one."""

    TOPIC: ClassVar[str] = "postpaid.limit-proposed.v1"

    account_id: UUID
    proposal_id: UUID
    currency: str
    exponent: int  #: decimals of the minor unit
    limit_minor: int  #: so much may be unpaid at a time
    days_to_pay: int
    reason: str


class PostpaidLimitApproved(Fact, frozen=True, kw_only=True):
    """Another operator agreed: the limit holds from now on, for what is bought from now on, in the place of the one before."""

    TOPIC: ClassVar[str] = "postpaid.limit-approved.v1"

    account_id: UUID
    proposal_id: UUID
    currency: str
    exponent: int
    limit_minor: int
    days_to_pay: int


class PostpaidLimitDenied(Fact, frozen=True, kw_only=True):
    """Another operator did not agree, or its proposer took it back; the limit is what it was."""

    TOPIC: ClassVar[str] = "postpaid.limit-denied.v1"

    account_id: UUID
    proposal_id: UUID
    reason: str


class PostpaidLimitLifted(Fact, frozen=True, kw_only=True):
    """Nothing more is sold on account. What was bought stays bought, and is due when it was."""

    TOPIC: ClassVar[str] = "postpaid.limit-lifted.v1"

    account_id: UUID
    reason: str


class BoughtOnAccount(Fact, frozen=True, kw_only=True):
    """An order was credited before it is paid. Stored in one append with its `RechargeCredited`."""

    TOPIC: ClassVar[str] = "postpaid.bought.v1"

    account_id: UUID
    order_id: UUID
    reference: str  #: what the customer writes on the transfer
    amount_minor: int
    currency: str
    exponent: int
    due_us: int  #: from then on it is overdue: the end of its last day, where the seller is
    unpaid_minor: int  #: of all orders, with this one; never above the limit


class AccountOrderPaid(Fact, frozen=True, kw_only=True):
    """The transfer for an order came in. Stored in one append with its `PaymentCaptured`."""

    TOPIC: ClassVar[str] = "postpaid.paid.v1"

    account_id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    unpaid_minor: int  #: of all orders that are left


class AccountOrderReduced(Fact, frozen=True, kw_only=True):
    """Unspent credit was taken back, so less is owed for the order. Stored in one append with its `RefundSucceeded`."""

    TOPIC: ClassVar[str] = "postpaid.reduced.v1"

    account_id: UUID
    order_id: UUID
    refund_id: UUID
    amount_minor: int
    currency: str
    unpaid_minor: int  #: of all orders, after it


class PaymentReminded(Fact, frozen=True, kw_only=True):
    """The customer is told that an order is to be paid soon, or should have been. Once for each stage."""

    TOPIC: ClassVar[str] = "postpaid.reminded.v1"

    account_id: UUID
    order_id: UUID
    stage: Stage
    reference: str
    amount_minor: int  #: what is unpaid of the order
    currency: str
    exponent: int
    due_us: int


LimitEvent = PostpaidLimitProposed | PostpaidLimitApproved | PostpaidLimitDenied | PostpaidLimitLifted
OwedEvent = BoughtOnAccount | AccountOrderPaid | AccountOrderReduced | PaymentReminded
PostpaidEvent = LimitEvent | OwedEvent
POSTPAID_EVENTS: tuple[type[Fact], ...] = (
    PostpaidLimitProposed,
    PostpaidLimitApproved,
    PostpaidLimitDenied,
    PostpaidLimitLifted,
    BoughtOnAccount,
    AccountOrderPaid,
    AccountOrderReduced,
    PaymentReminded,
)
