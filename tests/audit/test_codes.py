"""Codes: the same faults are found as by the built-in verification."""

from pathlib import Path

import pytest

from tests.application.verify import test_codes as seeded
from tests.audit.test_lots import audited


def test_a_lawful_story_is_clean(tmp_path: Path) -> None:
    """Nothing is found."""
    assert audited(tmp_path, seeded.story())["counts"] == {}


@pytest.mark.parametrize("name", sorted(seeded.FAULTS))
def test_a_fault_is_found(tmp_path: Path, name: str) -> None:
    """Under the same name."""
    story = seeded.story()
    seeded.FAULTS[name](story)
    assert "C01" in audited(tmp_path, story)["counts"]
