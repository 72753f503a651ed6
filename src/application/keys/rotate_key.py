"""Give an API key a new secret while the old one works on for a while."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.keys.stream import IssuedKey, decide_key, fresh_secret
from domain.fact import Actor
from domain.keys import key as rules
from domain.operators import Permission


class RotateKey(Command, frozen=True, kw_only=True):
    """A new secret; the present one ends after the overlap, an older one at once."""

    permission: ClassVar[Permission] = "keys"

    key_id: UUID
    overlap_s: int = 24 * 3600


def handle(command: RotateKey, *, actor: Actor, ports: Ports) -> IssuedKey:
    """Rotate it and show the new secret, once; raises as `key.rotate`."""
    secret, record = fresh_secret(ports)
    at = stamp(ports, actor)
    done = decide_key(
        ports,
        command.key_id,
        lambda key: rules.rotate(key, secret=record, overlap_s=command.overlap_s, stamp=at),
        at=at,
    )
    return IssuedKey(key_id=command.key_id, secret=secret, prefix=record.prefix, done=done)
