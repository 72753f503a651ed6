"""Adjustments: what was given and taken is told of, and the same rules are found broken as by the built-in verification."""

from pathlib import Path

import pytest

from tests.application.verify import test_adjustments as seeded
from tests.audit.test_lots import audited
from tokenok_audit import Question

#: Where a lot came from and what a wallet has of one is the other program's alone.
NOT_FOUND = {
    "a lot that is taken back in part",
    "a lot that goes back where it did not come from",
    "what comes back of a lot goes back where it did not come from",
}


def test_what_was_adjusted_is_told_of(tmp_path: Path) -> None:
    """In the totals of the account and as lines of its statement, signed as it changed the balance."""
    question = Question(str(seeded.ACCOUNT), 0, 2**62)
    result = audited(tmp_path, seeded.Adjusted().story, question)
    assert result["counts"].keys() <= {"P12"}
    totals = result["accounts"][str(seeded.ACCOUNT)]
    assert (totals["granted_nano"], totals["adjusted_nano"], totals["balance_nano"]) == (1_100, -570, 530)
    lines = {(line["kind"], line["topic"]): line["amount_nano"] for line in result["statement"]["lines"]}
    assert lines == {
        ("granted", "wallet.credit-lot-granted.v1"): 1_100,
        ("adjusted", "wallet.adjustment-posted.v1"): -470,
        ("adjusted", "wallet.credit-lot-voided.v1"): -10,
        ("adjusted", "wallet.lease-reduced.v1"): -20,
        ("adjusted", "wallet.lease-settled.v1"): -70,
    }
    assert result["statement"]["closing_nano"] == 530


@pytest.mark.parametrize("name", sorted(seeded.FAULTS.keys() - NOT_FOUND))
def test_a_fault_is_found(tmp_path: Path, name: str) -> None:
    """Under the same name."""
    code, fault = seeded.FAULTS[name]
    story = seeded.Adjusted().story
    fault(story)
    assert code in audited(tmp_path, story)["counts"]
