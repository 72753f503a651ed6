"""Let an API key end by itself at a time, or never."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.keys.stream import decide_key
from domain.fact import Actor
from domain.keys import key as rules
from domain.operators import Permission


class SetKeyExpiry(Command, frozen=True, kw_only=True):
    """Let an API key end by itself at a time, or never."""

    permission: ClassVar[Permission] = "keys"

    key_id: UUID
    expires_us: int | None  #: Unix microseconds


def handle(command: SetKeyExpiry, *, actor: Actor, ports: Ports) -> Done:
    """Set or lift the expiry; raises as `key.set_expiry`."""
    at = stamp(ports, actor)
    return decide_key(
        ports,
        command.key_id,
        lambda key: rules.set_expiry(key, expires_us=command.expires_us, stamp=at),
        at=at,
    )
