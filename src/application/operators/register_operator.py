"""Give a member of staff a role and a bearer token."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.keys.stream import fresh_secret
from application.operators.stream import OperatorToken, decide_staff
from domain import operators
from domain.fact import Actor
from domain.keys.secret import OPERATOR_PREFIX
from domain.operators import Permission, Role
from domain.text import printable


class RegisterOperator(Command, frozen=True, kw_only=True):
    """An operator; the first one is registered by the system."""

    permission: ClassVar[Permission] = "operators"

    name: str
    role: Role
    operator_id: UUID | None = None


def handle(command: RegisterOperator, *, actor: Actor, ports: Ports) -> OperatorToken:
    """Register them and show the token, once; raises as `operators.register`, and `BadField` for the name."""
    name = printable(command.name, field="name")
    operator_id = command.operator_id or ports.ids.new()
    token, record = fresh_secret(ports, prefix=OPERATOR_PREFIX)
    at = stamp(ports, actor)
    done = decide_staff(
        ports.store,
        lambda staff: operators.register(
            staff, operator_id=operator_id, role=command.role, secret=record, by=actor, stamp=at
        ),
    )
    ports.names.put(operator_id, name)
    return OperatorToken(operator_id=operator_id, token=token, prefix=record.prefix, done=done)
