"""The auditor's tree against RFC 6962 word for word."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.sealing import naive
from tokenok_audit import Tree, leaf_hash, root_of_inclusion, roots_of_consistency

LEAVES = [hashlib.sha256(b"\x00%d" % number).digest() for number in range(150)]
sizes = st.integers(1, len(LEAVES))


def test_the_known_roots() -> None:
    """The roots of the reference implementation's test data: nothing, one empty leaf, and eight leaves."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, expected in roots.items():
        tree = Tree()
        for data in inputs[:size]:
            tree.add(leaf_hash(bytes.fromhex(data)))
        assert tree.root().hex() == expected


@given(size=st.integers(0, len(LEAVES)))
def test_a_tree_that_grows_has_the_root_of_the_whole(size: int) -> None:
    """Leaf by leaf, at every size."""
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree.add(leaf)
    assert tree.root() == naive.mth(LEAVES[:size])


@given(size=sizes, data=st.data())
def test_a_proof_of_inclusion_leads_to_the_root(size: int, data: st.DataObject) -> None:
    """For every leaf; and with another leaf, number or size to none or to another root."""
    number = data.draw(st.integers(0, size - 1))
    path = naive.path(number, LEAVES[:size])
    root = naive.mth(LEAVES[:size])
    assert root_of_inclusion(LEAVES[number], number, size, path) == root
    assert root_of_inclusion(LEAVES[number - 1], number, size, path) != root or size == 1
    assert root_of_inclusion(LEAVES[number], size, size, path) is None
    assert root_of_inclusion(LEAVES[number], number, size, [*path, root]) is None
    if path:
        assert root_of_inclusion(LEAVES[number], number, size, path[:-1]) is None


@given(second=st.integers(2, len(LEAVES)), data=st.data())
def test_a_proof_of_consistency_leads_to_both_roots(second: int, data: st.DataObject) -> None:
    """P22: for any two sizes; and no proof makes the beginning of another log the beginning of this one."""
    first = data.draw(st.integers(1, second - 1))
    path = naive.proof(first, LEAVES[:second])
    old, new = naive.mth(LEAVES[:first]), naive.mth(LEAVES[:second])
    assert roots_of_consistency(old, first, second, path) == (old, new)
    forked = naive.mth([LEAVES[-1], *LEAVES[1:first]])
    assert roots_of_consistency(forked, first, second, path) != (forked, new)
    assert roots_of_consistency(old, first, second, [*path, new]) is None
    assert roots_of_consistency(old, first, second, path[:-1]) != (old, new)
    assert roots_of_consistency(old, second, second, path) is None
