"""What happens to charges after they were made: operators review and adjust, providers tell usage late, the customer disputes.

As `application.charges` and `application.adjustments` do it: the decision and the adjustment that follows from it are one
append. What waits for a second operator is posted, or not, by another one later.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from msgspec.structs import replace

from application.adjustments.posting import adjustment_stream
from application.eventlog import NewEvent
from domain.event import Event
from domain.fact import Actor, Stamp
from domain.ledger import adjustments, charges
from domain.ledger import events as facts
from domain.ledger.adjustments import Adjustment, AdjustmentRequested
from domain.ledger.charges import (
    ChargeCase,
    ChargeEvent,
    DisputeCause,
    Ended,
    Standing,
    UsageReportTaken,
    charge_stream,
    report_stream,
    standing,
)
from domain.ledger.correcting import LateUsage, correction_of
from domain.ledger.events import Units
from domain.refusal import AlreadyExists, WrongState
from tests.model.store import Stored, new_event
from tests.model.world import WALLET, World

FIRST, SECOND = Actor("operator", UUID(int=901)), Actor("operator", UUID(int=902))
CUSTOMER = "member:1"
PROVIDER = "sandbox"
APPROVAL_NANO = 10  #: above it a difference waits for the second operator


class Desk:
    """The operators. What they see is the log."""

    def __init__(self, world: World) -> None:
        self.ended: dict[UUID, Ended] = {}
        self.reports: list[str] = []  #: what the provider has called its reports so far
        self._world = world
        self._rules = world.rules
        self._admitted: dict[UUID, facts.RequestAdmitted] = {}
        self._position = 0

    def read_on(self) -> None:
        for stored in self._world.log.read_log(after_position=self._position):
            self._position = stored.position
            self._read(stored)

    def case(self, request_id: UUID) -> ChargeCase:
        case = ChargeCase()
        for stored in self._world.log.read_stream(charge_stream(request_id)):
            case = charges.evolve(case, stored.event)  # type: ignore[arg-type]  # of this stream
        return case

    def waiting(self) -> list[UUID]:
        """Adjustments about which the second operator has not said anything."""
        asked = [one for request_id in self.ended for one in self.case(request_id).changes_nano]
        return [one for one in asked if self._adjustment(one).state == "waiting"]

    # --- decisions about one charge

    def review(self, ended: Ended, right_nano: int | None) -> ChargeEvent | None:
        return self._decide(
            ended,
            lambda case, now: self._rules.review(
                case, ended, now, right_nano=right_nano, reason="why", stamp=self._stamp()
            ),
        )

    def dispute(self, ended: Ended, cause: DisputeCause, *, later_us: int = 0) -> ChargeEvent | None:
        stamp = Stamp(now_us=self._world.now_us() + later_us, actor=CUSTOMER)
        return self._decide(
            ended,
            lambda case, now: self._rules.dispute(case, ended, now, cause=cause, pii=None, stamp=stamp),
        )

    def told(self, ended: Ended, report_ref: str, rated_nano: int) -> ChargeEvent | None:
        """The provider tells all that the request has used, under an id of its own."""
        units = Units(output=rated_nano)
        told = LateUsage(provider=PROVIDER, report_ref=report_ref, units=units, cost_nano=None, reason="late")
        now_us = self._world.at_us + 1
        return self._decide(
            ended,
            lambda case, now: self._rules.report_late(
                case,
                ended,
                now,
                told,
                rated_nano=rated_nano,
                factor_ppm=None,
                available_nano=self._world.wallet().available_for_nano(None, now_us),
                stamp=self._stamp(),
            ),
            beside=lambda: [self._taken(ended, report_ref)],
        )

    def settle(self, adjustment_id: UUID, *, by: Actor, agrees: bool) -> None:
        """Agree to an adjustment that waits, or refuse it."""
        adjustment = self._adjustment(adjustment_id)
        assert adjustment.asked is not None
        stamp = self._stamp(by)
        decided: Sequence[Event]
        posted: Sequence[Event] = ()
        if agrees:
            decided = adjustments.approve(adjustment, adjustment_id=adjustment_id, by=by, stamp=stamp)
            posted = self._post(adjustment.asked, approved_by=by.label)
        else:
            decided = adjustments.deny(
                adjustment, adjustment_id=adjustment_id, by=by, reason="no", stamp=stamp
            )
        if decided:
            stream_id = adjustment_stream(adjustment_id)
            self._world.log.append([new_event(stream_id, 2, decided[0]), *self._on_wallet(posted)])

    # --- inside

    def _decide(
        self,
        ended: Ended,
        decide: Callable[[ChargeCase, Standing], Sequence[ChargeEvent]],
        *,
        beside: Callable[[], Sequence[NewEvent]] = lambda: (),
    ) -> ChargeEvent | None:
        """One append; none if nothing was decided."""
        case = self.case(ended.request_id)
        decided = decide(case, self._standing(ended, case))
        if not decided:
            return None
        stream_id = charge_stream(ended.request_id)
        version = self._world.log.head(stream_id) + 1
        asked = correction_of(decided[0], approval_nano=APPROVAL_NANO)
        self._world.log.append(
            [
                new_event(stream_id, version, decided[0]),
                *beside(),
                *(() if asked is None else self._asked(asked)),
            ]
        )
        return decided[0]

    def _standing(self, ended: Ended, case: ChargeCase) -> Standing:
        states = {one: self._adjustment(one).state for one in case.changes_nano}
        if "waiting" in states.values():
            raise WrongState("correction", "waiting for a second operator")
        denied = frozenset(one for one, state in states.items() if state == "denied")
        return standing(ended, case, denied=denied)

    def _asked(self, asked: AdjustmentRequested) -> list[NewEvent]:
        posted = self._post(asked, approved_by=None)  # refused now rather than later
        group = [new_event(adjustment_stream(asked.adjustment_id), 1, asked)]
        return group if asked.waits else [*group, *self._on_wallet(posted)]

    def _post(self, asked: AdjustmentRequested, *, approved_by: str | None) -> Sequence[Event]:
        return self._rules.post_adjustment(
            self._world.wallet(), asked, approved_by=approved_by, now_us=self._world.now_us()
        )

    def _on_wallet(self, events: Sequence[Event]) -> list[NewEvent]:
        first = self._world.wallet().version + 1
        return [new_event(WALLET, version, event) for version, event in enumerate(events, first)]

    def _taken(self, ended: Ended, report_ref: str) -> NewEvent:
        stream_id = report_stream(PROVIDER, report_ref)
        if self._world.log.head(stream_id):
            raise AlreadyExists("usage report", report_ref)
        stamp = self._stamp()
        taken = UsageReportTaken(
            provider=PROVIDER,
            report_ref=report_ref,
            request_id=ended.request_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
        return new_event(stream_id, 1, taken)

    def _adjustment(self, adjustment_id: UUID) -> Adjustment:
        folded = Adjustment()
        for stored in self._world.log.read_stream(adjustment_stream(adjustment_id)):
            folded = adjustments.evolve(folded, stored.event)  # type: ignore[arg-type]  # of this stream
        return folded

    def _stamp(self, by: Actor = FIRST) -> Stamp:
        return Stamp(now_us=self._world.now_us(), actor=by.label)

    def _read(self, stored: Stored) -> None:
        match stored.event:
            case facts.RequestAdmitted() as admitted:
                self._admitted[admitted.request_id] = admitted
            case facts.UsageCharged() as event:
                self.ended[event.request_id] = replace(
                    self._ended(event, stored.position),
                    alias=event.alias,
                    provider=PROVIDER,
                    charge_nano=event.charge_nano,
                    shortfall_nano=event.shortfall_nano,
                    units=event.units,
                )
            case facts.ChargeHeldForReview() as held:
                self.ended[held.request_id] = replace(self.ended[held.request_id], held_for_review=True)
            case facts.RequestReleased() | facts.RequestAbandoned() as event:
                self.ended[event.request_id] = self._ended(event, stored.position)
            case _:
                pass

    def _ended(
        self, event: facts.UsageCharged | facts.RequestReleased | facts.RequestAbandoned, position: int
    ) -> Ended:
        """Of a request that has used nothing."""
        admitted = self._admitted[event.request_id]
        return Ended(
            request_id=event.request_id,
            account_id=event.account_id,
            key_id=admitted.key_id,
            alias=admitted.alias,
            operation="chat",
            provider="",
            model="",
            price_version=admitted.price_version,
            factor_ppm=None,
            admitted_us=admitted.occurred_us,
            ended_us=event.occurred_us,
            hold_nano=event.hold_nano,
            charge_nano=0,
            shortfall_nano=0,
            units=Units(requests=0),
            cost_nano=None,
            position=position,
            held_for_review=False,
        )
