"""Lots of credit: when one may be lent, for which models, and which of several is spent first."""

from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

import msgspec

LotSource = Literal["paid", "promo", "goodwill", "migrated"]

PRIORITY: Final = 50  #: of a lot for which none is said
PRIORITY_MAX: Final = 100
PROMOTIONAL: Final[frozenset[LotSource]] = frozenset({"promo", "goodwill"})
_NEVER: Final = float("inf")

LotOrder = tuple[int, float, bool, int, int, int]


class LotTerms(msgspec.Struct, frozen=True, array_like=True):
    """What was agreed of a lot, stored as an array. It never changes."""

    source: LotSource
    priority: int  #: 0 is spent first, 100 last
    effective_us: int
    expires_us: int | None
    granted_us: int
    aliases: tuple[str, ...]  #: the models that it may be spent on, as clients name them; empty: all

    @property
    def is_plain(self) -> bool:
        """It may be spent on everything, for ever, once it has begun."""
        return self.expires_us is None and not self.aliases

    def is_open(self, now_us: int) -> bool:
        """It has begun, which one that was granted without a beginning has on every clock, and has not expired."""
        has_begun = self.effective_us <= max(now_us, self.granted_us)
        return has_begun and (self.expires_us is None or now_us < self.expires_us)

    def has_expired(self, now_us: int) -> bool:
        return self.expires_us is not None and self.expires_us <= now_us

    def serves(self, alias: str | None, now_us: int) -> bool:
        """It may be set aside now for a request of this model; for one of some model, without one."""
        return (not self.aliases or alias is None or alias in self.aliases) and self.is_open(now_us)

    def order(self, lot_id: UUID) -> LotOrder:
        """Lots are spent in this order: what would be lost first, then what was given for nothing, then the oldest."""
        expires_us = _NEVER if self.expires_us is None else self.expires_us
        paid = self.source not in PROMOTIONAL
        return (self.priority, expires_us, paid, self.effective_us, self.granted_us, lot_id.int)


class Slice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a lot of credit, stored as `[lot_id, amount_nano]`."""

    lot_id: UUID
    amount_nano: int


class VoidedSlice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a lot that was voided, stored as `[lot_id, amount_nano, source]`: it goes back where it was issued."""

    lot_id: UUID
    amount_nano: int
    source: LotSource


class LentSlice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a lot as its lease gets to know it, stored as an array."""

    lot_id: UUID
    amount_nano: int
    terms: LotTerms


Slices = tuple[Slice, ...]


def sum_nano(slices: Iterable[Slice | VoidedSlice]) -> int:
    return sum(part.amount_nano for part in slices)
