"""An automatic recharge that its rule did not allow is found by `ledger verify` and by the audit program."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from application.verify import render_text
from domain.auto_recharge.events import (
    AutoRechargeBegun,
    AutoRechargeDeclined,
    AutoRechargePaid,
    AutoRechargeSet,
    AutoRechargeTried,
    MethodPageOpened,
    MethodSaved,
)
from domain.event import Event
from domain.recharge.events import RechargeCredited, RechargeOrderPlaced
from domain.topics import REGISTRY
from tests.application.auto_recharge.automatic import automatic
from tests.application.verify.test_lots import Story, check, edit
from tests.audit.test_lots import audited

GROSS_MINOR = 11_900


def story() -> Story:
    """A lawful one, by the real rounds: a recharge that is declined, and two that are paid; more is not allowed in the month."""
    world = automatic(cap_minor=2 * GROSS_MINOR)
    world.provider.saved.outcome = "failed"
    world.round()
    world.clock.move(3600)
    world.provider.saved.outcome, world.balance_nano = "captured", 5
    for _ in range(3):
        world.round()
    told: Story = [(one.stream_id, REGISTRY.decode(one.topic, one.state)) for one in world.store.log]
    return [(stream_id, _moved(event, told)) for stream_id, event in told]


def _moved(event: Event, told: Story) -> Event:
    """Where a story's events stand in the log that it becomes, is not where they stood."""
    if not isinstance(event, AutoRechargePaid):
        return event
    at = next(
        number
        for number, (_, other) in enumerate(told)
        if isinstance(other, RechargeCredited) and other.order_id == event.order_id
    )
    return msgspec.structs.replace(event, credited_position=1 + 3 * at)


def _place(told: Story, kind: type[Event], at: int = 0) -> int:
    return [number for number, (_, event) in enumerate(told) if isinstance(event, kind)][at]


def drop(kind: type[Event], at: int = 0) -> Callable[[Story], None]:
    return lambda told: told.__delitem__(_place(told, kind, at))


def again(kind: type[Event]) -> Callable[[Story], None]:
    def fault(told: Story) -> None:
        at = _place(told, kind)
        told.insert(at + 1, told[at])

    return fault


FAULTS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "without a rule": ("C03", drop(AutoRechargeSet)),
    "without a way to pay": ("C03", drop(MethodSaved)),
    "a way to pay from nowhere": ("C03", drop(MethodPageOpened)),
    "beside an open order": ("C03", drop(AutoRechargeDeclined)),
    "before the wait is over": ("C03", edit(AutoRechargeTried, 1, occurred_us=1_764_000_000_000_001)),
    "for a balance that is not low": ("C03", edit(AutoRechargeTried, balance_nano=20_000_000_000)),
    "by another threshold": ("C03", edit(AutoRechargeTried, threshold_nano=20_000_000_001)),
    "by another cap": ("C03", edit(AutoRechargeTried, cap_minor=10**9)),
    "in another month": ("C03", edit(AutoRechargeTried, month="2025-10")),
    "in another currency": ("C03", edit(AutoRechargeTried, currency="USD")),
    "beyond the cap": ("C03", edit(AutoRechargeTried, 1, amount_minor=3 * GROSS_MINOR)),
    "of less use than there is": ("C03", edit(AutoRechargeTried, 2, used_minor=GROSS_MINOR)),
    "under another number": ("C03", edit(AutoRechargeTried, order_id=UUID(int=5))),
    "an order of another sum": ("C03", edit(RechargeOrderPlaced, amount_minor=GROSS_MINOR + 1)),
    "an order of nobody": ("C03", drop(RechargeOrderPlaced, 1)),
    "a second payment": ("C03", again(AutoRechargeBegun)),
    "paid and not credited": ("C03", edit(AutoRechargePaid, credited_position=1)),
    "paid twice": ("C03", again(AutoRechargePaid)),
    "a shorter wait": ("C03", edit(AutoRechargeDeclined, retry_us=1)),
    "a decline too many": ("C03", edit(AutoRechargeDeclined, declines=2)),
    "a rule of another account": ("L03", edit(AutoRechargeSet, account_id=UUID(int=5))),
}


def test_a_lawful_story_is_clean(tmp_path: Path) -> None:
    """By both programs."""
    told = story()
    assert [type(event) for _, event in told].count(AutoRechargeTried) == 3
    report = check(told)
    assert report.ok, render_text(report)
    assert audited(tmp_path, told)["counts"] == {}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_both(tmp_path: Path, name: str) -> None:
    """Under the same code."""
    code, fault = FAULTS[name]
    told = story()
    fault(told)
    assert code in check(told).counts
    assert code in audited(tmp_path, told)["counts"]
