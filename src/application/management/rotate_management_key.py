"""Give a management key a new secret while the old one works on for a while."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.keys.stream import fresh_secret
from application.management.stream import IssuedManagementKey, decide_management, members_of_key
from domain import management
from domain.fact import Actor
from domain.keys.secret import MANAGEMENT_PREFIX
from domain.operators import Permission


class RotateManagementKey(Command, frozen=True, kw_only=True):
    """A new secret; the present one ends after the overlap, an older one at once."""

    permission: ClassVar[Permission] = "accounts"

    key_id: UUID
    overlap_s: int = 24 * 3600


def handle(command: RotateManagementKey, *, actor: Actor, ports: Ports) -> IssuedManagementKey:
    """Rotate it and show the new secret, once; raises as `management.rotate`."""
    members = members_of_key(ports.store, command.key_id)
    secret, record = fresh_secret(ports, prefix=MANAGEMENT_PREFIX)
    at = stamp(ports, actor)
    done = decide_management(
        ports,
        command.key_id,
        lambda key: management.rotate(
            key, members=members, secret=record, overlap_s=command.overlap_s, by=actor, stamp=at
        ),
    )
    return IssuedManagementKey(key_id=command.key_id, secret=secret, prefix=record.prefix, done=done)
