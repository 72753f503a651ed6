"""Take everything from an operator."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.operators.stream import decide_staff
from domain import operators
from domain.fact import Actor
from domain.operators import Permission


class DisableOperator(Command, frozen=True, kw_only=True):
    """Their token is refused from now on."""

    permission: ClassVar[Permission] = "operators"

    operator_id: UUID
    reason: str


def handle(command: DisableOperator, *, actor: Actor, ports: Ports) -> Done:
    """Disable them; raises as `operators.disable`."""
    at = stamp(ports, actor)
    return decide_staff(
        ports.store,
        lambda staff: operators.disable(
            staff, operator_id=command.operator_id, reason=command.reason, by=actor, stamp=at
        ),
    )
