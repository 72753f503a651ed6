"""Reviews and late usage: told of in the account's totals, and the same rules are found broken as by the built-in verification."""

from pathlib import Path

import pytest

from tests.application.verify import test_charges as seeded
from tests.audit.test_lots import audited

#: How and when a request that was not held ended is the other program's alone: this one reads each event once.
NOT_FOUND = {
    "begins with what was not paid",
    "is of a request that does not end there",
    "is disputed too late",
}


def test_a_lawful_story_is_clean_and_told_of(tmp_path: Path) -> None:
    """What was corrected is in the totals as adjusted, and what the operator bore in the trial balance."""
    result = audited(tmp_path, seeded.told())
    assert result["counts"] == {}
    (totals,) = result["accounts"].values()
    assert (totals["charged_nano"], totals["adjusted_nano"], totals["balance_nano"]) == (82, 15, 333)
    borne = {row["kind"]: row["balance_nano"] for row in result["trial_balance"]}
    assert borne["shortfall"] == 0


@pytest.mark.parametrize("name", sorted(seeded.FAULTS.keys() - NOT_FOUND))
def test_a_fault_is_found(tmp_path: Path, name: str) -> None:
    """Under the same name."""
    code, fault = seeded.FAULTS[name]
    story = seeded.told()
    fault(story)
    assert code in audited(tmp_path, story)["counts"]
