"""Send no request to a provider any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import provider as rules
from domain.fact import Actor
from domain.operators import Permission


class DisableProvider(Command, frozen=True, kw_only=True):
    """Send no request to a provider any more."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    reason: str


def handle(command: DisableProvider, *, actor: Actor, ports: Ports) -> Done:
    """Disable it; raises as `provider.disable`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.provider_id,
        None,
        rules.evolve,
        lambda provider: rules.disable(provider, reason=command.reason, stamp=at),
    )
