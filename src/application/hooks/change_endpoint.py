"""Send a customer's messages elsewhere, or others of them."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.hooks.kinds import NAMES
from application.hooks.stream import decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.hooks.address import checked_address
from domain.operators import Permission


class ChangeEndpoint(Command, frozen=True, kw_only=True):
    """It replaces address and kinds; what waits goes to the new address."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID
    url: str
    kinds: tuple[str, ...] = ()


def handle(command: ChangeEndpoint, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `endpoint.change`, and `BadField` for the address."""
    checked_address(command.url, ports.hook_allowlist)
    at = stamp(ports, actor)
    return decide_endpoint(
        ports.store,
        command.endpoint_id,
        lambda endpoint: rules.change(endpoint, url=command.url, kinds=command.kinds, known=NAMES, stamp=at),
    )
