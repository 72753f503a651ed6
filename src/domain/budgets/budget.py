"""A budget as it is set: an amount for each window, hard or soft. Its window and what it is for never change."""

from typing import Final, assert_never
from uuid import UUID

import msgspec

from domain.budgets.events import BudgetEvent, BudgetRemoved, BudgetSet, Enforcement
from domain.budgets.window import BudgetWindow, checked_window
from domain.fact import Stamp
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.refusal import BadField, NotFound, WrongState
from domain.text import REASON_CHARS_MAX, printable

ALERT_PERCENTS: Final = (80, 100)
ALERTS_MAX: Final = 10
_PERCENT_MAX: Final = 1_000


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a budget's stream."""

    budget_id: UUID
    account_id: UUID
    key_id: UUID | None
    amount_nano: int
    window: BudgetWindow
    enforcement: Enforcement
    alert_percents: tuple[int, ...]
    removed: bool = False

    @property
    def is_hard(self) -> bool:
        return self.enforcement == "hard"

    @property
    def subject_id(self) -> UUID:
        """The key, or the account, whose charges count."""
        return self.account_id if self.key_id is None else self.key_id


class BudgetTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be set."""

    account_id: UUID
    key_id: UUID | None
    amount_nano: int
    window: BudgetWindow
    enforcement: Enforcement
    alert_percents: tuple[int, ...]


def evolve(budget: Budget | None, event: BudgetEvent) -> Budget:
    """The budget after one more fact."""
    match event:
        case BudgetSet():
            return Budget(
                budget_id=event.budget_id,
                account_id=event.account_id,
                key_id=event.key_id,
                amount_nano=event.amount_nano,
                window=event.window,
                enforcement=event.enforcement,
                alert_percents=event.alert_percents,
            )
        case BudgetRemoved():
            assert budget is not None, "a budget's stream starts with BudgetSet"
            return msgspec.structs.replace(budget, removed=True)
        case _:
            assert_never(event)


def set_budget(
    budget: Budget | None, *, budget_id: UUID, terms: BudgetTerms, stamp: Stamp
) -> list[BudgetEvent]:
    """Set a new budget, or another amount or other alerts of one; as it is already, nothing.

    Raises:
        BadField: an amount, percentage or window that cannot be, or something of a budget that never changes.
        WrongState: it was removed.
    """
    if not 1 <= terms.amount_nano <= AMOUNT_NANO_MAX:
        raise BadField("amount_nano", f"must be between 1 and {AMOUNT_NANO_MAX}")
    terms = msgspec.structs.replace(
        terms, window=checked_window(terms.window), alert_percents=_checked_percents(terms.alert_percents)
    )
    if budget is not None:
        _require_same_kind(budget, terms)
        if (terms.amount_nano, terms.alert_percents) == (budget.amount_nano, budget.alert_percents):
            return []
    return [
        BudgetSet(
            budget_id=budget_id,
            account_id=terms.account_id,
            key_id=terms.key_id,
            amount_nano=terms.amount_nano,
            window=terms.window,
            enforcement=terms.enforcement,
            alert_percents=terms.alert_percents,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def remove(budget: Budget | None, *, reason: str, stamp: Stamp) -> list[BudgetEvent]:
    """End a budget; removing it twice does nothing.

    Raises:
        NotFound: there is no such budget.
        BadField: the reason is empty or cannot be shown.
    """
    if budget is None:
        raise NotFound("budget")
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if budget.removed:
        return []
    return [
        BudgetRemoved(
            budget_id=budget.budget_id,
            account_id=budget.account_id,
            key_id=budget.key_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _require_same_kind(budget: Budget, terms: BudgetTerms) -> None:
    if budget.removed:
        raise WrongState("budget", "removed")
    for field in ("account_id", "key_id", "window", "enforcement"):
        if getattr(budget, field) != getattr(terms, field):
            raise BadField(field, "of a budget never changes: remove it, and set another")


def _checked_percents(percents: tuple[int, ...]) -> tuple[int, ...]:
    if len(percents) > ALERTS_MAX:
        raise BadField("alert_percents", f"has more than {ALERTS_MAX} numbers")
    if any(not 1 <= percent <= _PERCENT_MAX for percent in percents):
        raise BadField("alert_percents", f"must be between 1 and {_PERCENT_MAX}")
    return tuple(sorted(set(percents)))
