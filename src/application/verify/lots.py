"""What the lots of credit must obey, event by event: the right ones, in their order, in their time."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from domain.ledger import parts
from domain.ledger.events import (
    LeaseEvent,
    LeaseExtended,
    LeaseGaveBack,
    LeaseGranted,
    LeaseOpened,
    LeaseReduced,
    LeaseSettled,
    LeaseToppedUp,
    RequestAdmitted,
)
from domain.ledger.lease import Lease
from domain.ledger.lots import LotTerms, Slice, VoidedSlice, sum_nano
from domain.ledger.refusals import InsufficientCredit
from domain.ledger.slices import by_lot, without
from domain.ledger.wallet import OpenLease, Wallet

Fault = tuple[str, str]  #: the code of the invariant, and what breaks it


def lending_faults(wallet: Wallet, event: LeaseGranted | LeaseExtended) -> Iterator[Fault]:
    """P15: credit is lent of lots that have begun and are not over."""
    for part in event.slices:
        terms = wallet.terms[part.lot_id]
        if not terms.is_open(event.occurred_us) or part.lot_id in wallet.over:
            yield "P15", f"lent of lot {part.lot_id}, which is not open"


def returning_faults(wallet: Wallet, event: LeaseReduced | LeaseSettled) -> Iterator[Fault]:
    """P15: what comes back of a lot that is over is gone, and of no other."""
    for part in event.slices:
        if wallet.is_over(part.lot_id, event.occurred_us):
            yield "P15", f"lot {part.lot_id} is over, and was given {part.amount_nano} back"
    for part in event.expired or ():
        if not wallet.is_over(part.lot_id, event.occurred_us) or part.lot_id in wallet.voided:
            yield "P15", f"lot {part.lot_id} is not over, and lost {part.amount_nano}"
    for voided in event.voided or ():
        if voided.lot_id not in wallet.voided or voided.source != wallet.terms[voided.lot_id].source:
            yield "P15", f"lot {voided.lot_id} was not taken back, and lost {voided.amount_nano}"


def settlement_faults(lent: OpenLease, lease: Lease | None, event: LeaseSettled) -> Iterator[Fault]:
    """P05 by lot: what a lease had of each is charged, returned or expired."""
    spent = lease.spent() if lease else None
    if spent is None:
        return
    left = by_lot((*event.slices, *(event.expired or ()), *(event.voided or ())))
    accounted = by_lot(without(lent.slices, left))
    if accounted != {lot_id: spent_nano for lot_id, spent_nano in spent.items() if spent_nano}:
        yield "P05", f"lease {event.lease_id} spent of its lots {spent}, settled with {accounted}"


def knows_lots(lease: Lease, event: LeaseEvent) -> bool:
    """Whether the lots that the event names are those of the lease, so that it can be folded."""
    match event:
        case RequestAdmitted() | LeaseGaveBack() if event.slices:
            return {part.lot_id for part in event.slices} <= {part.lot_id for part in lease.parts}
        case LeaseToppedUp() if event.slices:
            return bool(lease.parts)
        case _:
            return True


def lease_faults(lease: Lease, event: LeaseEvent, terms: Mapping[UUID, LotTerms]) -> Iterator[Fault]:
    """What a lease's event says of lots, against the lease and the terms of its wallet's lots."""
    match event:
        case RequestAdmitted():
            yield from _hold_faults(lease, event)
        case LeaseOpened() | LeaseToppedUp() if event.slices:
            if sum(lent.amount_nano for lent in event.slices) != event.amount_nano:
                yield "P01", "slices do not add up to the amount"
            if any(terms.get(lent.lot_id) != lent.terms for lent in event.slices):
                yield "L01", "lots of other terms than the wallet's"
        case LeaseGaveBack() if not lease.plain:
            free = {part.lot_id: part.free_nano for part in lease.parts}
            given = by_lot(event.slices or ())
            if sum(given.values()) != event.amount_nano:
                yield "P01", "slices do not add up to the amount"
            if any(given_nano > free[lot_id] for lot_id, given_nano in given.items()):
                yield "P03", "more was given back of a lot than was free"
        case _:
            pass


def _hold_faults(lease: Lease, event: RequestAdmitted) -> Iterator[Fault]:
    """P14 and P15: a hold is of the first lots that serve its model at its time."""
    slices = event.slices or ()
    if lease.plain:
        if slices:
            yield "P14", "slices of a lease that has one lot"
        return
    if sum_nano(slices) != event.hold_nano:
        yield "P01", "slices do not add up to the hold"
    at_us = event.occurred_us
    serving = {part.lot_id for part in lease.parts if part.terms.serves(event.alias, at_us)}
    if not serving.issuperset(part.lot_id for part in slices):
        yield "P15", f"credit that is not for {event.alias!r} at this time"
        return
    try:
        first = parts.set_aside(lease.parts, event.hold_nano, alias=event.alias, now_us=at_us)
    except InsufficientCredit:
        yield "P03", "more is held of lots than the lease has of them"
        return
    if slices != first:
        yield "P14", "a later lot is held while an earlier one has credit"


def plain(voided: Iterable[VoidedSlice]) -> tuple[Slice, ...]:
    """Without where they go back to."""
    return tuple(Slice(part.lot_id, part.amount_nano) for part in voided)
