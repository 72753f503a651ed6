"""What a proof proves, with nothing in hand but the proof: RFC 9162 2.1.3.2 and 2.1.4.2."""

from collections.abc import Sequence

from domain.sealing.tree import EMPTY_ROOT, node_hash


class BadProof(Exception):
    """The hashes do not lead from what is to be proved to the root; nothing is proved."""


def root_by_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which `path` leads from the hash of a leaf; the leaf is in the tree if the tree has this root.

    Raises:
        BadProof: a path for this place has another length.
    """
    if not 0 <= index < size:
        raise BadProof(f"there is no leaf {index} in a tree of {size}")
    first, last = index, size - 1
    found = leaf
    for sibling in path:
        if last == 0:
            raise BadProof("the path is too long")
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            first, last = _up_to_right_child(first, last)
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")
    return found


def check_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` leaves is the beginning of the other one.

    Raises:
        BadProof: the path does not show it.
    """
    if not 0 <= old_size <= size:
        raise BadProof(f"a tree of {old_size} is no beginning of one of {size}")
    if old_size in (0, size):
        if path or (old_size == size and old_root != root) or (old_size == 0 and old_root != EMPTY_ROOT):
            raise BadProof("the roots do not belong to these sizes")
        return
    if _roots_by_consistency(old_size, size, _whole_path(old_size, old_root, path)) != (old_root, root):
        raise BadProof("the path does not lead to both roots")


def _whole_path(old_size: int, old_root: bytes, path: Sequence[bytes]) -> Sequence[bytes]:
    """The path with the old root before it where that is a subtree and so was left out."""
    whole = [old_root, *path] if old_size & (old_size - 1) == 0 else path
    if not path or not whole:
        raise BadProof("the path is too short")
    return whole


def _roots_by_consistency(old_size: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root to which a path leads."""
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("the path is too long")
        if first & 1 or first == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            first, last = _up_to_right_child(first, last)
        else:
            new = node_hash(new, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")
    return old, new


def _up_to_right_child(first: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a node at the right edge has no sibling."""
    while not first & 1 and first:
        first, last = first >> 1, last >> 1
    return first, last
