"""Tiles of a tree as C2SP tlog-tiles lays them out, and the growing right edge of a tree.

A tile of level L holds up to 256 hashes, each of a subtree of 256**L leaves. Full tiles never change.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from domain.sealing.tree import HASH_BYTES, Subtrees, perfect_root, root

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
_GROUP: Final = 1_000


class Tile(msgspec.Struct, frozen=True):
    """The place of a tile; `width` is how many hashes it has."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where its bytes are, below the log's directory or address."""
        number, group = divmod(self.number, _GROUP)
        groups = [f"{group:03}"]
        while number:
            number, group = divmod(number, _GROUP)
            groups.insert(0, f"x{group:03}")
        suffix = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(groups)}{suffix}"

    @property
    def full(self) -> "Tile":
        return Tile(self.level, self.number)


def edge_tiles(size: int) -> Iterator[Tile]:
    """The partial tiles of a tree of `size` leaves, lowest level first."""
    level = 0
    while size:
        number, width = divmod(size, WIDTH)
        if width:
            yield Tile(level, number, width)
        size, level = number, level + 1


def tile_of(level: int, number: int, size: int) -> Tile:
    """The tile that holds hash `number` of `level` in a tree of `size` leaves."""
    hashes = size >> HEIGHT * level
    assert number < hashes
    tile_number = number >> HEIGHT
    return Tile(level, tile_number, min(WIDTH, hashes - (tile_number << HEIGHT)))


def split(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def subtrees_in_tiles(read: Callable[[Tile], list[bytes]], size: int) -> Subtrees:
    """Hashes of subtrees of a tree of `size` leaves; `read` gives the hashes of a tile."""

    def subtree(height: int, number: int) -> bytes:
        level, above = divmod(height, HEIGHT)
        first = number << above
        hashes = read(tile_of(level, first, size))
        place = first % WIDTH
        return perfect_root(hashes[place : place + (1 << above)])

    return subtree


class Edge:
    """The right edge of a growing tree: as many hashes as its partial tiles have, whatever its size."""

    def __init__(self, size: int = 0, levels: list[list[bytes]] | None = None) -> None:
        self.size = size
        self._levels = levels or [[]]

    @classmethod
    def resume(cls, size: int, read: Callable[[Tile], list[bytes]]) -> "Edge":
        """The edge of a tree of `size` leaves out of its partial tiles."""
        levels: list[list[bytes]] = [[] for _ in range(max(1, -(-size.bit_length() // HEIGHT)))]
        for tile in edge_tiles(size):
            levels[tile.level] = read(tile)[: tile.width]
        return cls(size, levels)

    def append(self, leaf: bytes) -> Iterator[tuple[Tile, bytes]]:
        """Add the hash of a leaf; gives the tiles that it filled, lowest first. Must be iterated over to the end."""
        self.size += 1
        self._levels[0].append(leaf)
        if len(self._levels[0]) == WIDTH:
            yield from self._roll_up()

    def partial(self) -> Iterator[tuple[Tile, bytes]]:
        """The tiles that are not full."""
        for tile in edge_tiles(self.size):
            yield tile, b"".join(self._levels[tile.level])

    def root(self) -> bytes:
        return root(subtrees_in_tiles(lambda tile: self._levels[tile.level], self.size), self.size)

    def _roll_up(self) -> Iterator[tuple[Tile, bytes]]:
        leaves = self.size
        for level, hashes in enumerate(self._levels):
            if len(hashes) < WIDTH:
                return
            leaves >>= HEIGHT
            yield Tile(level, leaves - 1), b"".join(hashes)
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(perfect_root(hashes))
            self._levels[level] = []
