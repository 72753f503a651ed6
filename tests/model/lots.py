"""The auditor's own books of lots: their terms from the bare events, and what each lease has of each."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from domain.ledger import events as facts
from domain.ledger.lots import Slice
from tests.model.world import require

NEVER_US = 2**63


class Terms(msgspec.Struct, frozen=True):
    """What was said of a lot when it was granted."""

    order: tuple[object, ...]
    begins_us: int
    ends_us: int
    aliases: tuple[str, ...]

    def is_open(self, at_us: int) -> bool:
        return self.begins_us <= at_us < self.ends_us

    def serves(self, alias: str, at_us: int) -> bool:
        return self.is_open(at_us) and (not self.aliases or alias in self.aliases)


def terms_of(event: facts.CreditLotGranted) -> Terms:
    ends_us = event.expires_us or NEVER_US
    priority = event.priority if isinstance(event.priority, int) else 50
    is_free = event.source in ("promo", "goodwill")
    begins_us = event.effective_us or event.occurred_us
    return Terms(
        order=(priority, ends_us, not is_free, begins_us, event.occurred_us, event.lot_id.int),
        begins_us=event.effective_us or 0,
        ends_us=ends_us,
        aliases=event.aliases or (),
    )


def goodwill(event: facts.AdjustmentPosted, lot_id: UUID) -> Terms:
    """Of a lot that an adjustment made."""
    order = (50, NEVER_US, False, event.occurred_us, event.occurred_us, lot_id.int)
    return Terms(order=order, begins_us=0, ends_us=NEVER_US, aliases=())


class Share(msgspec.Struct):
    """What a lease has of one lot, as its own stream has it."""

    amount_nano: int = 0
    held_nano: int = 0
    charged_nano: int = 0

    @property
    def free_nano(self) -> int:
        return self.amount_nano - self.held_nano - self.charged_nano


class Shares:
    """The lots of one lease. Without a word of lots, an event is about the only one."""

    def __init__(self, terms: dict[UUID, Terms]) -> None:
        self.by_lot: dict[UUID, Share] = {}
        self._terms = terms
        self._holds: dict[UUID, list[Slice]] = {}

    def raised(self, slices: Iterable[facts.LentSlice] | msgspec.UnsetType, amount_nano: int) -> None:
        named = [Slice(part.lot_id, part.amount_nano) for part in slices or ()]
        for part in named or self._only(amount_nano):
            self.by_lot.setdefault(part.lot_id, Share()).amount_nano += part.amount_nano

    def lowered(self, event: facts.LeaseGaveBack) -> None:
        for share, part in self._each(event.slices or self._only(event.amount_nano)):
            require("P03", share.free_nano >= part.amount_nano, "no more is given back of a lot than is free")
            share.amount_nano -= part.amount_nano
        given_nano = sum(part.amount_nano for part in event.slices or self._only(event.amount_nano))
        require("P01", given_nano == event.amount_nano, "what is given back is of lots")

    def held(self, event: facts.RequestAdmitted) -> None:
        """P14 and P15: a hold is of lots for its model, in their time, the first ones first."""
        is_told = event.slices is not msgspec.UNSET
        slices = list(event.slices or () if is_told else self._only(event.hold_nano))
        require("P14", sum(part.amount_nano for part in slices) == event.hold_nano, "a hold is of lots")
        for share, part in self._each(slices):
            is_served = self._terms[part.lot_id].serves(event.alias, event.occurred_us)
            require("P15", is_served, "a lot is held for its models and in its time")
            share.held_nano += part.amount_nano
            require("P03", share.free_nano >= 0, "no more is held of a lot than the lease has")
        last = max((self._terms[part.lot_id].order for part in slices), default=())
        for lot_id in self._earlier(last):
            is_served = self._terms[lot_id].serves(event.alias, event.occurred_us)
            used_up = not is_served or not self.by_lot[lot_id].free_nano
            require("P14", used_up, "no later lot is held while an earlier one has credit")
        self._holds[event.request_id] = slices

    def ended(self, request_id: UUID, charge_nano: int) -> None:
        """A charge takes what was held of each lot, in the order of the hold."""
        for share, part in self._each(self._holds.pop(request_id)):
            share.held_nano -= part.amount_nano
            part_nano = min(charge_nano, part.amount_nano)
            share.charged_nano += part_nano
            charge_nano -= part_nano

    def charged(self) -> dict[UUID, int]:
        return {lot_id: share.charged_nano for lot_id, share in self.by_lot.items() if share.charged_nano}

    def _earlier(self, last: tuple[object, ...]) -> Iterator[UUID]:
        return (lot_id for lot_id in self.by_lot if self._terms[lot_id].order < last)

    def _each(self, slices: Iterable[Slice]) -> Iterator[tuple[Share, Slice]]:
        for part in slices:
            require("P03", part.lot_id in self.by_lot, "a lease uses the lots that it has")
            yield self.by_lot[part.lot_id], part

    def _only(self, amount_nano: int) -> list[Slice]:
        require("P14", len(self.by_lot) == 1, "only who has one lot need not say which")
        return [Slice(lot_id, amount_nano) for lot_id in self.by_lot]
