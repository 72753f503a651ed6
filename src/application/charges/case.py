"""One request and what became of its charge, from the log. The read model is only asked where its events stand."""

from typing import NamedTuple
from uuid import UUID

import msgspec

from application.adjustments.posting import load_adjustment
from application.command import Ports, fold
from application.eventlog import EventStore, RecordedEvent
from application.queries import CHAT
from domain.event import Event
from domain.ledger import charges
from domain.ledger.charges import ChargeCase, Ended, Standing, charge_stream
from domain.ledger.events import (
    ChargeHeldForReview,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
)
from domain.ledger.lease import REVIEW_FLAG
from domain.refusal import NotFound, WrongState
from domain.topics import REGISTRY


class Known(NamedTuple):
    """The case, the version of its stream, and how the request stands."""

    case: ChargeCase
    version: int
    standing: Standing


def find_ended(ports: Ports, request_id: UUID) -> Ended:
    """How a request ended.

    Raises:
        NotFound: there is none, as far as the record goes.
        WrongState: it is open.
        LogUnavailable: the log cannot be read.
    """
    place = ports.requests.place(request_id)
    if place is None:
        raise NotFound("request", request_id)
    if place.is_open:
        raise WrongState("request", "open")
    admitted = _event(_at(ports.store, place.first_position))
    assert isinstance(admitted, RequestAdmitted)
    stored = _at(ports.store, place.last_position)
    event = _event(stored)
    if not isinstance(event, UsageCharged):
        assert isinstance(event, RequestReleased | RequestAbandoned)
        return _unpaid(admitted, stored, ended_us=event.occurred_us)
    return _paid(admitted, event, stored, held=was_held(ports.store, stored, event))


def load_case(ports: Ports, ended: Ended) -> Known:
    """What became of its charge until now.

    Raises:
        WrongState: a correction of it waits for a second operator: what it is to be corrected from is not known yet.
    """
    recorded = ports.store.read_stream(charge_stream(ended.request_id))
    case = fold(recorded, ChargeCase(), charges.evolve)
    denied = set()
    for adjustment_id in case.changes_nano:
        state = load_adjustment(ports.store, adjustment_id)[0].state
        if state == "waiting":
            raise WrongState("correction", f"waiting for a second operator as adjustment {adjustment_id}")
        if state == "denied":
            denied.add(adjustment_id)
    return Known(case, len(recorded), charges.standing(ended, case, denied=frozenset(denied)))


def read_case(store: EventStore, request_id: UUID) -> ChargeCase:
    """The case alone."""
    return fold(store.read_stream(charge_stream(request_id)), ChargeCase(), charges.evolve)


def _at(store: EventStore, position: int) -> RecordedEvent:
    (stored,) = store.read_log(after_position=position - 1, limit=1)
    return stored


def _event(stored: RecordedEvent) -> Event:
    return REGISTRY.decode(stored.topic, stored.state)


def was_held(store: EventStore, stored: RecordedEvent, charge: UsageCharged) -> bool:
    """Whether the event right behind a charge says that it is held for review."""
    if REVIEW_FLAG not in charge.usage_flags:
        return False
    after = store.read_stream(stored.stream_id, after_version=stored.version)
    return bool(after) and after[0].topic == ChargeHeldForReview.TOPIC


def _unpaid(admitted: RequestAdmitted, stored: RecordedEvent, *, ended_us: int) -> Ended:
    return Ended(
        request_id=admitted.request_id,
        account_id=admitted.account_id,
        key_id=admitted.key_id,
        alias=admitted.alias,
        operation=CHAT,
        provider="",
        model="",
        price_version=admitted.price_version,
        factor_ppm=None,
        admitted_us=admitted.occurred_us,
        ended_us=ended_us,
        hold_nano=admitted.hold_nano,
        charge_nano=0,
        shortfall_nano=0,
        units=Units(requests=0),
        cost_nano=None,
        position=stored.position,
        held_for_review=False,
    )


def _paid(admitted: RequestAdmitted, event: UsageCharged, stored: RecordedEvent, *, held: bool) -> Ended:
    served = event.attempts[-1] if event.attempts else None
    return Ended(
        request_id=event.request_id,
        account_id=event.account_id,
        key_id=event.key_id,
        alias=event.alias,
        operation=event.operation or CHAT,
        provider=event.provider,
        model=served.model if served else "",
        price_version=event.price_version,
        factor_ppm=None if event.factor_ppm is msgspec.UNSET else event.factor_ppm,
        admitted_us=admitted.occurred_us,
        ended_us=event.occurred_us,
        hold_nano=event.hold_nano,
        charge_nano=event.charge_nano,
        shortfall_nano=event.shortfall_nano,
        units=event.units,
        cost_nano=served.cost_nano if served else None,
        position=stored.position,
        held_for_review=held,
    )
