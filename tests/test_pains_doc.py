"""`docs/pains.md` says which test shows that a pain of others is none here."""

import re

from tests.named_tests import ROOT, gone_of, named_in

TEXT = (ROOT / "docs/pains.md").read_text()
PAINS = 25
NOT_YET: set[int] = set()
"""Whoever builds what is missing takes its number out."""


def test_every_test_that_is_named_exists() -> None:
    """A proof that was renamed or dropped is no proof."""
    assert not gone_of(TEXT)


def test_every_pain_has_tests_or_is_not_there_yet() -> None:
    """One line each, and none that only claims."""
    lines = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, PAINS + 1))
    assert {int(number) for number, line in lines if "not there yet" in line} == NOT_YET
    assert {int(number) for number, line in lines if not named_in(line)} <= NOT_YET
