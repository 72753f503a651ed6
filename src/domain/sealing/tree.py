"""The Merkle tree of RFC 6962: hashes, roots and proofs. Says nothing of where hashes are kept.

A *subtree* is perfect: of height h and number i it covers the leaves from i * 2**h to (i + 1) * 2**h. Everything else
is made of such ones, so whoever can tell their hashes can tell any root and any proof.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256().digest()
HASH_BYTES: Final = 32

Subtrees = Callable[[int, int], bytes]
"""The hash of the perfect subtree of a height and a number."""

_sha256 = hashlib.sha256


def leaf_hash(line: bytes) -> bytes:
    return _sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over hashes of equal subtrees, of which there are a power of two."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """Heights and numbers of the perfect subtrees that a tree consists of, from left to right."""
    start = 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            yield height, start >> height
            start += 1 << height


def root(subtrees: Subtrees, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(subtrees, 0, size) if size else EMPTY_ROOT


def inclusion_path(subtrees: Subtrees, index: int, size: int) -> list[bytes]:
    """RFC 6962 2.1.1: the hashes that lead from leaf `index` to the root, from its sibling upwards."""
    assert 0 <= index < size
    path = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(subtrees, middle, high))
            high = middle
        else:
            path.append(_range_root(subtrees, low, middle))
            low = middle
    return path[::-1]


def consistency_path(subtrees: Subtrees, old_size: int, size: int) -> list[bytes]:
    """RFC 6962 2.1.2: the hashes that show that the first `old_size` leaves are the beginning of the tree."""
    assert 0 < old_size <= size
    path = []
    low, high = 0, size
    while old_size < high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(_range_root(subtrees, middle, high))
            high = middle
        else:
            path.append(_range_root(subtrees, low, middle))
            low = middle
    if low:  # the old tree itself is known to whoever checks
        path.append(_range_root(subtrees, low, high))
    return path[::-1]


def _range_root(subtrees: Subtrees, low: int, high: int) -> bytes:
    """The root over the leaves from `low` to `high`, as RFC 6962 splits them; `low` begins a subtree of the tree."""
    parts = [subtrees(height, (low >> height) + number) for height, number in peaks(high - low)]
    whole = parts.pop()
    while parts:
        whole = node_hash(parts.pop(), whole)
    return whole


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
