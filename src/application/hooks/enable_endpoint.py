"""Send to an endpoint again, what has waited first."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.hooks.stream import decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.operators import Permission


class EnableEndpoint(Command, frozen=True, kw_only=True):
    """Messages that were given up stay so: replay them."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID


def handle(command: EnableEndpoint, *, actor: Actor, ports: Ports) -> Done:
    """Enable it; raises as `endpoint.enable`."""
    at = stamp(ports, actor)
    return decide_endpoint(
        ports.store, command.endpoint_id, lambda endpoint: rules.enable(endpoint, stamp=at)
    )
