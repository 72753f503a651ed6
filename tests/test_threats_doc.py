"""`docs/threats.md` says which test shows that an abuse comes to nothing."""

import re

from tests.named_tests import ROOT, gone_of, named_in

TEXT = (ROOT / "docs/threats.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    """A proof that was renamed or dropped is no proof."""
    assert not gone_of(TEXT)


def test_every_abuse_has_tests() -> None:
    """One line each, and none that only claims."""
    lines = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(45, 59))
    assert all(named_in(line) for _, line in lines)
