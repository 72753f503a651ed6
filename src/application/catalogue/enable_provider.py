"""Send requests to a provider again."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import provider as rules
from domain.fact import Actor
from domain.operators import Permission


class EnableProvider(Command, frozen=True, kw_only=True):
    """Send requests to a provider again."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID


def handle(command: EnableProvider, *, actor: Actor, ports: Ports) -> Done:
    """Enable it; raises as `provider.enable`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.provider_id,
        None,
        rules.evolve,
        lambda provider: rules.enable(provider, stamp=at),
    )
