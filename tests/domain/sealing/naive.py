"""RFC 6962 written down as the RFC has it: recursive, slow, and without anything in common with the code under test."""

import hashlib
from collections.abc import Sequence

from domain.sealing.tree import Subtrees


def mth(leaves: Sequence[bytes]) -> bytes:
    """The hash of a list of leaves; hashes of leaves, not lines."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _k(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _k(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    return _subproof(m, leaves, is_whole=True)


def subtrees_of(leaves: Sequence[bytes]) -> Subtrees:
    """What the code under test asks for, out of a list."""
    return lambda height, number: mth(leaves[number << height : (number + 1) << height])


def some_leaves(count: int, *, salt: bytes = b"") -> list[bytes]:
    return [hashlib.sha256(b"%d" % number + salt).digest() for number in range(count)]


def _subproof(m: int, leaves: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = _k(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], is_whole=is_whole), mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], is_whole=False), mth(leaves[:k])]


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
