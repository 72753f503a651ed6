"""Send nothing to an endpoint for a while."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.hooks.stream import decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.operators import Permission


class DisableEndpoint(Command, frozen=True, kw_only=True):
    """What happens meanwhile waits for it."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID
    reason: str


def handle(command: DisableEndpoint, *, actor: Actor, ports: Ports) -> Done:
    """Disable it; raises as `endpoint.disable`."""
    at = stamp(ports, actor)
    return decide_endpoint(
        ports.store,
        command.endpoint_id,
        lambda endpoint: rules.disable(endpoint, reason=command.reason, stamp=at),
    )
