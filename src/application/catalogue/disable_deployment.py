"""Let routes pass over a deployment."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.fact import Actor
from domain.operators import Permission


class DisableDeployment(Command, frozen=True, kw_only=True):
    """Let routes pass over a deployment."""

    permission: ClassVar[Permission] = "catalogue"

    deployment_id: UUID
    reason: str


def handle(command: DisableDeployment, *, actor: Actor, ports: Ports) -> Done:
    """Disable it; raises as `deployment.disable`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.disable(deployment, reason=command.reason, stamp=at),
    )
