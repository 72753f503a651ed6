"""What may be set as a budget, and what of it may change."""

from typing import Any

import msgspec
import pytest

from domain.budgets import budget as rules
from domain.budgets.budget import Budget, BudgetTerms
from domain.budgets.events import BudgetEvent, BudgetRemoved
from domain.budgets.window import BudgetWindow
from domain.refusal import BadField, NotFound, WrongState
from tests.domain.budgets.budget_facts import BUDGET, DAY, STAMP, budget_set
from tests.domain.ledger.facts import ACCOUNT, KEY, NOW
from tests.spec import Spec

SPEC: Spec[Budget | None] = Spec(rules.evolve, initial=None)
TERMS = BudgetTerms(
    account_id=ACCOUNT,
    key_id=KEY,
    amount_nano=100,
    window=DAY,
    enforcement="hard",
    alert_percents=(80, 100),
)
REMOVED = BudgetRemoved(
    budget_id=BUDGET, account_id=ACCOUNT, key_id=KEY, reason="enough", occurred_us=NOW, actor="system"
)


def set_to(budget: Budget | None, **terms: Any) -> list[BudgetEvent]:
    changed = msgspec.structs.replace(TERMS, **terms)
    return rules.set_budget(budget, budget_id=BUDGET, terms=changed, stamp=STAMP)


def remove(budget: Budget | None) -> list[BudgetEvent]:
    return rules.remove(budget, reason=" enough ", stamp=STAMP)


def test_a_budget_is_set_once() -> None:
    """A command that is repeated changes nothing."""
    SPEC.given().when(set_to).then(budget_set())
    SPEC.given(budget_set()).when(set_to).then_nothing()


def test_amount_and_alerts_may_change() -> None:
    """Percentages are kept once each, in order."""
    SPEC.given(budget_set()).when(lambda one: set_to(one, amount_nano=7)).then(budget_set(7))
    (
        SPEC.given(budget_set())
        .when(lambda one: set_to(one, alert_percents=(100, 50, 100)))
        .then(budget_set(alert_percents=(50, 100)))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"enforcement": "soft"},
        {"window": BudgetWindow(kind="month")},
        {"window": BudgetWindow(kind="day", zone="Asia/Tokyo")},
        {"key_id": None},
        {"account_id": KEY},
    ],
)
def test_what_a_budget_counts_never_changes(change: dict[str, Any]) -> None:
    """What was counted before would mean something else."""
    (field,) = change
    SPEC.given(budget_set()).when(lambda one: set_to(one, **change)).then_refused(BadField, field=field)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount_nano": 0}, "amount_nano"),
        ({"amount_nano": 2**63}, "amount_nano"),
        ({"alert_percents": (0,)}, "alert_percents"),
        ({"alert_percents": (1_001,)}, "alert_percents"),
        ({"alert_percents": tuple(range(1, 12))}, "alert_percents"),
        ({"window": BudgetWindow(kind="rolling", hours=0)}, "hours"),
    ],
)
def test_what_cannot_be_a_budget_is_refused(terms: dict[str, Any], field: str) -> None:
    """Nothing is stored that a gateway could not go by."""
    SPEC.given().when(lambda one: set_to(one, **terms)).then_refused(BadField, field=field)


def test_a_budget_that_was_removed_is_over() -> None:
    """Removing it again does nothing; setting it again is refused."""
    SPEC.given(budget_set()).when(remove).then(REMOVED)
    SPEC.given(budget_set(), REMOVED).when(remove).then_nothing()
    SPEC.given(budget_set(), REMOVED).when(set_to).then_refused(WrongState)
    SPEC.given().when(remove).then_refused(NotFound)
