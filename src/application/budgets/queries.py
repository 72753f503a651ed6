"""What surfaces may ask about budgets: what is spent and held of each in its present window, and which alerts were raised.

Answers lag behind the log by a moment; nothing is refused by them.
"""

from typing import Protocol
from uuid import UUID

import msgspec

from domain.budgets.budget import Budget


class BudgetUse(msgspec.Struct, frozen=True, kw_only=True):
    """A budget and its present window. A request counts where it was admitted."""

    budget: Budget
    from_us: int  #: the window: from <= t < until
    until_us: int
    spent_nano: int
    held_nano: int  #: by requests that are open
    left_nano: int  #: neither; below zero where a soft budget was passed
    requests: int


class BudgetAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised; fields as in the event."""

    position: int
    budget_id: UUID
    account_id: UUID
    key_id: UUID | None
    bucket_us: int
    percent: int
    amount_nano: int
    spent_nano: int
    occurred_us: int


class BudgetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Budgets in force, by id. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[BudgetUse, ...]
    next_after: UUID | None


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[BudgetAlert, ...]
    next_before: int | None


class BudgetQueries(Protocol):
    """As last projected."""

    def budgets(
        self,
        *,
        now_us: int,
        account_id: UUID | None = None,
        key_id: UUID | None = None,
        after: UUID | None = None,
        limit: int = 100,
    ) -> BudgetPage:
        """Those of all, of one account and its keys, or of one key."""
        ...

    def alerts(
        self, *, account_id: UUID | None = None, before_position: int | None = None, limit: int = 100
    ) -> AlertPage: ...
