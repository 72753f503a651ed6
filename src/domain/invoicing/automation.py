"""Who issues the documents of orders without being asked. One stream; the last word counts."""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.refusal import BadField

INVOICING_STREAM: Final = UUID("5b0c1de2-8a3e-5f64-9a0d-6a3d8f2c1b47")


class InvoicingSet(Fact, frozen=True, kw_only=True):
    """From now on orders get their invoices, and refunds their credit notes, from this seller; from nobody if there is none."""

    TOPIC: ClassVar[str] = "invoicing.set.v1"

    seller_id: UUID | None
    locale: str  #: of documents for people who have chosen no language
    from_us: int  #: orders that were credited before get no invoice by themselves


INVOICING_EVENTS: tuple[type[Fact], ...] = (InvoicingSet,)


class Invoicing(msgspec.Struct, frozen=True):
    """The fold of the stream."""

    current: InvoicingSet | None = None

    @property
    def is_on(self) -> bool:
        return self.current is not None and self.current.seller_id is not None


def evolve(_invoicing: Invoicing, event: InvoicingSet) -> Invoicing:
    """After one more fact."""
    return Invoicing(event)


def set_invoicing(
    invoicing: Invoicing, *, seller_id: UUID | None, locale: str, from_us: int | None, stamp: Stamp
) -> list[InvoicingSet]:
    """Have documents issued by this seller; the same again does nothing.

    Orders count from now on, or, if it was on already, as they did.

    Raises:
        BadField: the time cannot be meant.
    """
    if from_us is not None and from_us < 0:
        raise BadField("from_us", "must not be negative")
    before = invoicing.current
    if from_us is None:
        from_us = before.from_us if before is not None and invoicing.is_on else stamp.now_us
    if before is not None and (before.seller_id, before.locale, before.from_us) == (
        seller_id,
        locale,
        from_us,
    ):
        return []
    return [
        InvoicingSet(
            seller_id=seller_id,
            locale=locale,
            from_us=from_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
