"""Stores a decision about a charge: in the stream of the charge, with the adjustment that follows from it in the same append."""

from collections.abc import Callable, Sequence

import msgspec

from application.adjustments.posting import draft
from application.charges.case import Known, load_case
from application.command import Done, Ports, append_decided, new_event
from application.eventlog import NewEvent
from domain.event import Event
from domain.ledger.adjustments import AdjustmentState
from domain.ledger.charges import ChargeEvent, Ended, charge_stream
from domain.ledger.correcting import correction_of


class Decided(msgspec.Struct, frozen=True):
    """What a decision stored; `state` is that of its adjustment, none if nothing is to be moved."""

    event: ChargeEvent | None
    state: AdjustmentState | None
    done: Done


class _Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What one try would store."""

    version: int
    event: ChargeEvent | None = None
    state: AdjustmentState | None = None
    events: tuple[Event, ...] = ()
    group: tuple[NewEvent, ...] = ()


def decide_charge(
    ports: Ports,
    ended: Ended,
    decide: Callable[[Known], Sequence[ChargeEvent]],
    *,
    beside: Callable[[ChargeEvent], Sequence[NewEvent]] = lambda _: (),
) -> Decided:
    """Run one decision about a request's charge; the adjustment is posted at once, or waits above `ports.approval_nano`.

    `beside` gives events of other streams for the same append.

    Raises:
        Refusal: from `decide`, `beside`, `load_case`, or as `adjusting.post`; nothing was stored.
        Contended, LogUnavailable: nothing was stored.
    """
    last = _Draft(version=0)

    def once() -> Sequence[NewEvent]:
        nonlocal last
        known = load_case(ports, ended)
        decided = decide(known)
        if not decided:
            last = _Draft(version=known.version)
            return ()
        last = _drafted(ports, decided[0], known.version + 1, beside)
        return last.group

    position = append_decided(ports.store, once)
    return Decided(last.event, last.state, Done(version=last.version, position=position, events=last.events))


def _drafted(
    ports: Ports,
    event: ChargeEvent,
    version: int,
    beside: Callable[[ChargeEvent], Sequence[NewEvent]],
) -> _Draft:
    group = (new_event(charge_stream(event.request_id), version, event), *beside(event))
    wanted = correction_of(event, approval_nano=ports.approval_nano)
    if wanted is None:
        return _Draft(version=version, event=event, events=(event,), group=group)
    drafted = draft(ports, wanted)
    return _Draft(
        version=version,
        event=event,
        state=drafted.adjustment.state,
        events=(event, *drafted.events),
        group=(*group, *drafted.group),
    )
