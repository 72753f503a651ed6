"""Agree to an adjustment that another operator has asked for."""

from typing import ClassVar
from uuid import UUID

from application.adjustments.posting import Adjusted, settle
from application.command import Command, Ports, stamp
from domain.fact import Actor
from domain.ledger import adjustments
from domain.operators import Permission


class ApproveAdjustment(Command, frozen=True, kw_only=True):
    """It is posted at once."""

    permission: ClassVar[Permission] = "credit"

    adjustment_id: UUID


def handle(command: ApproveAdjustment, *, actor: Actor, ports: Ports) -> Adjusted:
    """Approve and post it; raises as `adjustments.approve` and `adjusting.post`: then it goes on waiting."""
    at = stamp(ports, actor)
    return settle(
        ports,
        command.adjustment_id,
        lambda adjustment: adjustments.approve(
            adjustment, adjustment_id=command.adjustment_id, by=actor, stamp=at
        ),
        stamp=at,
    )
