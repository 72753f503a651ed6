"""The sealed log's directory in terms of trees: which file holds what. `docs/sealing.md` has the layout."""

from collections.abc import Iterable, Sequence
from typing import Final

from application.sealing.ports import SealedFiles
from domain.sealing.positions import Positions, Run, read_runs
from domain.sealing.tiles import WIDTH, Tile, split, subtrees_in_tiles, tile_of
from domain.sealing.tree import Subtrees

_CHECKPOINT: Final = "checkpoint"
_POSITIONS: Final = "positions"
_WITNESSED: Final = "checkpoint.witnessed"


class TilesMissing(Exception):
    """The directory lacks a tile that its checkpoint stands for, or one is too short."""


class SealedDirectory:
    """Keeps no state: what another process has written is seen at the next call."""

    def __init__(self, files: SealedFiles) -> None:
        self._files = files

    def checkpoint(self) -> bytes | None:
        return self._files.read(_CHECKPOINT)

    def witnessed(self) -> bytes | None:
        """The newest checkpoint that witnesses have cosigned, with their lines."""
        return self._files.read(_WITNESSED)

    def write_witnessed(self, note: bytes) -> None:
        self._files.write({_WITNESSED: note})

    def tile(self, tile: Tile) -> list[bytes]:
        """The hashes of a tile; of a partial one also when only the full one is left.

        Raises:
            TilesMissing: neither is there with so many hashes.
        """
        data = self._files.read(tile.path)
        if data is None and tile.width < WIDTH:
            data = self._files.read(tile.full.path)
        hashes = split(data or b"")[: tile.width]
        if len(hashes) < tile.width or len(hashes[-1]) < len(hashes[0]):
            raise TilesMissing(tile.path)
        return hashes

    def subtrees(self, size: int) -> Subtrees:
        return subtrees_in_tiles(self.tile, size)

    def leaf(self, index: int, size: int) -> bytes:
        """The hash of a leaf of a tree of `size`."""
        return self.tile(tile_of(0, index, size))[index % WIDTH]

    def positions(self, size: int) -> Positions:
        """Where the leaves of a tree of `size` are in the log."""
        return Positions(read_runs((self._files.read(_POSITIONS) or b"").decode()), size)

    def write_tiles(self, tiles: Iterable[tuple[Tile, bytes]]) -> None:
        self._files.write({tile.path: data for tile, data in tiles})

    def write_runs(self, runs: Sequence[Run]) -> None:
        self._files.write({_POSITIONS: "".join(run.line for run in runs).encode()})

    def write_checkpoint(self, note: bytes) -> None:
        self._files.write({_CHECKPOINT: note})

    def drop_partial(self, tiles: Iterable[Tile]) -> None:
        """Remove the partial tiles that these full ones supersede."""
        self._files.remove([f"{tile.full.path}.p" for tile in tiles])
