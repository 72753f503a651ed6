"""Let an invitation open nothing any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.members.stream import decide_members
from domain import members
from domain.fact import Actor
from domain.operators import Permission


class WithdrawInvitation(Command, frozen=True, kw_only=True):
    """The link opens nothing any more."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    invitation_id: UUID


def handle(command: WithdrawInvitation, *, actor: Actor, ports: Ports) -> Done:
    """Withdraw it; raises as `members.withdraw`."""
    at = stamp(ports, actor)
    return decide_members(
        ports.store,
        command.account_id,
        lambda state: members.withdraw(
            state, account_id=command.account_id, invitation_id=command.invitation_id, by=actor, stamp=at
        ),
    )
