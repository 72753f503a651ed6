"""The lots inside one lease: how much of each is free, held and charged. A plain lease, of one lot, does without."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from domain.ledger.lots import LentSlice, LotTerms, Slice, Slices, sum_nano
from domain.ledger.refusals import InsufficientCredit
from domain.ledger.slices import first_of, last_of


class Part(msgspec.Struct):
    """What a lease has of one lot. As long as the lease is plain, its own sums are those of its only part."""

    lot_id: UUID
    terms: LotTerms
    amount_nano: int = 0  #: lent, less what was given back
    charged_nano: int = 0
    held_nano: int = 0

    @property
    def free_nano(self) -> int:
        return self.amount_nano - self.charged_nano - self.held_nano


Parts = list[Part]  #: one for each lot, in the order of spending


def free_for_nano(parts: Parts, alias: str, now_us: int) -> int:
    """What a new request of this model may hold."""
    return sum(part.free_nano for part in parts if part.terms.serves(alias, now_us))


def set_aside(parts: Parts, hold_nano: int, *, alias: str, now_us: int) -> Slices:
    """Of which lots a hold is: of those that serve the model now, in their order.

    Raises:
        InsufficientCredit: they have less free than `hold_nano`.
    """
    free = [Slice(part.lot_id, part.free_nano) for part in parts if part.terms.serves(alias, now_us)]
    slices = first_of(free, hold_nano)
    if sum_nano(slices) < hold_nano:
        raise InsufficientCredit(required_nano=hold_nano, available_nano=sum_nano(free))
    return slices


def last_free(parts: Parts, amount_nano: int) -> Slices:
    """So much of what no request holds, latest lot first."""
    return last_of((Slice(part.lot_id, part.free_nano) for part in parts), amount_nano)


def is_known(parts: Parts, slices: tuple[LentSlice, ...]) -> bool:
    """Whether slices of a plain lease are of the lot that it has already, or its lots are not known at all."""
    return not parts or all(lent.lot_id == parts[0].lot_id for lent in slices)


def add(parts: Parts, slices: tuple[LentSlice, ...]) -> None:
    """More was lent."""
    known = {part.lot_id: part for part in parts}
    for lent in slices:
        part = known.get(lent.lot_id)
        if part is None:
            part = known[lent.lot_id] = Part(lent.lot_id, lent.terms)
            parts.append(part)
        part.amount_nano += lent.amount_nano
    parts.sort(key=lambda part: part.terms.order(part.lot_id))


def take(parts: Parts, slices: Slices) -> None:
    """So much of each lot was given back."""
    for part, taken in _with_parts(parts, slices):
        part.amount_nano -= taken.amount_nano


def hold(parts: Parts, slices: Slices) -> None:
    for part, held in _with_parts(parts, slices):
        part.held_nano += held.amount_nano


def end_hold(parts: Parts, slices: Slices, charge_nano: int) -> None:
    """The charge takes the slices of its hold in their order; the rest of them is free again."""
    for part, held in _with_parts(parts, slices):
        part.held_nano -= held.amount_nano
    for part, spent in _with_parts(parts, first_of(slices, charge_nano)):
        part.charged_nano += spent.amount_nano


def _with_parts(parts: Parts, slices: Slices) -> Iterator[tuple[Part, Slice]]:
    """Each slice with the part of the lease that it is of."""
    of = {part.lot_id: part for part in parts} if slices else {}
    return ((of[one.lot_id], one) for one in slices)
