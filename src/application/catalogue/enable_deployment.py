"""Let routes use a deployment again."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.fact import Actor
from domain.operators import Permission


class EnableDeployment(Command, frozen=True, kw_only=True):
    """Let routes use a deployment again."""

    permission: ClassVar[Permission] = "catalogue"

    deployment_id: UUID


def handle(command: EnableDeployment, *, actor: Actor, ports: Ports) -> Done:
    """Enable it; raises as `deployment.enable`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.enable(deployment, stamp=at),
    )
