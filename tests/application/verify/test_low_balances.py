"""A low balance that was not crossed, or is told of twice, is found by `ledger verify` and by the audit program."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.verify import render_text
from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet, crossing_stream, threshold_stream
from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.credit import LotConditions
from tests.application.verify.test_adjustments import FIRST, Adjusted, again, replaced
from tests.application.verify.test_lots import ACCOUNT, AT, Story, check
from tests.audit.test_lots import audited

LOT = UUID(int=81)


class Low(Adjusted):
    """1,000 are granted and 600 taken, under a threshold of 500 for all; then 450 for the account, which is above; then 300."""

    def _tell(self) -> None:
        self._set(None, 500)
        self._grant(LOT, 1_000, LotConditions())
        self._adjust(UUID(int=82), "debit", 600)
        crossed = self._position()
        self._set(ACCOUNT, 300)
        self._set(ACCOUNT, 450)
        at_once = self._position()
        self._told(crossed, 500, 400)
        self._told(at_once, 450, 400)

    def _position(self) -> int:
        return 1 + 3 * (len(self.story) - 1)

    def _set(self, account_id: UUID | None, threshold_nano: int) -> None:
        fact = BalanceLowSet(
            account_id=account_id, threshold_nano=threshold_nano, occurred_us=AT, actor=FIRST.label
        )
        self.story.append((threshold_stream(account_id), fact))

    def _told(self, position: int, threshold_nano: int, balance_nano: int) -> None:
        fact = BalanceLowCrossed(
            account_id=ACCOUNT,
            threshold_nano=threshold_nano,
            balance_nano=balance_nano,
            crossed_position=position,
            occurred_us=AT,
        )
        self.story.append((crossing_stream(ACCOUNT, position), fact))


def told_before_its_time(story: Story) -> None:
    at = next(number for number, (_, event) in enumerate(story) if isinstance(event, AdjustmentRequested))
    story.insert(at, story.pop())


FAULTS: dict[str, tuple[str, Any]] = {
    "another balance": ("B01", replaced(BalanceLowCrossed, balance_nano=399)),
    "another threshold": ("B01", replaced(BalanceLowCrossed, threshold_nano=501)),
    "another place": ("B01", replaced(BalanceLowCrossed, crossed_position=1)),
    "twice": ("B01", again(BalanceLowCrossed)),
    "before it was crossed": ("B01", told_before_its_time),
    "the threshold of another": ("L03", replaced(BalanceLowSet, 1, account_id=UUID(int=5))),
}


def test_a_lawful_story_is_clean(tmp_path: Path) -> None:
    """Told of where it was crossed, by a movement and by a setting."""
    story = Low().story
    report = check(story)
    assert report.ok, render_text(report)
    assert audited(tmp_path, story)["counts"] == {}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_both(tmp_path: Path, name: str) -> None:
    """Under the same code."""
    code, fault = FAULTS[name]
    story = Low().story
    fault(story)
    assert code in check(story).counts
    assert code in audited(tmp_path, story)["counts"]
