"""Give a member another role."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.members.stream import decide_members
from domain import members
from domain.fact import Actor
from domain.members import MemberRole
from domain.operators import Permission


class ChangeMemberRole(Command, frozen=True, kw_only=True):
    """What a member may do from now on."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    person_id: UUID
    role: MemberRole


def handle(command: ChangeMemberRole, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `members.change_role`."""
    at = stamp(ports, actor)
    return decide_members(
        ports.store,
        command.account_id,
        lambda state: members.change_role(
            state,
            account_id=command.account_id,
            person_id=command.person_id,
            role=command.role,
            by=actor,
            stamp=at,
        ),
    )
