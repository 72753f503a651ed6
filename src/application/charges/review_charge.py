"""Decide about a charge that was held for review."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.charges.case import find_ended
from application.charges.storing import decide_charge
from application.command import Command, Done, Ports, stamp
from domain.fact import Actor
from domain.ledger import correcting
from domain.ledger.adjustments import AdjustmentState
from domain.operators import Permission


class ReviewCharge(Command, frozen=True, kw_only=True):
    """Without an amount the charge is upheld; else the amount is what the customer should pay for the request in all."""

    permission: ClassVar[Permission] = "credit"

    request_id: UUID
    reason: str
    amount_nano: int | None = None


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """How it was decided. A correction that is `waiting` for a second operator has moved nothing yet."""

    request_id: UUID
    correction: AdjustmentState | None
    done: Done


def handle(command: ReviewCharge, *, actor: Actor, ports: Ports) -> Reviewed:
    """Decide, once; a difference is posted by reference, or waits for another operator above `ports.approval_nano`.

    Raises:
        NotFound: there is no such request, or its charge was not held.
        WrongState: it is decided in another way, or a correction of it waits.
        BadField: as `correcting.review`.
        NotEnoughToTake: the account has less than the correction takes.
    """
    ended = find_ended(ports, command.request_id)
    at = stamp(ports, actor)
    decided = decide_charge(
        ports,
        ended,
        lambda known: correcting.review(
            known.case,
            ended,
            known.standing,
            right_nano=command.amount_nano,
            reason=command.reason,
            stamp=at,
        ),
    )
    return Reviewed(request_id=ended.request_id, correction=decided.state, done=decided.done)
