"""Refuse an adjustment that another operator has asked for."""

from typing import ClassVar
from uuid import UUID

from application.adjustments.posting import Adjusted, settle
from application.command import Command, Ports, stamp
from domain.fact import Actor
from domain.ledger import adjustments
from domain.operators import Permission


class DenyAdjustment(Command, frozen=True, kw_only=True):
    """Nothing is posted, now or later; who still wants it asks for a new one."""

    permission: ClassVar[Permission] = "credit"

    adjustment_id: UUID
    reason: str


def handle(command: DenyAdjustment, *, actor: Actor, ports: Ports) -> Adjusted:
    """Deny it; raises as `adjustments.deny`."""
    at = stamp(ports, actor)
    return settle(
        ports,
        command.adjustment_id,
        lambda adjustment: adjustments.deny(
            adjustment,
            adjustment_id=command.adjustment_id,
            by=actor,
            reason=command.reason,
            stamp=at,
        ),
        stamp=at,
    )
