"""The tree as it grows, against the definition in RFC 6962."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from application.archive.frontier import Frontier


def merkle_tree_hash(lines: list[bytes]) -> bytes:
    """RFC 6962 2.1, as it is written there."""
    if not lines:
        return hashlib.sha256().digest()
    if len(lines) == 1:
        return hashlib.sha256(b"\x00" + lines[0]).digest()
    split = 1
    while split * 2 < len(lines):
        split *= 2
    halves = merkle_tree_hash(lines[:split]) + merkle_tree_hash(lines[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_root_is_that_of_the_definition(lines: list[bytes]) -> None:
    """After every leaf, from none on."""
    tree = Frontier()
    for count, line in enumerate(lines):
        assert tree.root() == merkle_tree_hash(lines[:count])
        tree.add(line)
    assert tree.root() == merkle_tree_hash(lines)
    assert tree.size == len(lines)


@given(st.lists(st.binary(max_size=4), max_size=40), st.lists(st.binary(max_size=4), max_size=40))
def test_a_tree_goes_on_from_its_peaks(before: list[bytes], after: list[bytes]) -> None:
    """Size and peaks are all that has to be kept of what came before."""
    old, whole = Frontier(), Frontier()
    for line in before:
        old.add(line)
    new = Frontier(old.size, old.peaks)
    for line in after:
        new.add(line)
    for line in before + after:
        whole.add(line)
    assert new.root() == whole.root()
