"""The Merkle tree of the log as far as it has grown: all that is needed to go on, and to tell its root.

RFC 6962 with SHA-256, as the log is sealed (docs/sealing.md): leaf number 0 is the first event of the log.
"""

from collections.abc import Sequence

from domain.sealing.tree import EMPTY_ROOT, leaf_hash, node_hash


class Frontier:
    """The roots of the perfect subtrees that `size` leaves are made of, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        assert len(peaks) == size.bit_count()
        self.size = size
        self.peaks = list(peaks)

    def add(self, line: bytes) -> None:
        """One more leaf."""
        node, left = leaf_hash(line), self.size
        while left & 1:
            node = node_hash(self.peaks.pop(), node)
            left >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        *lefts, root = self.peaks
        for left in reversed(lefts):
            root = node_hash(left, root)
        return root
