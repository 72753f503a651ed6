"""C02: what was decided about a charge after it was made follows from it, happens once, and is asked for as an adjustment.

Keeps what is held for review, and a small record for each request that something was decided about. The charge itself is
read again where the fact says that it stands.
"""

from collections.abc import Callable
from typing import assert_never
from uuid import UUID

import msgspec

from application.verify.ledger import Stored
from application.verify.ratings import RatingCheck
from application.verify.report import Findings
from domain.event import Event
from domain.ledger.adjustments import AdjustmentDenied, AdjustmentRequested
from domain.ledger.charges import (
    ChargeDisputed,
    ChargeEvent,
    ChargeReviewed,
    UsageReportedLate,
    UsageReportTaken,
    change_of,
    charge_stream,
    report_stream,
)
from domain.ledger.correcting import correction_of
from domain.ledger.disputing import is_in_time
from domain.ledger.events import (
    ChargeHeldForReview,
    RequestAbandoned,
    RequestReleased,
    Units,
    UsageCharged,
)
from domain.ledger.lease import REVIEW_FLAG

ReadEvent = Callable[[int], Event | None]
_NOT_ABOVE = 2**63


class _Standing(msgspec.Struct):
    """What one request stands at; `changes_nano` are of adjustments that may still be denied."""

    hold_nano: int
    paid_nano: int
    borne_nano: int
    units: Units
    ended_us: int
    changes_nano: dict[UUID, int] = {}
    reviewed: bool = False
    disputed: bool = False  #: and not reviewed since


