"""Let an operator into the console: a link with which they set a password, for the first time or anew."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.operators.stream import decide_staff
from application.people.links import Link, hash_of, new_secret
from domain import operators
from domain.fact import Actor
from domain.operators import Permission
from domain.secret import Secret


class InviteOperator(Command, frozen=True, kw_only=True):
    """A link for an operator; an earlier one opens nothing any more."""

    permission: ClassVar[Permission] = "operators"

    operator_id: UUID


def handle(command: InviteOperator, *, actor: Actor, ports: Ports) -> Link:
    """Make the link and show it, once; raises as `operators.invite`."""
    secret, at = new_secret(ports), stamp(ports, actor)
    done = decide_staff(
        ports.store,
        lambda staff: operators.invite(
            staff,
            operator_id=command.operator_id,
            secret_hash=hash_of(ports, secret),
            by=actor,
            stamp=at,
        ),
    )
    return Link(invitation_id=command.operator_id, link=Secret(f"/join/{secret}"), done=done)
