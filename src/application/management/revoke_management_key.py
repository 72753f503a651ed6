"""End a management key for good."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.management.stream import decide_management, members_of_key
from domain import management
from domain.fact import Actor
from domain.operators import Permission


class RevokeManagementKey(Command, frozen=True, kw_only=True):
    """All its secrets open nothing any more."""

    permission: ClassVar[Permission] = "accounts"

    key_id: UUID
    reason: str


def handle(command: RevokeManagementKey, *, actor: Actor, ports: Ports) -> Done:
    """Revoke it; raises as `management.revoke`."""
    members = members_of_key(ports.store, command.key_id)
    at = stamp(ports, actor)
    return decide_management(
        ports,
        command.key_id,
        lambda key: management.revoke(key, members=members, reason=command.reason, by=actor, stamp=at),
    )
