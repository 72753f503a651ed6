"""P31: `ledger verify` and the auditor find the same faults of budgets, and nothing where nothing is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.verify import verify
from domain.budgets.events import (
    BudgetSet,
    BudgetShareGranted,
    BudgetShareReturned,
    BudgetShareSettled,
)
from domain.budgets.window import HOUR_US, BudgetWindow
from domain.event import Event
from domain.ledger.events import LeaseShareRaised, LeaseShareReturned
from domain.topics import REGISTRY
from tests.application.ledger.ledger_world import ACCOUNT, KEY, LedgerWorld, played
from tests.application.ledger.test_budgets_at_work import daily, tried
from tests.audit.exported import export
from tests.histories import ListLog, numbered
from tokenok_audit import audit

Story = list[tuple[UUID, Event]]
BUDGET = daily(100, window=BudgetWindow(kind="rolling", hours=2))


def told() -> Story:
    """Two processes spend a rolling budget over some hours; one has to give back, and leases end."""

    async def scenario(world: LedgerWorld) -> None:
        await world.first.serve(100, 60, budgets=(BUDGET,))
        assert await tried(world.second, 40, BUDGET)
        assert not await tried(world.second, 1, BUDGET)
        world.clock.move(2 * HOUR_US / 1_000_000)
        assert await tried(world.first, 100, BUDGET)

    world = played(scenario)
    set_ = BudgetSet(
        budget_id=BUDGET.budget_id,
        account_id=ACCOUNT,
        key_id=KEY,
        amount_nano=BUDGET.amount_nano,
        window=BUDGET.window,
        enforcement="hard",
        alert_percents=(),
        occurred_us=1,
        actor="system",
    )
    stored = [(one.stream_id, REGISTRY.decode(one.topic, one.state)) for one in world.store.log]
    return [(BUDGET.budget_id, set_), *stored]


def edited(kind: type[Event], **changes: Any) -> Callable[[Story], None]:
    """Another first event of a kind."""

    def edit(story: Story) -> None:
        at = next(at for at, (_, event) in enumerate(story) if isinstance(event, kind))
        stream_id, event = story[at]
        story[at] = stream_id, msgspec.structs.replace(event, **changes)

    return edit


def without(kind: type[Event]) -> Callable[[Story], None]:
    def drop(story: Story) -> None:
        del story[next(at for at, (_, event) in enumerate(story) if isinstance(event, kind))]

    return drop


FAULTS = {
    "a lease counts on more than it was lent": edited(LeaseShareRaised, amount_nano=101),
    "a lease holds more than its share": edited(LeaseShareRaised, amount_nano=99),
    "a lease was raised, and nothing lent": without(BudgetShareGranted),
    "a window lends more than the budget has": edited(BudgetShareGranted, budget_nano=99),
    "the budget takes back what the lease counts on": edited(LeaseShareReturned, amount_nano=39),
    "more comes back than was lent": edited(BudgetShareReturned, amount_nano=101),
    "a settlement forgets a charge": edited(BudgetShareSettled, charged_nano=0, returned_nano=60),
    "a settlement makes something up": edited(BudgetShareSettled, returned_nano=1),
    "nobody set the budget": without(BudgetSet),
}


def codes_of(story: Story, place: Path) -> tuple[set[str], set[str]]:
    """What the verification and the auditor find."""
    log, versions = ListLog(), dict[UUID, int]()
    for stream_id, event in story:
        versions[stream_id] = versions.get(stream_id, 0) + 1
        log.extend(numbered(stream_id, versions[stream_id], [event]))
    export(place / "export", log)
    found = {one.code for one in verify(log, REGISTRY).violations}
    return found - {"P12"}, audit(place / "export")["counts"].keys() - {"P12"}


def test_a_lawful_story_has_no_fault(tmp_path: Path) -> None:
    """Its charges have no price list, and that is all."""
    story = told()
    kinds = {type(event) for _, event in story}
    assert {BudgetShareGranted, BudgetShareReturned, BudgetShareSettled, LeaseShareReturned} <= kinds
    assert codes_of(story, tmp_path) == (set(), set())


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found_by_both(tmp_path: Path, name: str) -> None:
    """Under the same name."""
    story = told()
    FAULTS[name](story)
    assert codes_of(story, tmp_path) == ({"P31"}, {"P31"})
