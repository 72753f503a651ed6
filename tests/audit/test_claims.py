"""Credit whose payment goes back: told of in the totals, and the same rules are found broken as by the built-in verification."""

from pathlib import Path

import pytest

from tests.application.verify import test_claims as seeded
from tests.audit.test_lots import audited

#: Where a lot came from is the other program's alone.
NOT_FOUND = {
    "it is taken to where it did not come from",
    "it is restored from where it did not go",
}


def test_what_went_back_is_told_of(tmp_path: Path) -> None:
    """What customers have is what the wallet says, and what is owed stands in the books."""
    told = seeded.GoneBack()
    result = audited(tmp_path, told.story)
    assert result["counts"].keys() <= {"P12"}
    totals = result["accounts"][str(seeded.ACCOUNT)]
    assert totals["balance_nano"] == told.wallet.posted_nano
    books = {row["kind"]: row["balance_nano"] for row in result["trial_balance"]}
    assert (books["receivable"], books["written_off"]) == (-told.wallet.owed_nano, -50)
    assert books["frozen"] == told.wallet.frozen_nano


@pytest.mark.parametrize("name", sorted(seeded.FAULTS.keys() - NOT_FOUND))
def test_a_fault_is_found(tmp_path: Path, name: str) -> None:
    """Under the same name."""
    code, fault = seeded.FAULTS[name]
    story = seeded.GoneBack().story
    fault(story)
    assert code in audited(tmp_path, story)["counts"]
