"""End a membership."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.members.stream import decide_members
from domain import members
from domain.fact import Actor
from domain.operators import Permission


class RemoveMember(Command, frozen=True, kw_only=True):
    """The person may do nothing in this account any more; at once, where they are signed in too."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    person_id: UUID


def handle(command: RemoveMember, *, actor: Actor, ports: Ports) -> Done:
    """Remove them; raises as `members.remove`."""
    at = stamp(ports, actor)
    return decide_members(
        ports.store,
        command.account_id,
        lambda state: members.remove(
            state, account_id=command.account_id, person_id=command.person_id, by=actor, stamp=at
        ),
    )
