"""Facts about budgets: what was set, and which process may spend how much of a window.

The stream of a budget is named by its id. Shares stand in a stream for each window, or in one for all hours of a rolling
budget; many gateways write to it, under versions. A *share* is a part of a bucket that was lent to one lease of one gateway.
What a lease charged to its share stands in the lease's own stream.
"""

from typing import ClassVar, Literal
from uuid import UUID

from domain.budgets.window import BudgetWindow
from domain.event import Event
from domain.fact import Fact
from domain.ledger.events import Owner

Enforcement = Literal["hard", "soft"]


class BudgetSet(Fact, frozen=True, kw_only=True):
    """How much a key, or all keys of an account together, may spend in a window. It replaces what was set before."""

    TOPIC: ClassVar[str] = "budget.set.v1"

    budget_id: UUID
    account_id: UUID
    key_id: UUID | None = None  #: none: the whole account
    amount_nano: int
    window: BudgetWindow
    enforcement: Enforcement  #: `hard`: what does not fit is refused; `soft`: it is told of
    alert_percents: tuple[int, ...]  #: of the amount, in order


class BudgetRemoved(Fact, frozen=True, kw_only=True):
    """The budget is over; what was spent of it stays known."""

    TOPIC: ClassVar[str] = "budget.removed.v1"

    budget_id: UUID
    account_id: UUID
    key_id: UUID | None = None
    reason: str


class BudgetShareGranted(Event, frozen=True, kw_only=True):
    """One lease may charge so much more to this bucket."""

    TOPIC: ClassVar[str] = "budget-share.granted.v1"

    budget_id: UUID
    bucket_us: int  #: when the bucket begins
    lease_id: UUID
    account_id: UUID
    owner: Owner
    amount_nano: int
    budget_nano: int  #: the budget's amount, as its granter knew it
    occurred_us: int


class BudgetShareReturned(Event, frozen=True, kw_only=True):
    """A live lease gave back what it neither charged nor holds of its share."""

    TOPIC: ClassVar[str] = "budget-share.returned.v1"

    budget_id: UUID
    bucket_us: int
    lease_id: UUID
    amount_nano: int
    occurred_us: int


class BudgetShareSettled(Event, frozen=True, kw_only=True):
    """The lease has ended: what it charged is spent, the rest of its share is free. Anybody may store this, once."""

    TOPIC: ClassVar[str] = "budget-share.settled.v1"

    budget_id: UUID
    bucket_us: int
    lease_id: UUID
    charged_nano: int
    returned_nano: int
    occurred_us: int


BudgetEvent = BudgetSet | BudgetRemoved
ShareEvent = BudgetShareGranted | BudgetShareReturned | BudgetShareSettled

BUDGET_EVENTS: tuple[type[Fact], ...] = (BudgetSet, BudgetRemoved)
SHARE_EVENTS: tuple[type[Event], ...] = (BudgetShareGranted, BudgetShareReturned, BudgetShareSettled)


class BudgetAlertRaised(Event, frozen=True, kw_only=True):
    """What was spent in a window has come to a share of the budget. Once for each window, percentage and amount."""

    TOPIC: ClassVar[str] = "budget-alert.raised.v1"

    budget_id: UUID
    account_id: UUID
    key_id: UUID | None = None
    bucket_us: int  #: when the window's last bucket begins: of a rolling budget, the hour
    percent: int
    amount_nano: int  #: of the budget, then
    spent_nano: int  #: in the window, by the charge that crossed it
    crossed_position: int  #: of that charge, or of the setting
    occurred_us: int  #: when that happened


ALERT_EVENTS: tuple[type[Event], ...] = (BudgetAlertRaised,)
