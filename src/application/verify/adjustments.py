"""Four eyes: what is posted was asked for, and where it had to wait, another operator agreed to it."""

from uuid import UUID

import msgspec

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.ledger.adjustments import (
    AdjustmentApproved,
    AdjustmentDenied,
    AdjustmentEvent,
    AdjustmentRequested,
)
from domain.ledger.claim_events import ReceivableWrittenOff
from domain.ledger.events import AdjustmentPosted, CreditLotVoided

Posted = AdjustmentPosted | CreditLotVoided | ReceivableWrittenOff


class _Asked(msgspec.Struct):
    """One that is not posted and not denied yet."""

    event: AdjustmentRequested
    approved_by: str | None = None


class AdjustmentCheck:
    """Keeps what is asked for until it is posted or denied."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._asked: dict[UUID, _Asked] = {}

    def take(self, at: Stored, event: AdjustmentEvent) -> None:
        """A fact about an adjustment."""
        asked = self._asked.get(event.adjustment_id)
        if isinstance(event, AdjustmentRequested):
            if asked is not None or at.version != 1:
                self._find(at, "asked for twice")
            self._asked[event.adjustment_id] = _Asked(event)
        elif asked is None or not asked.event.waits or asked.approved_by is not None:
            self._find(at, "decided about what does not wait")
        elif event.actor == asked.event.actor or not event.actor.startswith("operator:"):
            self._find(at, f"{event.actor} decided about what {asked.event.actor} asked for")
        elif isinstance(event, AdjustmentApproved):
            asked.approved_by = event.actor
        else:
            assert isinstance(event, AdjustmentDenied)
            del self._asked[event.adjustment_id]

    def post(self, at: Stored, event: Posted) -> None:
        """The movement itself."""
        asked = self._asked.pop(event.adjustment_id, None)
        if asked is None:
            self._find(at, f"adjustment {event.adjustment_id} was not asked for, or posted before")
            return
        if asked.event.waits and asked.approved_by is None:
            self._find(at, f"adjustment {event.adjustment_id} waits for another operator")
        if _said(event) != _wanted(asked):
            self._find(at, f"adjustment {event.adjustment_id} is not what was asked for and agreed to")

    def finish(self) -> None:
        """What does not wait is posted."""
        for adjustment_id, asked in self._asked.items():
            if not asked.event.waits or asked.approved_by is not None:
                self._findings.add("A01", position=0, subject=adjustment_id, detail="was never posted")

    def _find(self, at: Stored, detail: str) -> None:
        self._findings.add("A01", position=at.position, subject=at.stream_id, detail=detail)


def _said(event: Posted) -> tuple[object, ...]:
    by = event.requested_by, event.approved_by or None
    if isinstance(event, CreditLotVoided):
        return "void", event.account_id, event.lot_id, *by
    if isinstance(event, ReceivableWrittenOff):
        return "write_off", event.account_id, event.amount_nano, *by
    return event.direction, event.account_id, event.amount_nano, *by


def _wanted(asked: _Asked) -> tuple[object, ...]:
    event = asked.event
    what = event.lot_id if event.kind == "void" else event.amount_nano
    return event.kind, event.account_id, what, event.actor, asked.approved_by
