"""Give an operator a new bearer token; the old one is dead at once."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.keys.stream import fresh_secret
from application.operators.stream import OperatorToken, decide_staff
from domain import operators
from domain.fact import Actor
from domain.keys.secret import OPERATOR_PREFIX
from domain.operators import Permission


class RotateOperatorToken(Command, frozen=True, kw_only=True):
    """One's own token, or as an admin anyone's: so the surface asks for `read`, and the rule for the rest."""

    permission: ClassVar[Permission] = "read"

    operator_id: UUID


def handle(command: RotateOperatorToken, *, actor: Actor, ports: Ports) -> OperatorToken:
    """Rotate it and show the new token, once; raises as `operators.rotate_token`."""
    token, record = fresh_secret(ports, prefix=OPERATOR_PREFIX)
    at = stamp(ports, actor)
    done = decide_staff(
        ports.store,
        lambda staff: operators.rotate_token(
            staff, operator_id=command.operator_id, secret=record, by=actor, stamp=at
        ),
    )
    return OperatorToken(operator_id=command.operator_id, token=token, prefix=record.prefix, done=done)
