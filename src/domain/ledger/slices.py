"""Arithmetic on slices of lots. Whoever calls has checked that there is enough."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from domain.ledger.lots import Slice, Slices, VoidedSlice


def last_of(slices: Iterable[Slice], amount_nano: int) -> Slices:
    """The last `amount_nano` of `slices`, from the end on."""
    taken = []
    missing_nano = amount_nano
    for part in reversed(list(slices)):
        if not missing_nano:
            break
        part_nano = min(part.amount_nano, missing_nano)
        if part_nano:
            taken.append(Slice(part.lot_id, part_nano))
            missing_nano -= part_nano
    return tuple(taken)


def first_of(slices: Iterable[Slice], amount_nano: int) -> Slices:
    """The first `amount_nano` of `slices`, in their order."""
    taken = []
    missing_nano = amount_nano
    for part in slices:
        if not missing_nano:
            break
        part_nano = min(part.amount_nano, missing_nano)
        if part_nano:
            taken.append(Slice(part.lot_id, part_nano))
            missing_nano -= part_nano
    return tuple(taken)


def without(slices: Iterable[Slice], taken: Mapping[UUID, int]) -> list[Slice]:
    """`slices` less what was taken of each lot; a lot that has nothing left is gone."""
    left = (Slice(part.lot_id, part.amount_nano - taken.get(part.lot_id, 0)) for part in slices)
    return [part for part in left if part.amount_nano]


def by_lot(slices: Iterable[Slice | VoidedSlice]) -> dict[UUID, int]:
    """Nano-credits of each lot."""
    sums: dict[UUID, int] = {}
    for part in slices:
        sums[part.lot_id] = sums.get(part.lot_id, 0) + part.amount_nano
    return sums
