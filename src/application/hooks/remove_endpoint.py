"""Tell nothing at an address any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.hooks.stream import decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.operators import Permission


class RemoveEndpoint(Command, frozen=True, kw_only=True):
    """What waits is not sent; the secrets are destroyed."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID


def handle(command: RemoveEndpoint, *, actor: Actor, ports: Ports) -> Done:
    """Remove it; raises as `endpoint.remove`."""
    at = stamp(ports, actor)
    done = decide_endpoint(
        ports.store, command.endpoint_id, lambda endpoint: rules.remove(endpoint, stamp=at)
    )
    ports.vault.forget(command.endpoint_id)
    return done
