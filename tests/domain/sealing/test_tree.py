"""Roots and proofs of RFC 6962: known vectors, a naive tree, and everything that must not pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sealing.checking import BadProof, check_consistency, root_by_inclusion
from domain.sealing.tree import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    leaf_hash,
    perfect_root,
    root,
)
from tests.domain.sealing import naive

#: The leaves and the roots of their beginnings that implementations of Certificate Transparency test against.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZE_MAX = 70

places = st.integers(1, SIZE_MAX).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))
pairs = st.integers(1, SIZE_MAX).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size)))


@pytest.mark.parametrize(("size", "wanted"), list(enumerate(ROOTS, start=1)))
def test_roots_are_those_of_certificate_transparency(size: int, wanted: str) -> None:
    """The published roots come out of the published leaves."""
    subtrees = naive.subtrees_of([leaf_hash(line) for line in LEAVES[:size]])
    assert root(subtrees, size).hex() == wanted


def test_the_inclusion_path_is_that_of_certificate_transparency() -> None:
    """A published path: of leaf 5 in the tree of 8."""
    path = inclusion_path(naive.subtrees_of([leaf_hash(line) for line in LEAVES]), 5, 8)
    assert [digest.hex() for digest in path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_a_tree_without_leaves_has_the_empty_hash_as_root() -> None:
    """RFC 6962 2.1 says so."""
    assert root(naive.subtrees_of([]), 0) == EMPTY_ROOT == naive.mth([])


@given(size=st.integers(1, SIZE_MAX))
def test_a_root_is_the_naive_one(size: int) -> None:
    """Adding up perfect subtrees gives what the recursion of the RFC gives."""
    leaves = naive.some_leaves(size)
    assert root(naive.subtrees_of(leaves), size) == naive.mth(leaves)


@given(height=st.integers(0, 6))
def test_a_perfect_root_is_the_naive_one(height: int) -> None:
    """Level by level gives the same as from the top."""
    leaves = naive.some_leaves(1 << height)
    assert perfect_root(leaves) == naive.mth(leaves)


@given(place=places)
def test_an_inclusion_path_is_the_naive_one_and_leads_to_the_root(place: tuple[int, int]) -> None:
    """What is made is what the RFC says, and what checks it needs nothing else."""
    index, size = place
    leaves = naive.some_leaves(size)
    path = inclusion_path(naive.subtrees_of(leaves), index, size)
    assert path == naive.path(index, leaves)
    assert root_by_inclusion(leaves[index], index=index, size=size, path=path) == naive.mth(leaves)


@given(pair=pairs)
def test_a_consistency_path_is_the_naive_one_and_shows_the_beginning(pair: tuple[int, int]) -> None:
    """P22, first half: between any two sizes of one log there is a proof."""
    old_size, size = pair
    leaves = naive.some_leaves(size)
    path = consistency_path(naive.subtrees_of(leaves), old_size, size)
    assert path == naive.proof(old_size, leaves)
    check_consistency(
        old_size=old_size,
        old_root=naive.mth(leaves[:old_size]),
        size=size,
        root=naive.mth(leaves),
        path=path,
    )


@given(place=places, data=st.data())
def test_a_path_proves_no_other_leaf_and_no_other_place(place: tuple[int, int], data: st.DataObject) -> None:
    """Another leaf, another number, a changed, missing or added hash: the root is not reached."""
    index, size = place
    leaves = naive.some_leaves(size)
    path = naive.path(index, leaves)
    forged = data.draw(_forged_paths(path)) if data.draw(st.booleans()) else path
    leaf = leaves[index] if forged != path else naive.some_leaves(1, salt=b"another")[0]
    assert not _is_included(leaf, index, size, forged, naive.mth(leaves))
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index)) if size > 1 else size
    assert not _is_included(leaves[index], other, size, path, naive.mth(leaves))


@given(pair=pairs, data=st.data())
def test_a_fork_cannot_be_shown_to_be_consistent(pair: tuple[int, int], data: st.DataObject) -> None:
    """P22, second half: once one old leaf differs, no path of either log's making is accepted."""
    old_size, size = pair
    leaves = naive.some_leaves(size)
    changed = data.draw(st.integers(0, old_size - 1))
    fork = [*leaves[:changed], *naive.some_leaves(1, salt=b"fork"), *leaves[changed + 1 :]]
    honest, forged = naive.proof(old_size, leaves), naive.proof(old_size, fork)
    old_root = naive.mth(leaves[:old_size])
    for path in (honest, forged, *(data.draw(_forged_paths(one)) for one in (honest, forged))):
        with pytest.raises(BadProof):
            check_consistency(
                old_size=old_size, old_root=old_root, size=size, root=naive.mth(fork), path=path
            )


@given(pair=pairs, data=st.data())
def test_a_changed_consistency_path_shows_nothing(pair: tuple[int, int], data: st.DataObject) -> None:
    """A proof is as long as it has to be and every hash counts."""
    old_size, size = pair
    leaves = naive.some_leaves(size)
    path = data.draw(_forged_paths(naive.proof(old_size, leaves)))
    with pytest.raises(BadProof):
        check_consistency(
            old_size=old_size,
            old_root=naive.mth(leaves[:old_size]),
            size=size,
            root=naive.mth(leaves),
            path=path,
        )


@pytest.mark.parametrize(("old_size", "size"), [(-1, 4), (5, 4)])
def test_a_longer_tree_is_no_beginning(old_size: int, size: int) -> None:
    """Sizes that cannot be are refused before any hash is looked at."""
    with pytest.raises(BadProof):
        check_consistency(old_size=old_size, old_root=EMPTY_ROOT, size=size, root=EMPTY_ROOT, path=[])


def test_the_empty_tree_is_the_beginning_of_every_tree() -> None:
    """With its own root and without hashes only."""
    leaves = naive.some_leaves(3)
    check_consistency(old_size=0, old_root=EMPTY_ROOT, size=3, root=naive.mth(leaves), path=[])
    with pytest.raises(BadProof):
        check_consistency(old_size=0, old_root=naive.mth(leaves), size=3, root=naive.mth(leaves), path=[])


def _is_included(leaf: bytes, index: int, size: int, path: list[bytes], wanted: bytes) -> bool:
    try:
        return root_by_inclusion(leaf, index=index, size=size, path=path) == wanted
    except BadProof:
        return False


def _forged_paths(path: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Other lists of hashes: one bit changed, one hash left out, one added, two swapped."""

    def one_bit(bit: int) -> list[bytes]:
        place, rest = divmod(bit, 256)
        number = int.from_bytes(path[place], "big") ^ (1 << rest)
        return [*path[:place], number.to_bytes(32, "big"), *path[place + 1 :]]

    ways = [st.integers(0, len(path)).map(lambda at: [*path[:at], b"\x07" * 32, *path[at:]])]
    if path:
        ways.append(st.integers(0, len(path) * 256 - 1).map(one_bit))
        ways.append(st.integers(0, len(path) - 1).map(lambda at: [*path[:at], *path[at + 1 :]]))
    if len(path) > 1:
        ways.append(
            st.integers(0, len(path) - 2).map(
                lambda at: [*path[:at], path[at + 1], path[at], *path[at + 2 :]]
            )
        )
    return st.one_of(*ways)
