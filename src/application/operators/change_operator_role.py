"""Let an operator do what another role may."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.operators.stream import decide_staff
from domain import operators
from domain.fact import Actor
from domain.operators import Permission, Role


class ChangeOperatorRole(Command, frozen=True, kw_only=True):
    """Token, password and address stay as they are."""

    permission: ClassVar[Permission] = "operators"

    operator_id: UUID
    role: Role


def handle(command: ChangeOperatorRole, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `operators.change_role`."""
    at = stamp(ports, actor)
    return decide_staff(
        ports.store,
        lambda staff: operators.change_role(
            staff, operator_id=command.operator_id, role=command.role, by=actor, stamp=at
        ),
    )
