"""P31 over histories of several processes, a reaper, crashes and lost replies; and the faults that would break it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from domain.budgets import book as rules
from domain.budgets.budget import Budget
from domain.budgets.events import SHARE_EVENTS
from domain.budgets.window import BudgetWindow
from domain.ledger import lease as lease_rules
from domain.ledger.events import LeaseShareRaised, LeaseShareReturned
from domain.ledger.lease import Lease
from domain.ledger.refusals import LedgerRefusal
from domain.ledger.shares import Draw, LeaseShare
from tests.model.budgets import Budgets
from tests.model.switches import Switches
from tests.model.world import Violation

PER_LEDGER_EXAMPLE = 6
EXAMPLES_MAX = (
    10_000  #: the search ends at the first violation; how soon it comes depends on which modules are loaded
)
SITUATIONS = {"refused", "lease lost", "share contended"}


@pytest.mark.timeout(1800)
def test_no_window_is_charged_more_than_it_has(model_settings: settings, model_seed: int) -> None:
    """Whoever lends itself a share from what it knows of old, whatever reply is lost, whoever dies or is fenced alive."""

    class Machine(Budgets):
        seen: ClassVar[set[str]] = set()

    fewer = settings(
        model_settings, stateful_step_count=30, max_examples=model_settings.max_examples // PER_LEDGER_EXAMPLE
    )
    run_state_machine_as_test(seed(model_seed)(Machine), settings=fewer)
    topics = {kind.TOPIC for kind in (*SHARE_EVENTS, LeaseShareRaised, LeaseShareReturned)}
    assert topics | SITUATIONS <= Machine.seen


def _grant_of_this_bucket_alone(book: rules.BudgetBook, budget: Budget, **rest: Any) -> Sequence[Any]:
    if budget.window.kind == "rolling":
        budget = replace(budget, window=BudgetWindow(kind="rolling", hours=1))
    return rules.grant_share(book, budget, **rest)


def _settle_without_charges(book: rules.BudgetBook, budget_id: Any, **rest: Any) -> Sequence[Any]:
    return rules.settle_share(book, budget_id, **(rest | {"charged_nano": 0}))


def _admit_beyond_shares(
    lease: Lease, *, draws: tuple[Draw, ...], hold_nano: int, **rest: Any
) -> Sequence[Any]:
    larger = {
        bucket: LeaseShare(share.amount_nano + hold_nano, share.charged_nano, share.held_nano)
        for bucket, share in lease.shares.items()
    }
    return lease_rules.admit(replace(lease, shares=larger), hold_nano=2 * hold_nano, draws=draws, **rest)


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "the log takes any version": ("P31", {"switches": Switches(checks_versions=False, checks_endings=False)}),
    "the lease counts on a share that is not stored": ("P31", {"budget_lends_first": False}),
    "the budget takes back what the lease counts on": ("P31", {"lease_gives_first": False}),
    "a share is settled before its lease has ended": ("P31", {"waits_for_the_end": False}),
    "what was sent arrives when something else was decided": ("P31", {"resolves_doubt": False}),
    "idle shares are not asked for": ("P27", {"asks_others": False}),
    "a grant looks at its own hour alone": (
        "P31",
        {"grant_share": staticmethod(_grant_of_this_bucket_alone)},
    ),
    "a settlement forgets the charges": ("P31", {"settle_share": staticmethod(_settle_without_charges)}),
    "a hold is larger than the share": ("P31", {"admit": staticmethod(_admit_beyond_shares)}),
}


# They take many histories: until two hours of one window are short at a time, or a reply is lost at the one moment that matters.
_SELDOM: Final = frozenset(
    {"a grant looks at its own hour alone", "what was sent arrives when something else was decided"}
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in _SELDOM else name for name in FAULTS]
)
def test_a_seeded_fault_is_caught(name: str, model_settings: settings) -> None:
    """Each rule is needed: by the property that is meant for it, by a fold that fails, or a rule that refuses to go on."""
    code, fault = FAULTS[name]
    brief = settings(
        model_settings, max_examples=EXAMPLES_MAX, phases=(Phase.generate,), report_multiple_bugs=False
    )
    with pytest.raises((Violation, LedgerRefusal)) as caught:
        run_state_machine_as_test(seed(1)(type("Machine", (Budgets,), fault)), settings=brief)
    if isinstance(caught.value, Violation):
        assert caught.value.args[0] in {code, "fold"}
