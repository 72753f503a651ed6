"""Kill an API key for good."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.keys.stream import decide_key
from domain.fact import Actor
from domain.keys import key as rules
from domain.operators import Permission


class RevokeKey(Command, frozen=True, kw_only=True):
    """Kill an API key for good."""

    permission: ClassVar[Permission] = "keys"

    key_id: UUID
    reason: str


def handle(command: RevokeKey, *, actor: Actor, ports: Ports) -> Done:
    """Revoke it; raises as `key.revoke`."""
    at = stamp(ports, actor)
    return decide_key(
        ports,
        command.key_id,
        lambda key: rules.revoke(key, reason=command.reason, stamp=at),
        at=at,
    )
