"""Tiles: their paths, and that any tree and any proof comes out of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sealing.tiles import Edge, Tile, edge_tiles, split, subtrees_in_tiles, tile_of
from domain.sealing.tree import consistency_path, inclusion_path, root
from tests.domain.sealing import naive

SIZE_MAX = 66_000  # three levels


class Kept:
    """Tiles in memory, as a directory would keep them."""

    def __init__(self, size: int) -> None:
        self.leaves = naive.some_leaves(size)
        self.edge = Edge()
        self.tiles: dict[Tile, bytes] = {}
        for leaf in self.leaves:
            self.tiles.update(self.edge.append(leaf))
        self.tiles.update(self.edge.partial())

    def read(self, tile: Tile) -> list[bytes]:
        return split(self.tiles[tile])


@pytest.fixture(scope="module")
def large() -> Kept:
    return Kept(SIZE_MAX)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 7), "tile/0/007"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(2, 1_000, 17), "tile/2/x001/000.p/17"),
    ],
)
def test_paths_are_those_of_tlog_tiles(tile: Tile, path: str) -> None:
    """The examples of the specification."""
    assert tile.path == path


def test_a_tree_has_the_partial_tiles_that_tlog_tiles_says() -> None:
    """The specification's examples of 70,000 and of 256 leaves."""
    assert list(edge_tiles(70_000)) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(edge_tiles(256)) == [Tile(1, 0, 1)]
    assert tile_of(1, 272, 70_000) == Tile(1, 1, 17)


@settings(max_examples=15, deadline=None)
@given(size=st.integers(0, 700))
def test_the_edge_of_a_tree_has_its_root(size: int) -> None:
    """At every size the root is the naive one, and as many tiles were filled as there must be."""
    kept = Kept(size)
    assert kept.edge.root() == naive.mth(kept.leaves)
    assert {tile for tile in kept.tiles if tile.width == 256} == {Tile(0, n) for n in range(size // 256)}


@settings(max_examples=15, deadline=None)
@given(size=st.integers(0, 700), more=st.integers(0, 300))
def test_an_edge_goes_on_where_it_was(size: int, more: int) -> None:
    """From partial tiles alone the tree grows as if nothing had happened."""
    kept = Kept(size)
    edge = Edge.resume(size, kept.read)
    for leaf in naive.some_leaves(more, salt=b"more"):
        kept.tiles.update(edge.append(leaf))
    assert edge.root() == naive.mth([*kept.leaves, *naive.some_leaves(more, salt=b"more")])


def test_a_large_tree_comes_out_of_its_tiles(large: Kept) -> None:
    """Three levels of tiles, the root as the naive tree has it."""
    assert large.edge.root() == naive.mth(large.leaves)
    assert root(subtrees_in_tiles(large.read, SIZE_MAX), SIZE_MAX) == large.edge.root()
    assert Tile(1, 0) in large.tiles
    assert Tile(2, 0, 1) in large.tiles


@settings(max_examples=3, deadline=None)
@given(index=st.integers(0, SIZE_MAX - 1), old_size=st.integers(1, SIZE_MAX))
def test_every_proof_comes_out_of_tiles(large: Kept, index: int, old_size: int) -> None:
    """Also for a size from before the tree grew to this one."""
    subtrees = subtrees_in_tiles(large.read, SIZE_MAX)
    assert inclusion_path(subtrees, index, SIZE_MAX) == naive.path(index, large.leaves)
    assert consistency_path(subtrees, old_size, SIZE_MAX) == naive.proof(old_size, large.leaves)
