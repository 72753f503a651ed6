"""Facts of an account's automatic recharges: stream `auto-recharge` of the account.

What is bought, paid and credited is an order like any other (`domain.recharge`); here is why it was placed, and what came of
it. A `_ref` is a provider's own id; nothing of a card is here but its brand. Money is integers of the currency's minor unit,
tax included unless a name says otherwise.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.fact import Fact
from domain.recharge.events import Mode

StopReason = Literal["asked", "not_offered", "method_forgotten"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When to recharge, and how much."""

    threshold_nano: int  #: a balance below it is low
    amount_minor: int  #: as it is offered; tax may come on top
    currency: str
    cap_minor: int  #: for all automatic recharges of a calendar month together, tax included
    zone: str  #: whose months they are
    country: str | None  #: of the buyer, for tax, where the account's documents name none


# --- ways to pay


class MethodPageOpened(Fact, frozen=True, kw_only=True):
    """The provider has a page on which the customer may leave a way to pay."""

    TOPIC: ClassVar[str] = "auto-recharge.method-page-opened.v1"

    account_id: UUID
    provider: str
    mode: Mode
    session_ref: str
    expires_us: int


class MethodSaved(Fact, frozen=True, kw_only=True):
    """The provider keeps a way to pay, which the customer lets us use without them. It replaces the one before."""

    TOPIC: ClassVar[str] = "auto-recharge.method-saved.v1"

    account_id: UUID
    provider: str
    mode: Mode
    session_ref: str  #: the page that it was left on
    method_ref: str
    customer_ref: str  #: whose it is there
    brand: str  #: such as `visa`


class MethodForgotten(Fact, frozen=True, kw_only=True):
    """It is not to be used any more."""

    TOPIC: ClassVar[str] = "auto-recharge.method-forgotten.v1"

    account_id: UUID
    provider: str
    method_ref: str


# --- the rule


class AutoRechargeSet(Fact, frozen=True, kw_only=True):
    """From now on a low balance is recharged by this rule; it replaces the one before."""

    TOPIC: ClassVar[str] = "auto-recharge.set.v1"

    account_id: UUID
    rule: Rule


class AutoRechargeStopped(Fact, frozen=True, kw_only=True):
    """Nothing is recharged any more until the rule is set again. An order that is under way goes on."""

    TOPIC: ClassVar[str] = "auto-recharge.stopped.v1"

    account_id: UUID
    reason: StopReason


# --- recharges


class AutoRechargeTried(Fact, frozen=True, kw_only=True):
    """The balance was low: an order was placed, in the same append."""

    TOPIC: ClassVar[str] = "auto-recharge.tried.v1"

    account_id: UUID
    order_id: UUID
    provider: str
    amount_minor: int
    currency: str
    month: str  #: such as 2026-11, in which it counts
    used_minor: int  #: of the month's cap, this order included
    cap_minor: int
    balance_nano: int
    threshold_nano: int
    seen_position: int  #: of the newest event in that balance


class AutoRechargeBegun(Fact, frozen=True, kw_only=True):
    """The provider knows of the order's payment; nothing is taken before this is stored, and by no other payment."""

    TOPIC: ClassVar[str] = "auto-recharge.begun.v1"

    account_id: UUID
    order_id: UUID
    payment_ref: str


class AutoRechargeNeedsCustomer(Fact, frozen=True, kw_only=True):
    """The customer's bank wants to hear from them. The order waits for them to pay it as any other."""

    TOPIC: ClassVar[str] = "auto-recharge.needs-customer.v1"

    account_id: UUID
    order_id: UUID


class AutoRechargePaid(Fact, frozen=True, kw_only=True):
    """The order is credited."""

    TOPIC: ClassVar[str] = "auto-recharge.paid.v1"

    account_id: UUID
    order_id: UUID
    credited_position: int  #: where the log has it; a balance from before says nothing about now


class AutoRechargeDeclined(Fact, frozen=True, kw_only=True):
    """The order came to nothing."""

    TOPIC: ClassVar[str] = "auto-recharge.declined.v1"

    account_id: UUID
    order_id: UUID
    reason: str  #: in the provider's words, or what became of the order
    declines: int  #: in a row
    retry_us: int | None  #: not before; none: it is off now, as if stopped


class AutoRechargeCapReached(Fact, frozen=True, kw_only=True):
    """The balance is low, and another recharge would go beyond the month's cap. Said once in a month of one cap."""

    TOPIC: ClassVar[str] = "auto-recharge.cap-reached.v1"

    account_id: UUID
    month: str
    currency: str
    used_minor: int
    cap_minor: int


AutoRechargeEvent = (
    MethodPageOpened
    | MethodSaved
    | MethodForgotten
    | AutoRechargeSet
    | AutoRechargeStopped
    | AutoRechargeTried
    | AutoRechargeBegun
    | AutoRechargeNeedsCustomer
    | AutoRechargePaid
    | AutoRechargeDeclined
    | AutoRechargeCapReached
)
AUTO_RECHARGE_EVENTS: tuple[type[Fact], ...] = (
    MethodPageOpened,
    MethodSaved,
    MethodForgotten,
    AutoRechargeSet,
    AutoRechargeStopped,
    AutoRechargeTried,
    AutoRechargeBegun,
    AutoRechargeNeedsCustomer,
    AutoRechargePaid,
    AutoRechargeDeclined,
    AutoRechargeCapReached,
)