class ChargeCheck:
    """Feed it every event in the order of the log."""

    def __init__(self, findings: Findings, ratings: RatingCheck, read_event: ReadEvent) -> None:
        self._findings = findings
        self._ratings = ratings
        self._read_event = read_event
        self._absurd: dict[
            UUID, tuple[int, UsageCharged]
        ] = {}  #: the last such charge of a lease, with its version
        self._held: dict[UUID, ChargeHeldForReview] = {}
        self._standings: dict[UUID, _Standing] = {}
        self._asking: dict[UUID, AdjustmentRequested] = {}  #: adjustments that must be asked for yet
        self._of: dict[UUID, UUID] = {}  #: the request of each adjustment
        self._taking: dict[
            UUID, UUID
        ] = {}  #: the request of each report that must be taken yet, by its stream

    # --- leases

    def charged(self, at: Stored, event: UsageCharged) -> None:
        """Remember it if it may be held."""
        if REVIEW_FLAG in event.usage_flags:
            self._absurd[at.stream_id] = at.version, event

    def held(self, at: Stored, event: ChargeHeldForReview) -> None:
        """It stands right behind the charge that it is about."""
        version, charged = self._absurd.pop(at.stream_id, (0, None))
        fits = (
            charged is not None
            and version == at.version - 1
            and (charged.request_id, charged.account_id, charged.hold_nano, charged.charge_nano)
            == (event.request_id, event.account_id, event.hold_nano, event.charge_nano)
        )
        self._check(at, fits, f"holds a charge of {event.request_id} that is not right before it")
        self._held[event.request_id] = event

    # --- decisions

    def decided(self, at: Stored, event: ChargeEvent) -> None:
        """A dispute, a review, or late usage."""
        if at.stream_id != charge_stream(event.request_id):
            self._find("L03", at, f"not the charge of {event.request_id}")
        standing = self._standing_of(at, event)
        if standing is None:
            return
        self._check(at, event.charge_nano >= 0 and event.hold_nano == standing.hold_nano, "another hold")
        match event:
            case ChargeReviewed():
                self._reviewed(at, event, standing)
            case UsageReportedLate():
                self._told_late(at, event, standing)
            case ChargeDisputed():
                self._disputed(at, event, standing)
            case _:
                assert_never(event)
        wanted = correction_of(event, approval_nano=_NOT_ABOVE)
        self._check(at, (wanted is not None) == bool(change_of(event)), "a difference without an adjustment")
        if wanted is not None:
            self._asking[wanted.adjustment_id] = wanted
            self._of[wanted.adjustment_id] = event.request_id
            standing.changes_nano[wanted.adjustment_id] = change_of(event)
            standing.paid_nano += change_of(event)

    def taken(self, at: Stored, event: UsageReportTaken) -> None:
        """The report's own stream says which request it was for."""
        is_new = at.version == 1 and at.stream_id == report_stream(event.provider, event.report_ref)
        self._check(at, is_new, f"report {event.report_ref!r} is taken twice")
        is_its = self._taking.pop(at.stream_id, None) == event.request_id
        self._check(at, is_its, f"report {event.report_ref!r} is of nothing that was told")

    def asked(self, at: Stored, event: AdjustmentRequested) -> None:
        """An adjustment, of a charge or of anything else."""
        wanted = self._asking.pop(event.adjustment_id, None)
        if wanted is not None:
            same = msgspec.structs.replace(event, waits=wanted.waits)
            self._check(at, same == wanted, f"adjustment {event.adjustment_id} is not what was decided")

    def denied(self, event: AdjustmentDenied) -> None:
        """The customer pays no more and no less than before."""
        request_id = self._of.get(event.adjustment_id)
        if request_id is not None:
            standing = self._standings[request_id]
            standing.paid_nano -= standing.changes_nano.pop(event.adjustment_id, 0)

    def finish(self) -> None:
        """What was decided is asked for, and what was told is taken."""
        for adjustment_id in self._asking:
            self._findings.add(
                "C02", position=0, subject=adjustment_id, detail="was decided, and never asked for"
            )
        for request_id in self._taking.values():
            self._findings.add("C02", position=0, subject=request_id, detail="was told of by no report")

    def _standing_of(self, at: Stored, event: ChargeEvent) -> _Standing | None:
        known = self._standings.get(event.request_id)
        if known is not None:
            return known
        ended = self._read_event(event.ended_position) if event.ended_position < at.position else None
        match ended:
            case UsageCharged():
                units, sums = ended.units, (ended.charge_nano, ended.shortfall_nano)
            case RequestReleased() | RequestAbandoned():
                units, sums = Units(requests=0), (0, 0)
            case _:
                self._check(at, False, f"request {event.request_id} does not end where it says")  # noqa: FBT003
                return None
        is_its = (ended.request_id, ended.account_id) == (event.request_id, event.account_id)
        if not self._check(at, is_its, f"what ended there is not {event.request_id}"):
            return None
        standing = self._standings[event.request_id] = _Standing(
            ended.hold_nano, *sums, units, ended.occurred_us
        )
        return standing

    def _reviewed(self, at: Stored, event: ChargeReviewed, standing: _Standing) -> None:
        is_known = event.request_id in self._held or standing.reviewed or standing.disputed
        self._check(at, is_known, "reviews what was neither held nor disputed")
        self._check(at, standing.disputed or not standing.reviewed, "is reviewed twice")
        is_no_dearer = event.right_nano <= event.charge_nano or not standing.disputed
        self._check(at, is_no_dearer, "is corrected to more than was disputed")
        standing.reviewed, standing.disputed = True, False
        self._check(at, event.charge_nano == standing.paid_nano, f"{standing.paid_nano} was paid until then")
        self._check(at, 0 <= event.right_nano <= event.hold_nano, "is corrected beyond the hold")
        is_same = event.right_nano == event.charge_nano
        self._check(at, is_same == (event.outcome == "upheld"), f"{event.outcome}, but is not")

    def _disputed(self, at: Stored, event: ChargeDisputed, standing: _Standing) -> None:
        self._check(at, not standing.disputed, "is disputed twice")
        standing.disputed = True
        is_paid = 0 < event.charge_nano == standing.paid_nano
        self._check(at, is_paid, f"disputes {event.charge_nano}, paid was {standing.paid_nano}")
        in_time = is_in_time(ended_us=standing.ended_us, now_us=event.occurred_us)
        self._check(at, in_time, "is disputed too late")

    def _told_late(self, at: Stored, event: UsageReportedLate, standing: _Standing) -> None:
        self._ratings.check_late(at, event)
        known = (event.charge_before_nano, event.units_before)
        self._check(at, known == (standing.paid_nano, standing.units), "begins with what is not known")
        right_nano = min(event.rated_nano, event.hold_nano)
        is_right = (
            event.charge_nano == right_nano or event.charge_before_nano <= event.charge_nano < right_nano
        )
        self._check(at, is_right, f"charges {event.charge_nano}, should be {right_nano} at most")
        standing.borne_nano += event.shortfall_nano - event.shortfall_back_nano
        is_whole = event.charge_nano + standing.borne_nano == event.rated_nano
        self._check(at, is_whole, "what was charged and borne is not what it costs")
        standing.units = event.units
        self._taking[report_stream(event.provider, event.report_ref)] = event.request_id

    def _check(self, at: Stored, holds: bool, detail: str) -> bool:  # noqa: FBT001  # reads as a sentence
        if not holds:
            self._find("C02", at, detail)
        return holds

    def _find(self, code: str, at: Stored, detail: str) -> None:
        self._findings.add(code, position=at.position, subject=at.stream_id, detail=detail)
