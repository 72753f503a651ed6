"""Links that let somebody in: what they hold is random, and only its hash is kept."""

from typing import Final
from uuid import UUID

import msgspec

from application.command import Done, Ports
from domain.secret import Secret

_SECRET_BYTES: Final = 24


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link, which is shown this one time. `link` is a path below the console's address."""

    invitation_id: UUID
    link: Secret
    is_mailed: bool = False
    done: Done


def new_secret(ports: Ports) -> str:
    """What a link holds."""
    return ports.ids.entropy(_SECRET_BYTES).hex()


def hash_of(ports: Ports, secret: str) -> str:
    """What is kept of it, in hex."""
    return ports.hasher.digest(b"invitation\0" + secret.encode()).hex()
