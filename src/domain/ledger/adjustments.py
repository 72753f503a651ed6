"""Corrections that operators ask for, and the second pair of eyes. What is posted stands in the wallet's stream.

Each has a stream of its own, by its id: so it is asked for once, decided once and posted once. Above an amount that the
installation sets it waits for an operator who has not asked for it; below, it is posted in the append that asks for it.
"""

from typing import ClassVar, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Actor, Fact, Stamp
from domain.refusal import AlreadyExists, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from domain.text import REASON_CHARS_MAX, printable

AdjustmentKind = Literal["credit", "debit", "void", "write_off"]
AdjustmentState = Literal["waiting", "posted", "denied"]


class AdjustmentRequested(Fact, frozen=True, kw_only=True):
    """An operator asked to give credit, to take some, to take a lot back, or to give up a debt. If it `waits`, nothing has moved yet."""

    TOPIC: ClassVar[str] = "adjustment.requested.v1"

    adjustment_id: UUID
    account_id: UUID
    kind: AdjustmentKind
    amount_nano: int  #: of a void, what was left of the lot then, lent or not
    reason: str
    waits: bool  #: for another operator
    ref: UUID | msgspec.UnsetType = msgspec.UNSET  #: the request, run or fact that it is about
    lot_id: UUID | msgspec.UnsetType = msgspec.UNSET  #: of a void


class AdjustmentApproved(Fact, frozen=True, kw_only=True):
    """Another operator agreed; it was posted in the same append."""

    TOPIC: ClassVar[str] = "adjustment.approved.v1"

    adjustment_id: UUID


class AdjustmentDenied(Fact, frozen=True, kw_only=True):
    """Another operator did not agree; nothing was posted, and nothing will be."""

    TOPIC: ClassVar[str] = "adjustment.denied.v1"

    adjustment_id: UUID
    reason: str


AdjustmentEvent = AdjustmentRequested | AdjustmentApproved | AdjustmentDenied
ADJUSTMENT_EVENTS: tuple[type[Fact], ...] = (AdjustmentRequested, AdjustmentApproved, AdjustmentDenied)


class Adjustment(msgspec.Struct, frozen=True):
    """The fold of one stream; without `asked` there is no such adjustment."""

    asked: AdjustmentRequested | None = None
    state: AdjustmentState = "waiting"


def evolve(adjustment: Adjustment, event: AdjustmentEvent) -> Adjustment:
    """The adjustment after one more fact."""
    match event:
        case AdjustmentRequested():
            return Adjustment(event, "waiting" if event.waits else "posted")
        case AdjustmentApproved():
            return Adjustment(adjustment.asked, "posted")
        case AdjustmentDenied():
            return Adjustment(adjustment.asked, "denied")
        case _:
            assert_never(event)


def ask(adjustment: Adjustment, wanted: AdjustmentRequested) -> list[AdjustmentRequested]:
    """Ask for it. The same again, whoever asks and whenever, does nothing.

    Raises:
        AlreadyExists: the id is of another adjustment.
        BadField: the reason cannot be shown.
    """
    printable(wanted.reason, field="reason", chars_max=REASON_CHARS_MAX)
    asked = adjustment.asked
    if asked is None:
        return [wanted]
    if _content(asked) != _content(wanted):
        raise AlreadyExists("adjustment", wanted.adjustment_id)
    return []


def approve(
    adjustment: Adjustment, *, adjustment_id: UUID, by: Actor, stamp: Stamp
) -> list[AdjustmentApproved]:
    """Agree to one that waits; it must be posted in the same append. Once posted, this does nothing.

    Raises:
        NotFound, SecondOperatorNeeded, NotPermitted: as `_decidable`.
        WrongState: it was denied.
    """
    _decidable(adjustment, adjustment_id, by)
    if adjustment.state == "denied":
        raise WrongState("adjustment", "denied")
    if adjustment.state == "posted":
        return []
    return [AdjustmentApproved(adjustment_id=adjustment_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def deny(
    adjustment: Adjustment, *, adjustment_id: UUID, by: Actor, reason: str, stamp: Stamp
) -> list[AdjustmentDenied]:
    """Refuse one that waits, for good. Once denied, this does nothing.

    Raises:
        NotFound, SecondOperatorNeeded, NotPermitted: as `_decidable`.
        WrongState: it is posted.
        BadField: the reason cannot be shown.
    """
    _decidable(adjustment, adjustment_id, by)
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if adjustment.state == "posted":
        raise WrongState("adjustment", "posted")
    if adjustment.state == "denied":
        return []
    return [
        AdjustmentDenied(
            adjustment_id=adjustment_id, reason=shown, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def _decidable(adjustment: Adjustment, adjustment_id: UUID, by: Actor) -> None:
    """Whether this actor may decide about it.

    Raises:
        NotFound: nobody has asked for it.
        SecondOperatorNeeded: the actor has asked for it.
        NotPermitted: the actor is no operator: on the server's command line nobody can tell who it is.
    """
    if adjustment.asked is None:
        raise NotFound("adjustment", adjustment_id)
    if by.label == adjustment.asked.actor:
        raise SecondOperatorNeeded("another operator than the one who asked has to decide")
    if by.kind != "operator":
        raise NotPermitted("an operator's token: the command line of the server is nobody")


def _content(asked: AdjustmentRequested) -> AdjustmentRequested:
    """What is the same when it is asked for again. A void's amount is what is left, which goes on changing."""
    amount_nano = 0 if asked.kind == "void" else asked.amount_nano
    return msgspec.structs.replace(asked, occurred_us=0, actor="", waits=False, amount_nano=amount_nano)
