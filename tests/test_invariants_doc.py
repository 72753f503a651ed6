"""`docs/invariants.md` says which test proves what."""

import re

from tests.named_tests import ROOT, gone_of, named_in

TEXT = (ROOT / "docs/invariants.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    """A proof that was renamed or dropped is no proof."""
    assert len(named_in(TEXT)) > 40
    assert not gone_of(TEXT)


def test_every_invariant_has_its_line() -> None:
    """None is forgotten, and what is not there yet says so."""
    told: set[int] = set()
    for first, last in re.findall(r"^\| P(\d\d)(?:-P(\d\d))? \|", TEXT, re.MULTILINE):
        told |= set(range(int(first), int(last or first) + 1))
    assert told == set(range(1, 33))
